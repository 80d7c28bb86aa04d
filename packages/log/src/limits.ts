/**
 * Every limit of this package, with its default. An engine or a log takes a partial set and fills
 * in the rest through {@link checkedLimits}, which also checks how the limits relate.
 */

const KiB = 1024;
const MiB = 1024 * KiB;

/** Limits of a log. All are positive whole numbers; units are in the names. */
export interface LogLimits {
  /** Largest payload of one `append`; a longer one is refused as `too-large`. At most 64 MiB. */
  readonly entryBytesMax: number;
  /** Size of the first segment file. Later ones double until `segmentBytesMax`, so a small log stays small. */
  readonly segmentBytesFirst: number;
  /** Size of a full-grown segment file. */
  readonly segmentBytesMax: number;
  /**
   * Room that is always kept on disk for entries that free space or end something, when there is none for others
   * (fault model F6).
   */
  readonly reservedBytes: number;
  /** Largest chunk of a snapshot. */
  readonly snapshotChunkBytesMax: number;
  /** How much of a file is read, and handed on, in one turn of the event loop. */
  readonly readSliceBytes: number;
  /** How much of one entry is written in one turn of the event loop. */
  readonly writeSliceBytes: number;
  /** How much of a new segment is filled with zeros between two syncs, in the background. */
  readonly zeroSliceBytes: number;
  /** Discarded segments that are kept to be used again; more would hold back space that discarding is meant to free. */
  readonly recycledSegments: number;
  /** While entries are being stored, the durable index is also noted beside the segments this often. */
  readonly durableNoteIntervalMs: number;
  /** First and longest pause between two attempts to settle an append of unknown outcome. */
  readonly settleDelayFirstMs: number;
  readonly settleDelayMaxMs: number;
}

/** The absolute bound of `entryBytesMax`; readers of the file format rely on it. */
export const ENTRY_BYTES_LIMIT = 64 * MiB;

/** How many generations of snapshots are kept; the log reaches back to the older one. */
export const SNAPSHOTS_KEPT = 2;

/** File handles that clients' connections cannot use up (fault model F25): for segments until the next snapshot, and for that. */
export const HANDLES_RESERVED = 16;

export const DEFAULT_LOG_LIMITS: LogLimits = {
  entryBytesMax: MiB,
  segmentBytesFirst: 2 * MiB,
  segmentBytesMax: 64 * MiB,
  reservedBytes: MiB,
  snapshotChunkBytesMax: 80 * MiB,
  readSliceBytes: 256 * KiB,
  // All of the largest entry that there usually is: what is hashed meanwhile is hashed beside the sync only if that has begun.
  writeSliceBytes: 2 * MiB,
  zeroSliceBytes: MiB,
  // As many as are discarded with a snapshot every 256 MiB, and filled until the next.
  recycledSegments: 2,
  durableNoteIntervalMs: 100,
  settleDelayFirstMs: 10,
  settleDelayMaxMs: 1000,
};

/**
 * The defaults, overridden by `given`.
 * @throws RangeError if a limit is not a positive whole number or two of them contradict each other.
 */
export function checkedLimits(given: Partial<LogLimits> = {}): LogLimits {
  const limits = { ...DEFAULT_LOG_LIMITS, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value <= 0)
      throw new RangeError(`log limit ${name} must be a positive whole number`);
  }
  if (limits.entryBytesMax > ENTRY_BYTES_LIMIT)
    throw new RangeError(`log limit entryBytesMax exceeds ${ENTRY_BYTES_LIMIT}`);
  if (limits.segmentBytesMax >= 2 ** 32) throw new RangeError("log limit segmentBytesMax must stay below 4 GiB");
  if (limits.segmentBytesFirst > limits.segmentBytesMax)
    throw new RangeError("log limit segmentBytesFirst exceeds segmentBytesMax");
  if (limits.snapshotChunkBytesMax >= 2 ** 31)
    throw new RangeError("log limit snapshotChunkBytesMax must stay below 2 GiB");
  if (limits.settleDelayFirstMs > limits.settleDelayMaxMs)
    throw new RangeError("log limit settleDelayFirstMs exceeds settleDelayMaxMs");
  return limits;
}
