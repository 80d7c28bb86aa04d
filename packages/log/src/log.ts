/**
 * The promise that separates "I asked" from "it happened": an ordered, durable record of opaque
 * payloads. This file is the door; `file/` and `memory/` are engines behind it.
 *
 * Words from above (key, lease, command) and below (file, socket) do not appear here.
 */

/** What became of an append. Unknown is never turned into failed. */
export type AppendResult =
  /** Durable: it will be there after any crash, at this index. */
  | { readonly fate: "stored"; readonly index: number }
  /** It is not in the log and never will be. */
  | { readonly fate: "refused"; readonly why: AppendRefusal }
  /** It may yet be found in the log, at most once. */
  | { readonly fate: "unknown"; readonly cause: Error };

export type AppendRefusal = "closed" | "full" | "too-large" | "not-owner";

/** One payload at its place. `payload` must not be changed and is valid only during the call. */
export interface LogEntry {
  readonly index: number;
  readonly epoch: number;
  readonly payload: Uint8Array;
}

/** A snapshot that is whole and verified. */
export interface LogSnapshot {
  /** The snapshot holds the effect of every entry up to and including this one. */
  readonly index: number;
  readonly epoch: number;
  /** The chunks in the order, and of the sizes, in which they were written. */
  chunks(): AsyncIterable<Uint8Array>;
}

/**
 * Takes what a log holds while it is opened and verified, so that everything is read only once. What was handed over counts
 * only once the log is open; if opening rejects it is void. What it throws ends the opening and is passed on.
 */
export interface LogReader {
  /** What was handed over before is void. What follows is the snapshot of `index`, if that is not 0, and what came after. */
  begin(index: number): void;
  /** The next chunk of the snapshot, valid only during the call. */
  chunk(bytes: Uint8Array): void;
  /** The next payload behind the snapshot. */
  entry(entry: LogEntry): void;
}

/**
 * The way an entry takes until it is durable: past the system's cache in one call, through that cache with a sync behind it,
 * or no further than memory.
 */
export type AppendWay = "direct" | "cached" | "memory";

/** Where the log lies, for status pages. Bytes, not promises. */
export interface LogUsage {
  readonly firstIndex: number;
  readonly lastIndex: number;
  readonly bytesOnDisk: number;
  /** Bytes that can still be appended even if the disk gives no more; 0 if that cannot be told. */
  readonly bytesReserved: number;
  /** Of the next append, as far as is known: what takes none in one way takes it in another. */
  readonly appendWay: AppendWay;
}

/**
 * The log as its owner uses it. Opened logs have been verified: a torn tail is cut, a damaged
 * middle refuses to open.
 */
export interface Log {
  /** A random identity, fixed when the log was created; 16 bytes as 32 hex digits. */
  readonly identity: string;
  /** Longest payload that `append` takes. */
  readonly payloadBytesMax: number;
  /** The newest durable index; 0 in an empty log. */
  readonly lastIndex: number;
  /** The owner's current epoch; 0 before `acquire`. Grows with each `acquire`, across restarts. */
  readonly epoch: number;
  /** The newest valid snapshot at opening, if there is one. */
  readonly snapshot: LogSnapshot | undefined;
  /** Hands every payload entry behind `afterIndex` to `visit`, in order, yielding to the event loop between slices. */
  replay(afterIndex: number, visit: (entry: LogEntry) => void): Promise<void>;
  /** Becomes the owner: starts a new epoch, durably. Must precede the first append. */
  acquire(): Promise<number>;
  /**
   * Stores one payload. `done` is called exactly once, never from within `append`. At most one
   * append is in flight; calling again before `done` is a programming error and throws.
   * The payload is copied or written out before `append` returns, so its buffer may be reused.
   *
   * `reserveShare` says how much of the room that is kept for when there is no other it may help to use up, from 0 for nothing
   * to 1 for all: that room is for what frees space, ends what holds things, or says that there is no more, and the last of
   * it for what must not fail because of the rest. Default 0.
   */
  append(payload: Uint8Array, done: (result: AppendResult) => void, reserveShare?: number): void;
  /** Resolves once everything acknowledged before the call is covered by what is applied here. */
  barrier(): Promise<void>;
  /**
   * Stores a snapshot covering everything up to `index`, pulling `chunks` one at a time and
   * yielding in between; each need be valid only until the next is pulled. Visible only when whole
   * and verified; then older snapshots but one, and the entries no kept snapshot needs, are discarded.
   */
  writeSnapshot(index: number, chunks: Iterable<Uint8Array>): Promise<void>;
  /**
   * Two snapshots are kept, and the log reaches back to the older one. Where that is more than the entry of the newest, this
   * stores an entry that says nothing and resolves with its index: a snapshot there, of the same state, lets the rest go.
   * Resolves with undefined where nothing is to be gained or there is no snapshot. At most one is in flight; the owner only.
   * With `isSeparate` what is stored behind the entry shall not keep the engine from discarding what is before it.
   */
  markForSnapshot(isSeparate?: boolean): Promise<number | undefined>;
  usage(): LogUsage;
  /** Finishes what is in flight and releases everything. Later appends are refused as closed. */
  close(): Promise<void>;
}
