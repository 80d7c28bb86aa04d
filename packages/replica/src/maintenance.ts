/**
 * Work that keeps the replica small: removing compacted history and taking snapshots, both in slices
 * between turns. A snapshot holds the sweep off, because it still reads what the sweep would remove.
 */
import type { Log } from "@holdfast/log";
import type { StateMachine } from "@holdfast/state-machine";
import type { Environment } from "./environment.js";
import type { ReplicaLimits } from "./limits.js";
import type { LoadedState } from "./state-loader.js";

/** How many times `snapshotAfterCommands` are enough, however large the state is. */
const commandsFactorMax = 10;

/** Of a state that is larger than so many times what the next start would read less, a stop makes no snapshot. */
const stateFactorAtStop = 4;

export interface MaintenanceOptions {
  readonly log: Log;
  readonly machine: StateMachine;
  readonly environment: Environment;
  readonly limits: ReplicaLimits;
  /** A snapshot that nobody asked for could not be stored. The log decides for itself whether it can go on. */
  readonly onSnapshotFailure: (cause: unknown) => void;
}

/** The time for it was over before the snapshot was written. */
export class SnapshotGivenUpError extends Error {
  override readonly name = "SnapshotGivenUpError";
}

export class Maintenance {
  readonly #options: MaintenanceOptions;
  #bytesSinceSnapshot = 0;
  #commandsSinceSnapshot = 0;
  /** What the state took at the last snapshot. */
  #stateBytes = 0;
  #snapshot: Promise<void> | undefined;
  #sweeping = false;
  #sliceScheduled = false;
  #stopped = false;
  /** When snapshots are given up. */
  #deadlineMs = Number.POSITIVE_INFINITY;
  readonly #whenSwept: Array<() => void> = [];

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  /** Goes on from a state that was loaded, as applied up to `index`. */
  resume(index: number, { replayedBytes, replayedCommands, snapshotStateBytes }: LoadedState): void {
    this.#stateBytes = snapshotStateBytes;
    this.applied(index, replayedBytes, replayedCommands);
    this.sweep();
  }

  /** Counts what was logged, in bytes as `bytesInLog` has them, and starts a snapshot when enough has gathered. */
  applied(index: number, bytes: number, commands: number): void {
    this.#bytesSinceSnapshot += bytes;
    this.#commandsSinceSnapshot += commands;
    if (this.#snapshot !== undefined || this.#stopped || !this.#isDue) return;
    this.snapshot(index).catch(this.#options.onSnapshotFailure);
  }

  /**
   * Whether the log would take long to replay, by its bytes or its commands, and as long as the last snapshot takes to load:
   * a large state is not written again and again for a little log, and no restart takes twice as long as with a new snapshot.
   * Commands of a few bytes in common entries never add up to a state of large values, so very many of them are enough.
   */
  get #isDue(): boolean {
    const { snapshotAfterBytes, snapshotAfterCommands } = this.#options.limits;
    const isLong =
      this.#bytesSinceSnapshot >= snapshotAfterBytes || this.#commandsSinceSnapshot >= snapshotAfterCommands;
    if (isLong && this.#bytesSinceSnapshot >= this.#stateBytes) return true;
    return this.#commandsSinceSnapshot >= snapshotAfterCommands * commandsFactorMax;
  }

  /**
   * Takes a snapshot of the state as applied up to `index`; joins one that is under way. Rejects when it cannot be
   * stored, which changes nothing.
   */
  snapshot(index: number): Promise<void> {
    if (index === 0) return Promise.resolve();
    this.#snapshot ??= this.#takeSnapshot(index).finally(() => {
      this.#snapshot = undefined;
      this.#schedule();
    });
    return this.#snapshot;
  }

  /** Removes what a compaction has made unreachable, from now on; `done` when all of it is gone. */
  sweep(done?: () => void): void {
    if (done !== undefined) this.#whenSwept.push(done);
    this.#sweeping = true;
    this.#schedule();
  }

  /**
   * Starts nothing new and waits for the snapshot under way. From now on snapshots, that one included, are given up when they
   * would hold up the stop for too long: they reject with `SnapshotGivenUpError`.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#deadlineMs = this.#options.environment.nowMs() + this.#options.limits.stopSnapshotMsMax;
    // Whoever asked for it has been told if it failed.
    await this.#snapshot?.catch(() => {});
  }

  /** Whether a snapshot at a stop is worth its time: the next start would read so much less, and the state is not too large. */
  get isDueAtStop(): boolean {
    const { stopSnapshotAfterBytes, stopSnapshotAfterCommands, stopSnapshotStateBytesMax } = this.#options.limits;
    const isLong =
      this.#bytesSinceSnapshot >= stopSnapshotAfterBytes || this.#commandsSinceSnapshot >= stopSnapshotAfterCommands;
    const { approximateBytes } = this.#options.machine;
    const isWorthIt = approximateBytes <= this.#bytesSinceSnapshot * stateFactorAtStop;
    return isLong && isWorthIt && approximateBytes <= stopSnapshotStateBytesMax;
  }

  async #takeSnapshot(index: number): Promise<void> {
    const { log, machine } = this.#options;
    this.#bytesSinceSnapshot = 0;
    this.#commandsSinceSnapshot = 0;
    this.#stateBytes = machine.approximateBytes;
    const frozen = machine.freeze();
    try {
      await log.writeSnapshot(index, this.#inTime(frozen.chunks()));
    } finally {
      frozen.release();
    }
  }

  *#inTime(chunks: Iterable<Uint8Array>): Iterable<Uint8Array> {
    for (const chunk of chunks) {
      if (this.#options.environment.nowMs() > this.#deadlineMs)
        throw new SnapshotGivenUpError("no time was left for it");
      yield chunk;
    }
  }

  #schedule(): void {
    if (!this.#sweeping || this.#sliceScheduled || this.#snapshot !== undefined || this.#stopped) return;
    this.#sliceScheduled = true;
    this.#options.environment.defer(() => {
      this.#sliceScheduled = false;
      this.#slice();
    });
  }

  #slice(): void {
    if (!this.#sweeping || this.#snapshot !== undefined || this.#stopped) return;
    if (!this.#options.machine.sweep(this.#options.limits.sweepItems)) {
      this.#schedule();
      return;
    }
    this.#sweeping = false;
    for (const done of this.#whenSwept.splice(0)) done();
  }
}
