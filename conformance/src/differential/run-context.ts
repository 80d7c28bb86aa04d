// What all clients and streams of one run of one script share: the server, the records, the assertions, the waiting.

import type { TargetName } from "../target.js";
import { type Demand, RuleBroken } from "./answer.js";
import { Recorder } from "./recorder.js";

/** Replaces `{files}` and `{free}`; see `ScriptOptions.args`. */
export type Fill = (text: string) => string;

/** One run of one script against one server. */
export class RunContext {
  readonly target: TargetName;
  readonly endpoint: string;
  /** Puts what the script's placeholders stand for in their place. */
  readonly fill: Fill;
  readonly recorder = new Recorder();
  readonly #waiting = new Set<string>();
  readonly #cleanUps: (() => void)[] = [];
  #demands = 0;

  constructor(target: TargetName, endpoint: string, fill: Fill) {
    this.target = target;
    this.endpoint = endpoint;
    this.fill = fill;
  }

  /** How many things the script has demanded. */
  get demands(): number {
    return this.#demands;
  }

  /** What the script waits for now. */
  get waiting(): string {
    return [...this.#waiting].join(", ") || "nothing of the server";
  }

  /**
   * How an answer checks what the script demands of it. Of a recorded answer that is demanded of etcd only, because
   * Holdfast's is compared with etcd's anyway, and with all that follows; of an unrecorded one it is demanded of both.
   */
  demand(ofBoth: boolean): Demand {
    return (holds, complaint) => {
      this.#demands += 1;
      if (!holds && (ofBoth || this.target === "etcd")) {
        throw new RuleBroken(complaint());
      }
    };
  }

  /** Notes what is waited for while it is, so that a script that never ends can say why. */
  async waitFor<T>(what: string, promise: Promise<T>): Promise<T> {
    this.#waiting.add(what);
    try {
      return await promise;
    } finally {
      this.#waiting.delete(what);
    }
  }

  /** Has something undone when the run is over. */
  onEnd(cleanUp: () => void): void {
    this.#cleanUps.push(cleanUp);
  }

  /** Undoes everything. */
  end(): void {
    for (const cleanUp of this.#cleanUps.splice(0)) {
      cleanUp();
    }
  }
}
