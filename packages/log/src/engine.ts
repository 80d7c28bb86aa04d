/**
 * What a log needs from whatever remembers it: a file, memory, a database, a message broker. An
 * engine is dumb on purpose. It does not retry, does not know who owns the log, and does not look
 * inside an entry. Ownership, retries and the digest chain are written once, in `owned-log.ts`.
 *
 * The promises are numbered in `testing/engine-contract.ts`; every engine runs that suite.
 */

import type { AppendWay } from "./log.js";

export type PutRefusal =
  /** The engine was closed, by its owner or by an earlier failure. */
  | "closed"
  /** No space. The engine stays usable and may accept a later put. */
  | "full"
  /** Longer than `entryBytesMax`. */
  | "too-large"
  /** The entry before this one does not exist: the caller knows more than the engine holds. */
  | "gap";

export type PutResult =
  /** Durable under the engine's full settings. */
  | { readonly fate: "stored" }
  /** There is an entry at this index already. It may be the caller's own, from an earlier ambiguous put. */
  | { readonly fate: "taken" }
  /** This put had no effect and never will have one. */
  | { readonly fate: "refused"; readonly why: PutRefusal }
  /** It may have had an effect, or may still have one later. */
  | { readonly fate: "ambiguous"; readonly cause: Error };

/** Shared by all engines, because a hot path should not allocate to say yes. */
export const STORED: PutResult = { fate: "stored" };
export const TAKEN: PutResult = { fate: "taken" };
export const REFUSED: { readonly [why in PutRefusal]: PutResult } = {
  closed: { fate: "refused", why: "closed" },
  full: { fate: "refused", why: "full" },
  "too-large": { fate: "refused", why: "too-large" },
  gap: { fate: "refused", why: "gap" },
};

/** Takes a snapshot while the engine makes sure that it is whole. What it throws ends the opening and is passed on. */
export interface SnapshotReader {
  /** What was handed over before is void. What follows are the chunks of the snapshot of `index`; none if that is 0. */
  begin(index: number): void;
  /** The next chunk, valid only during the call. */
  chunk(bytes: Uint8Array): void;
}

/** What the engine tells the log above it. */
export interface EngineListener {
  /**
   * Called during `open` for each entry held, in order. A returned text is the reason why this
   * entry cannot be right; the engine then refuses to open with a `LogDamagedError` that names the
   * place, and leaves everything as it was. `bytes` are valid only during the call.
   */
  verify(index: number, bytes: Uint8Array): string | undefined;
  /** Gets the newest snapshot that is whole during `open`, before any entry is verified, so that it is read only once. */
  readonly snapshot?: SnapshotReader;
  /** The engine has failed for good: called at most once, also when no put is in flight. */
  failed(error: Error): void;
}

/** The indexes held: `first` to `last`, or `last === first - 1` if there are none. */
export interface EngineBounds {
  readonly first: number;
  readonly last: number;
}

export interface EngineUsage {
  readonly bytesOnDisk: number;
  /** Bytes that can still be stored even if the disk gives no more; 0 if the engine cannot tell. */
  readonly bytesReserved: number;
  readonly appendWay: AppendWay;
}

/** Snapshots of one log, at most one for an index. */
export interface SnapshotStore {
  /** Indexes of the snapshots that are whole, newest first. The first one has been verified. */
  list(): readonly number[];
  /** What to call a snapshot in an error message: a file, a row. */
  nameOf(index: number): string;
  /**
   * Stores a snapshot, pulling `chunks` one at a time and yielding in between; each need be valid only until the next is
   * pulled. Visible only when whole, durable and read back; if it rejects, nothing is visible. At most one at a time.
   * @throws LogFullError if there is no space; whatever `chunks` throws.
   */
  write(index: number, chunks: Iterable<Uint8Array>): Promise<void>;
  /** The chunks as written. @throws LogDamagedError where they are not what was written. */
  read(index: number): AsyncIterable<Uint8Array>;
  /** Discards all but the newest `keep` snapshots. */
  prune(keep: number): Promise<void>;
}

export interface LogEngine {
  /** 16 random bytes as 32 hex digits, fixed when the log was created. Known once open. */
  readonly identity: string;
  /** True if nobody else can put while this engine is open: then what is known here is all there is. */
  readonly exclusive: boolean;
  /** Longest entry that `put` takes. */
  readonly entryBytesMax: number;
  readonly snapshots: SnapshotStore;
  /**
   * Checks version, settings and every entry held, then makes what it serves durable. Must be
   * awaited before any other call.
   * @throws a typed error of `errors.ts` that says in one line why the log cannot be served.
   */
  open(listener: EngineListener): Promise<void>;
  /**
   * Stores `bytes` at `index` if the entry before it exists and none is there. At most one put is in
   * flight; another one before `done` is a programming error and throws. `done` is called exactly
   * once and never from within `put`. `bytes` must not change until then; the engine keeps no
   * reference to them afterwards.
   *
   * An engine that keeps room for the time when there is no more (`LogLimits.reservedBytes`) lets an entry use up
   * `reserveShare` of it, from 0 to 1, and refuses it as full where less would be left of it than the rest. Default 0.
   *
   * `checksum` is the CRC-32 of `bytes` for an engine that needs one, where the caller has it already.
   */
  put(
    index: number,
    bytes: Uint8Array,
    done: (result: PutResult) => void,
    reserveShare?: number,
    checksum?: number,
  ): void;
  /**
   * The next put shall lie where everything before it can be discarded: a hint to an engine that discards many entries at a
   * time or none.
   */
  separateNext(): void;
  /**
   * The entry at `index` if it is durable under the engine's full settings, in a buffer of the
   * caller's own. An engine that cannot tell seen from durable must make sure before it answers.
   */
  get(index: number): Promise<Uint8Array | undefined>;
  /**
   * Hands the entries from `from` up to the newest known at the call to `visit`, in order, yielding
   * to the event loop between slices. `bytes` are valid only during the call. What `visit` throws
   * ends the reading and is passed on. @throws RangeError if `from` has been discarded.
   */
  tail(from: number, visit: (index: number, bytes: Uint8Array) => void): Promise<void>;
  /** Exact for an exclusive engine, else what was last heard. */
  bounds(): EngineBounds;
  /** Allows everything before `keepFrom` to be discarded. The caller has a durable snapshot of it. */
  trim(keepFrom: number): Promise<void>;
  usage(): EngineUsage;
  /** Settles the put in flight and releases everything. Later puts are refused as closed. */
  close(): Promise<void>;
}
