/** What several checks build on, made when first asked for. Without a log there is none of it. */
import type { History } from "../history/history.js";
import { type Matching, matchCalls } from "./matching.js";
import { type Placed, placeAll } from "./placing.js";
import { placeables } from "./questions.js";
import { knownEntries, Replay } from "./replay.js";

export class Evidence {
  readonly history: History;
  #replay: Replay | undefined;
  #matching: Matching | undefined;
  #placed: readonly Placed[] | undefined;

  constructor(history: History) {
    this.history = history;
  }

  /** Whether the log was observed. Histories of real processes have answers only. */
  get hasLog(): boolean {
    return this.history.entries.length > 0 || this.history.finalEntries.length > 0;
  }

  /** Why nothing can be judged by the log; undefined if it can. */
  get whyNoReplay(): string | undefined {
    if (!this.hasLog) return "the log was not observed";
    return this.replay.unmodelled;
  }

  get replay(): Replay {
    this.#replay ??= new Replay(knownEntries(this.history));
    return this.#replay;
  }

  get matching(): Matching {
    this.#matching ??= matchCalls(this.history.calls, this.replay);
    return this.#matching;
  }

  get placed(): readonly Placed[] {
    this.#placed ??= placeAll(placeables(this.history.calls, this.replay, this.matching), this.replay);
    return this.#placed;
  }
}
