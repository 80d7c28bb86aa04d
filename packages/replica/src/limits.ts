/** Every bound of the replica, with its default and the reason it has that size. */

export interface ReplicaLimits {
  /**
   * Proposals that may wait for the log at once; beyond it callers are refused (fault-model F8). Room for twenty full
   * connections, so that a crowd that queues on one lock in one moment is not turned away.
   */
  readonly waitingProposals: number;
  /** Bytes of proposals that may wait for the log at once. */
  readonly waitingBytes: number;
  /** Largest log entry a batch may grow to; one larger command travels alone. */
  readonly batchBytes: number;
  /**
   * Operations per log entry, so that applying one entry stays within a slice of the event loop. A command is one, a transaction
   * as many as it can run; a larger one travels alone.
   */
  readonly batchOperations: number;
  /**
   * How much of the room that the log keeps for a full disk the commands of clients may use up together, from 0 to 1
   * (fault-model F6): those that free something, and compactions and alarms. What is left is for the ends of leases and what
   * else the server proposes itself. An entry takes a sector at least, so that a mebibyte is about 2,000 of them.
   */
  readonly reserveShareOfClients: number;
  readonly reserveShareOfUpkeep: number;
  /** Largest command of a client that may take of that room: a key in a delete can be as long as a message. */
  readonly reserveCommandBytes: number;
  /** Interval of the lease clock (fault-model I6). */
  readonly leaseTickMs: number;
  /** Expired leases proposed for removal per slice. */
  readonly expirySlice: number;
  /** Keys of such leases after which a slice is closed. */
  readonly expiryKeys: number;
  /** Leases whose time may have come that are looked at per slice; most were renewed. */
  readonly expiryLooks: number;
  /** Distinct revisions per response while a watcher catches up (WATCH-20). */
  readonly catchUpRevisions: number;
  /** Key and value bytes after which such a response is closed; one revision is never split. */
  readonly catchUpBytes: number;
  /**
   * Events after which such a response, and the slice in which it is made, is closed. A revision of more is given to watchers
   * of ranges in this way too, in several slices, but in one response.
   */
  readonly catchUpEvents: number;
  /** Steps of single watchers in a catch-up slice, before the event loop turns. */
  readonly catchUpResponses: number;
  /** Keys of a lock's prefix put in order per slice; a prefix with no more is put in order at once. */
  readonly lockFillingKeys: number;
  /**
   * Bytes and commands in the log after which the next snapshot is taken, whichever come first; more bytes when the state was
   * larger at the last one, but never ten times the commands. Replaying so much takes about 0.5 s: 1 ns a byte and 1 µs a command.
   */
  readonly snapshotAfterBytes: number;
  readonly snapshotAfterCommands: number;
  /**
   * Bytes and commands in the log from which on a stop leaves a snapshot, so that the next start need not read them: what
   * takes some 30 ms to replay. Whichever come first.
   */
  readonly stopSnapshotAfterBytes: number;
  readonly stopSnapshotAfterCommands: number;
  /** A larger state is not written at a stop, which would take too long. */
  readonly stopSnapshotStateBytesMax: number;
  /**
   * From when the last accepted command is applied, how long a stop may be held up by the writing of snapshots, but for their
   * syncs; what is not written by then is given up.
   */
  readonly stopSnapshotMsMax: number;
  /**
   * A stop that has taken longer for its first snapshot does without the second. The log stays for the sake of the older one
   * then, and verifying it is the smaller part of a start: of a million keys 1,796 ms without, 1,466 with one, 1,472 with two
   * snapshots.
   */
  readonly stopSecondSnapshotMsMax: number;
  /** Compacted versions removed per slice. */
  readonly sweepItems: number;
}

export const defaultReplicaLimits: ReplicaLimits = {
  waitingProposals: 20_000,
  waitingBytes: 64 * 1024 * 1024,
  batchBytes: 512 * 1024,
  batchOperations: 1_000,
  reserveShareOfClients: 0.5,
  reserveShareOfUpkeep: 0.75,
  reserveCommandBytes: 16 * 1024,
  leaseTickMs: 100,
  expirySlice: 500,
  expiryKeys: 5_000,
  expiryLooks: 10_000,
  catchUpRevisions: 1_000,
  catchUpBytes: 1024 * 1024,
  catchUpEvents: 4_000,
  catchUpResponses: 16,
  lockFillingKeys: 2_000,
  snapshotAfterBytes: 256 * 1024 * 1024,
  snapshotAfterCommands: 400_000,
  stopSnapshotAfterBytes: 16 * 1024 * 1024,
  stopSnapshotAfterCommands: 20_000,
  stopSnapshotStateBytesMax: 256 * 1024 * 1024,
  stopSnapshotMsMax: 3_000,
  stopSecondSnapshotMsMax: 500,
  sweepItems: 1_000,
};
