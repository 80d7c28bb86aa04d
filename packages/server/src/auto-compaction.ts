/**
 * Compacts the history by itself (LIM-6), by time or by number of revisions. Each is an ordinary compaction, proposed by
 * the server; what readers and watchers see of it is theirs to know.
 */
import type { Environment, Replica } from "@holdfast/replica";
import type { AutoCompaction } from "./server-options.js";

const hourMs = 3_600_000;
/** A period is measured by this many readings of the revision. */
const readingsPerInterval = 10;
const revisionIntervalMs = 300_000;

/** Starts compacting; returns what stops it. */
export function startAutoCompaction(replica: Replica, environment: Environment, options: AutoCompaction): () => void {
  if (options.mode === "revision") {
    const { retentionRevisions } = options;
    return environment.every(revisionIntervalMs, () => compact(replica, replica.machine.revision - retentionRevisions));
  }
  const periodic = new PeriodicCompaction(replica, options.retentionMs);
  return environment.every(periodic.readingIntervalMs, () => periodic.tick());
}

/** Keeps the revisions of the last period, newest last, and compacts to the oldest once it is one period old. */
class PeriodicCompaction {
  /** Time between two readings. */
  readonly readingIntervalMs: number;
  readonly #replica: Replica;
  readonly #readingsPerPeriod: number;
  readonly #readings: number[] = [];
  /** Readings until the next compaction is due. */
  #untilDue: number;

  constructor(replica: Replica, periodMs: number) {
    this.#replica = replica;
    this.readingIntervalMs = Math.max(1, Math.min(periodMs, hourMs) / readingsPerInterval);
    this.#readingsPerPeriod = Math.round(periodMs / this.readingIntervalMs);
    this.#untilDue = this.#readingsPerPeriod;
    this.#readings.push(replica.machine.revision);
  }

  tick(): void {
    this.#readings.push(this.#replica.machine.revision);
    if (this.#readings.length > this.#readingsPerPeriod + 1) this.#readings.shift();
    this.#untilDue--;
    if (this.#untilDue > 0) return;
    this.#untilDue = readingsPerInterval;
    compact(this.#replica, this.#readings[0] as number);
  }
}

/** Compacts unless there is nothing to discard; nobody waits for it, and the next one makes up for one that was refused. */
function compact(replica: Replica, revision: number): void {
  if (revision <= Math.max(replica.machine.compactRevision, 0)) return;
  replica.proposeInternal({ kind: "compact", revision }, { settled: () => {}, failed: () => {} });
}
