/**
 * A log that is measured: how long appends take until they are durable, how much they hold, and what became of
 * snapshots. Everything else is handed on untouched. There is one append in flight, so measuring one costs no closure.
 */
import type { AppendResult, Log } from "@holdfast/log";
import { Histogram, risingBounds } from "@holdfast/replica";
import { ForwardingLog } from "../forwarding-log.js";

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

export class MeasuredLog extends ForwardingLog {
  readonly meter = new LogMeter();
  readonly #nowMs: () => number;
  #startedMs = 0;
  #byteCount = 0;
  #done: (result: AppendResult) => void = () => {};

  /** `nowMs` is a monotonic clock. */
  constructor(log: Log, nowMs: () => number) {
    super(log);
    this.#nowMs = nowMs;
  }

  override append(payload: Uint8Array, done: (result: AppendResult) => void, reserveShare?: number): void {
    const startedMs = this.#nowMs();
    this.log.append(payload, this.#appended, reserveShare);
    // Only now: an append while another is in flight has thrown, and the other goes on.
    this.#startedMs = startedMs;
    this.#byteCount = payload.length;
    this.#done = done;
  }

  override async writeSnapshot(index: number, chunks: Iterable<Uint8Array>): Promise<void> {
    const startedMs = this.#nowMs();
    try {
      await this.log.writeSnapshot(index, chunks);
      this.meter.snapshotSeconds.observe((this.#nowMs() - startedMs) / 1_000);
    } catch (error) {
      this.meter.failedSnapshots++;
      throw error;
    }
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
