/**
 * A log that is measured: how long appends take until they are durable, how much they hold, and what became of
 * snapshots. Everything else is handed on untouched. There is one append in flight, so measuring one costs no closure.
 */
import type { AppendResult, Log, LogEntry, LogSnapshot, LogUsage } from "@holdfast/log";
import { Histogram, risingBounds } from "@holdfast/replica";

export class LogMeter {
  /** From handing an entry to the log until it is known to be durable; the bounds are etcd's for its syncs. */
  readonly appendSeconds = new Histogram(risingBounds(0.001, 2, 14));
  /** Payload bytes of the entries that became durable. */
  appendedBytes = 0;
  /** Entries that did not become durable, or of which nobody knows. */
  failedAppends = 0;
  /** From the first byte to the end of what a snapshot makes superfluous. */
  readonly snapshotSeconds = new Histogram(risingBounds(0.01, 2, 15));
  failedSnapshots = 0;
}

export class MeasuredLog implements Log {
  readonly meter = new LogMeter();
  readonly #log: Log;
  readonly #nowMs: () => number;
  #startedMs = 0;
  #byteCount = 0;
  #done: (result: AppendResult) => void = () => {};

  /** `nowMs` is a monotonic clock. */
  constructor(log: Log, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  get identity(): string {
    return this.#log.identity;
  }

  get payloadBytesMax(): number {
    return this.#log.payloadBytesMax;
  }

  get lastIndex(): number {
    return this.#log.lastIndex;
  }

  get epoch(): number {
    return this.#log.epoch;
  }

  get snapshot(): LogSnapshot | undefined {
    return this.#log.snapshot;
  }

  replay(afterIndex: number, visit: (entry: LogEntry) => void): Promise<void> {
    return this.#log.replay(afterIndex, visit);
  }

  acquire(): Promise<number> {
    return this.#log.acquire();
  }

  append(payload: Uint8Array, done: (result: AppendResult) => void): void {
    const startedMs = this.#nowMs();
    this.#log.append(payload, this.#appended);
    // Only now: an append while another is in flight has thrown, and the other goes on.
    this.#startedMs = startedMs;
    this.#byteCount = payload.length;
    this.#done = done;
  }

  barrier(): Promise<void> {
    return this.#log.barrier();
  }

  async writeSnapshot(index: number, chunks: Iterable<Uint8Array>): Promise<void> {
    const startedMs = this.#nowMs();
    try {
      await this.#log.writeSnapshot(index, chunks);
      this.meter.snapshotSeconds.observe((this.#nowMs() - startedMs) / 1_000);
    } catch (error) {
      this.meter.failedSnapshots++;
      throw error;
    }
  }

  usage(): LogUsage {
    return this.#log.usage();
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  // One function for the life of the log; never called from within `append`.
  readonly #appended = (result: AppendResult): void => {
    if (result.fate === "stored") {
      this.meter.appendSeconds.observe((this.#nowMs() - this.#startedMs) / 1_000);
      this.meter.appendedBytes += this.#byteCount;
    } else this.meter.failedAppends++;
    this.#done(result);
  };
}
