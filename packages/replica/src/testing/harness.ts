/** A replica on a memory log with time by hand, and short ways to ask it things. */
import { type Log, MemoryStore, openMemoryLog } from "@holdfast/log";
import { type ByteString, createDeleteRangeRequest, createPutRequest, emptyByteString } from "@holdfast/protocol";
import type { Caller, Command, KeyVersion, Outcome } from "@holdfast/state-machine";
import type { ReplicaLimits } from "../limits.js";
import type { ProposalFailure } from "../proposer.js";
import { Replica } from "../replica.js";
import type { CatchUpResponse, SharedEvent, WatchConsumer, Watcher } from "../watch/watcher.js";
import { ManualEnvironment } from "./manual-environment.js";

/** A proposal that came to no outcome, as an error a test can catch. */
export class ProposalFailedError extends Error {
  readonly failure: ProposalFailure;

  constructor(failure: ProposalFailure) {
    super(`proposal failed: ${failure}`);
    this.failure = failure;
  }
}

export class Harness {
  readonly environment = new ManualEnvironment();
  readonly fatal: Error[] = [];
  readonly #store = new MemoryStore();
  replica!: Replica;

  static async start(limits: Partial<ReplicaLimits> = {}): Promise<Harness> {
    const harness = new Harness();
    harness.replica = await Replica.start({
      log: await openMemoryLog({ store: harness.#store }),
      environment: harness.environment,
      limits,
      onFatal: (cause) => harness.fatal.push(cause),
    });
    return harness;
  }

  /** Closes the replica and opens what its log remembers. */
  async reopenLog(): Promise<Log> {
    await this.replica.close();
    return openMemoryLog({ store: this.#store });
  }

  /** Proposes a command for `caller` and waits for its outcome; rejects with `ProposalFailedError`. */
  propose(command: Command, caller?: Caller): Promise<Outcome> {
    const outcome = new Promise<Outcome>((resolve, reject) => {
      const failed = (failure: ProposalFailure): void => reject(new ProposalFailedError(failure));
      this.replica.propose(command, { settled: resolve, failed }, caller);
    });
    this.environment.runDeferred();
    return outcome;
  }

  async put(key: string, value = "", lease = 0n): Promise<number> {
    const request = createPutRequest({ key: byteString(key), value: Uint8Array.from(Buffer.from(value)), lease });
    const outcome = await this.propose({ kind: "put", request });
    if (outcome.kind !== "put") throw new Error(`put was ${JSON.stringify(outcome)}`);
    return outcome.response.header?.revision ?? 0;
  }

  async delete(key: string): Promise<void> {
    await this.propose({ kind: "deleteRange", request: createDeleteRangeRequest({ key: byteString(key) }) });
  }

  async grant(leaseId: bigint, ttlSeconds: number): Promise<void> {
    await this.propose({ kind: "leaseGrant", leaseId, ttlSeconds });
  }

  /** Lets the log finish what it has been given, without any time passing on the manual clock. */
  async settle(): Promise<void> {
    for (let turns = 0; turns < 10; turns++) {
      this.environment.runDeferred();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  watch(key: string, options: { rangeEnd?: string; startRevision?: number; recorder?: Recorder } = {}): Recorder {
    const recorder = options.recorder ?? new Recorder();
    recorder.watcher = this.replica.watches.watch({
      key: byteString(key),
      rangeEnd: options.rangeEnd === undefined ? emptyByteString : byteString(options.rangeEnd),
      startRevision: options.startRevision ?? 0,
      dropPuts: recorder.dropPuts,
      dropDeletes: recorder.dropDeletes,
      consumer: recorder,
    });
    return recorder;
  }
}

/** A watch consumer that writes down what it is told. */
export class Recorder implements WatchConsumer {
  congested = false;
  dropPuts = false;
  dropDeletes = false;
  /** Set by `Harness.watch`. */
  watcher!: Watcher;
  /** One entry per response: "key@revision" (puts) or "-key@revision" (deletes), and the header revision. */
  readonly responses: Array<{ events: string[]; header: number }> = [];
  compactedAt: number | undefined;
  /** How often a response was not whole at the end of a turn. */
  pauses = 0;

  /** All events so far, in the order of delivery. */
  get all(): string[] {
    return this.responses.flatMap((response) => response.events);
  }

  compacted(_watcher: Watcher, compactRevision: number): void {
    this.compactedAt = compactRevision;
  }

  events(_watcher: Watcher, events: readonly SharedEvent[], header: number): void {
    this.responses.push({ events: events.map(({ version }) => textOf(version)), header });
  }

  catchUp(_watcher: Watcher, header: number): CatchUpResponse {
    const events: string[] = [];
    return {
      add: (version) => void events.push(textOf(version)),
      pause: () => {
        this.pauses += 1;
      },
      send: () => void this.responses.push({ events, header }),
    };
  }
}

function textOf({ key, modRevision, version }: KeyVersion): string {
  return `${version === 0 ? "-" : ""}${key}@${modRevision}`;
}

export function byteString(text: string): ByteString {
  return text as ByteString;
}
