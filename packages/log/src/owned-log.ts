/**
 * The log over any engine: frames entries, keeps the digest chain, owns the log for one epoch after
 * another, and turns what an engine answers into a decided fate. It knows nothing of files or
 * networks; `proposer.ts` resolves doubt, `chain.ts` checks what is read, engines remember.
 *
 * One thing at a time is in flight: an append, the start of an epoch, a no-op that proves ownership
 * for the barriers that wait (needed only where somebody else could have taken over), or one that only
 * makes a place for a snapshot.
 */

import { Barriers } from "./barriers.js";
import { grown } from "./bytes.js";
import { Chain } from "./chain.js";
import { type Digests, digestsWithinTurn } from "./digests.js";
import type { EngineListener, LogEngine, PutRefusal } from "./engine.js";
import {
  BOOT_ID_BYTES,
  checksumOfSealed,
  DIGEST_BYTES,
  digestOf,
  FRAME_HEADER_BYTES,
  FRAME_KIND,
  type FrameKind,
  readFrame,
  sealFrame,
} from "./entry-frame.js";
import { type LogEnvironment, realEnvironment } from "./environment.js";
import {
  LogClosedError,
  LogDamagedError,
  LogDivergedError,
  LogFullError,
  LogNotOwnerError,
  LogStorageError,
} from "./errors.js";
import { checkedLimits, type LogLimits, SNAPSHOTS_KEPT } from "./limits.js";
import type { AppendRefusal, AppendResult, Log, LogEntry, LogReader, LogSnapshot, LogUsage } from "./log.js";
import { type Fate, Proposer } from "./proposer.js";
import { readWhileOpening } from "./read-while-opening.js";
import { openSnapshot, snapshotChunks } from "./snapshot-head.js";

export interface LogOptions {
  readonly limits?: Partial<LogLimits>;
  readonly environment?: LogEnvironment;
  /** Gets the newest snapshot and the payloads behind it while the log is opened. Else `snapshot` and `replay` read them again. */
  readonly reader?: LogReader;
  /**
   * Called once when the log has closed itself for good: a storage failure, damage found while
   * running, two histories. An append in flight is answered as unknown right after; later ones are
   * refused as closed. The owner should stop serving.
   */
  readonly onFailure?: (error: Error) => void;
}

/**
 * Opens `engine` and checks everything it holds.
 * @throws whatever typed error the engine refuses with, and LogDamagedError if entries and snapshot do not fit together.
 */
export async function openLog(engine: LogEngine, options: LogOptions = {}): Promise<Log> {
  const log = new OwnedLog(engine, options);
  await log.open(options.reader);
  return log;
}

/** `following`: may read. `owning`: may append. `failed` and `closed` are final. */
type Role = "following" | "owning" | "closing" | "failed" | "closed";
type Flight = "none" | "append" | "own" | "no-op" | "mark";

/** Somebody waits for an entry that says nothing. */
interface Mark {
  readonly isSeparate: boolean;
  readonly resolve: (index: number) => void;
  readonly reject: (error: Error) => void;
}

const REFUSED: { readonly [why in AppendRefusal]: AppendResult } = {
  closed: { fate: "refused", why: "closed" },
  full: { fate: "refused", why: "full" },
  "too-large": { fate: "refused", why: "too-large" },
  "not-owner": { fate: "refused", why: "not-owner" },
};
const NOTHING_STAGED = -1;
/** From here on a checksum of the frame is cheaper made of the one within it. */
const JOINED_BYTES_MIN = 16 * 1024;
/** From here on the digest of a frame is taken where those of long data are. */
const LONG_BYTES_MIN = 128 * 1024;

class OwnedLog implements Log {
  readonly #engine: LogEngine;
  readonly #environment: LogEnvironment;
  readonly #digests: Digests;
  readonly #onFailure: ((error: Error) => void) | undefined;
  readonly #limits: LogLimits;
  readonly #proposer: Proposer;
  readonly #barriers = new Barriers();
  readonly #chain = new Chain();
  readonly #bootId = Buffer.alloc(BOOT_ID_BYTES);
  #counter = 0;
  #role: Role = "following";
  #epoch = 0;
  #failure: Error | undefined;
  #snapshot: LogSnapshot | undefined;
  #snapshotWrite: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  #flight: Flight = "none";
  #flightDigest: Uint8Array = Buffer.alloc(DIGEST_BYTES);
  #flightEpoch = 0;
  #isDigesting = false;
  /** What became of the flight, while its digest is still being taken. */
  #fateKept: Fate | undefined;
  /** The owner's append: set from the call until its `done`. */
  #done: ((result: AppendResult) => void) | undefined;
  /** Bytes of a payload that waits in `#frame` for a no-op to land, or NOTHING_STAGED. */
  #staged = NOTHING_STAGED;
  #stagedReserveShare = 0;
  #frame: Buffer = Buffer.allocUnsafeSlow(64 * 1024);
  readonly #emptyFrame = Buffer.alloc(FRAME_HEADER_BYTES);
  #ownSettled: ((fate: Fate) => void) | undefined;
  #mark: Mark | undefined;
  readonly #idleWaiters: (() => void)[] = [];

  constructor(engine: LogEngine, options: LogOptions) {
    this.#engine = engine;
    this.#environment = options.environment ?? realEnvironment;
    this.#digests = this.#environment.digests ?? digestsWithinTurn;
    this.#limits = checkedLimits(options.limits);
    this.#onFailure = options.onFailure;
    this.#environment.fillRandom(this.#bootId);
    this.#proposer = new Proposer(engine, this.#environment, this.#limits, (fate) => this.#settled(fate));
  }

  get identity(): string {
    return this.#engine.identity;
  }

  get payloadBytesMax(): number {
    return Math.min(this.#limits.entryBytesMax, this.#engine.entryBytesMax - FRAME_HEADER_BYTES);
  }

  get lastIndex(): number {
    return this.#chain.lastIndex;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get snapshot(): LogSnapshot | undefined {
    return this.#snapshot;
  }

  usage(): LogUsage {
    const usage = this.#engine.usage();
    const { first } = this.#engine.bounds();
    return { firstIndex: first, lastIndex: this.lastIndex, ...usage };
  }

  async open(reader: LogReader | undefined): Promise<void> {
    const listener: EngineListener = {
      verify: (index, bytes) => this.#chain.check(this.#engine.identity, index, bytes),
      failed: (error) => this.#fail(error),
    };
    await this.#engine.open(reader === undefined ? listener : readWhileOpening(listener, this.#chain, reader));
    try {
      this.#snapshot = await openSnapshot(this.#engine, this.#chain);
      if (this.#engine.bounds().last === 0 && !this.#chain.linked) this.#chain.beginEmpty(this.identity);
      if (!this.#chain.linked) {
        throw new LogDivergedError(this.#engine.bounds().last, "no entry and no snapshot to continue from");
      }
    } catch (error) {
      await this.#engine.close();
      throw error;
    }
  }

  async replay(afterIndex: number, visit: (entry: LogEntry) => void): Promise<void> {
    this.#assertUsable();
    const last = this.#chain.lastIndex;
    await this.#watched(
      this.#engine.tail(afterIndex + 1, (index, bytes) => {
        if (index > last) return;
        const frame = readFrame(bytes);
        if (typeof frame === "string") throw new LogDamagedError(`entry ${index}`, 0, frame);
        if (frame.kind !== FRAME_KIND.batch || this.#chain.isOvertaken(index)) return;
        visit({ index, epoch: frame.epoch, payload: frame.payload });
      }),
    );
  }

  async acquire(): Promise<number> {
    this.#assertUsable();
    if (this.#done !== undefined || this.#ownSettled !== undefined) {
      throw new Error("acquire while an append or another acquire is in flight");
    }
    this.#role = "following";
    await this.#whenIdle();
    for (;;) {
      await this.#catchUp();
      const fate = await this.#proposeOwn();
      if (fate.fate === "stored") break;
      if (fate.fate === "unknown") throw fate.cause;
      if (fate.fate === "refused") throw fate.why === "full" ? new LogFullError("a new epoch") : this.#closedError();
    }
    this.#assertUsable();
    this.#role = "owning";
    this.#epoch = this.#chain.epoch;
    return this.#epoch;
  }

  append(payload: Uint8Array, done: (result: AppendResult) => void, reserveShare = 0): void {
    if (this.#done !== undefined) throw new Error("append while another one is in flight");
    this.#done = done;
    const refusal = this.#refusalOf(payload.length);
    if (refusal !== undefined) {
      this.#environment.defer(() => this.#answer(refusal));
      return;
    }
    const frameBytes = FRAME_HEADER_BYTES + payload.length;
    this.#frame = grown(this.#frame, frameBytes, frameBytes < LONG_BYTES_MIN ? undefined : this.#digests.allocate);
    this.#frame.set(payload, FRAME_HEADER_BYTES);
    this.#staged = payload.length;
    this.#stagedReserveShare = reserveShare;
    if (this.#flight === "none") this.#launchStaged();
  }

  async barrier(): Promise<void> {
    this.#assertUsable();
    if (this.#engine.exclusive) return;
    if (this.#role !== "owning") throw new LogNotOwnerError();
    const passed = this.#barriers.wait();
    if (this.#flight === "none") this.#launchNext();
    await passed;
  }

  writeSnapshot(index: number, chunks: Iterable<Uint8Array>): Promise<void> {
    if (this.#snapshotWrite !== undefined)
      return Promise.reject(new Error("writeSnapshot while another one is being written"));
    this.#snapshotWrite = this.#watched(this.#writeSnapshot(index, chunks)).finally(() => {
      this.#snapshotWrite = undefined;
    });
    return this.#snapshotWrite;
  }

  async markForSnapshot(isSeparate = false): Promise<number | undefined> {
    this.#assertUsable();
    if (this.#role !== "owning") throw new LogNotOwnerError();
    if (this.#mark !== undefined) throw new Error("markForSnapshot while another one is in flight");
    const [newest, older = 0] = this.#engine.snapshots.list();
    if (newest === undefined || newest - older <= 1) return undefined;
    const marked = new Promise<number>((resolve, reject) => (this.#mark = { isSeparate, resolve, reject }));
    if (this.#flight === "none") this.#launchNext();
    return await marked;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #writeSnapshot(index: number, chunks: Iterable<Uint8Array>): Promise<void> {
    this.#assertUsable();
    const { snapshots } = this.#engine;
    const newest = snapshots.list()[0] ?? 0;
    if (index < 1 || index < newest || index > this.lastIndex)
      throw new RangeError(`no snapshot can be written for index ${index}`);
    if (index === newest) return;
    const entry = await this.#engine.get(index);
    if (entry === undefined) throw new LogDivergedError(index, "an entry that was stored cannot be read");
    const head = { epoch: this.#chain.epochAt(index), digest: digestOf(entry) };
    await snapshots.write(index, snapshotChunks(head, chunks, this.#limits.snapshotChunkBytesMax));
    await snapshots.prune(SNAPSHOTS_KEPT);
    // With a single snapshot the whole log stays: it is what remains if that one turns out to be damaged.
    const oldest = snapshots.list()[SNAPSHOTS_KEPT - 1];
    if (oldest !== undefined) await this.#engine.trim(oldest + 1);
  }

  async #close(): Promise<void> {
    if (this.#role !== "failed") this.#role = "closing";
    this.#proposer.giveUp(this.#closedError());
    this.#dropWaiting();
    await this.#whenIdle();
    await this.#snapshotWrite?.catch(() => undefined);
    await this.#engine.close();
    this.#role = "closed";
  }

  #refusalOf(payloadBytes: number): AppendResult | undefined {
    if (this.#role === "following") return REFUSED["not-owner"];
    if (this.#role !== "owning") return REFUSED.closed;
    return payloadBytes > this.payloadBytesMax ? REFUSED["too-large"] : undefined;
  }

  #launchStaged(): void {
    const payloadBytes = this.#staged;
    this.#staged = NOTHING_STAGED;
    this.#launch("append", FRAME_KIND.batch, this.#frame, payloadBytes, this.#epoch);
  }

  #launch(flight: Flight, kind: FrameKind, frame: Buffer, payloadBytes: number, epoch: number): void {
    this.#flight = flight;
    this.#flightEpoch = flight === "own" ? epoch : 0;
    this.#counter += 1;
    const index = this.#chain.lastIndex + 1;
    sealFrame(frame, payloadBytes, kind, epoch, index, this.#bootId, this.#counter, this.#chain.digest);
    const bytes = frame.subarray(0, FRAME_HEADER_BYTES + payloadBytes);
    this.#barriers.board();
    // The log's own entries are small, and without them it could neither be opened nor read on a full disk.
    const checksum = payloadBytes < JOINED_BYTES_MIN ? undefined : checksumOfSealed(bytes);
    this.#proposer.propose(index, bytes, flight === "append" ? this.#stagedReserveShare : 1, checksum);
    // After the put has started, so that hashing overlaps with the storing.
    if (bytes.length < LONG_BYTES_MIN) this.#flightDigest = digestOf(bytes);
    else this.#digestLong(bytes);
  }

  #digestLong(bytes: Buffer): void {
    this.#isDigesting = true;
    this.#digests.digestThen(bytes, (digest) => {
      this.#isDigesting = false;
      this.#flightDigest = digest.subarray(0, DIGEST_BYTES);
      const fate = this.#fateKept;
      this.#fateKept = undefined;
      if (fate !== undefined) this.#settled(fate);
    });
  }

  /** What waited while something was in flight: an append or a mark first, since these serve the barriers as well. */
  #launchNext(): void {
    if (this.#flight !== "none") return;
    if (this.#role !== "owning") {
      this.#dropWaiting();
    } else if (this.#mark !== undefined) {
      // Before an append, or a busy owner would never get to it.
      if (this.#mark.isSeparate) this.#engine.separateNext();
      this.#launch("mark", FRAME_KIND.noop, this.#emptyFrame, 0, this.#epoch);
    } else if (this.#staged !== NOTHING_STAGED) {
      this.#launchStaged();
    } else if (this.#barriers.waiting) {
      this.#launch("no-op", FRAME_KIND.noop, this.#emptyFrame, 0, this.#epoch);
    }
  }

  #settled(fate: Fate): void {
    if (this.#isDigesting) {
      this.#fateKept = fate;
      return;
    }
    const flight = this.#flight;
    const index = this.#chain.lastIndex + 1;
    this.#flight = "none";
    if (fate.fate === "stored") this.#chain.advance(index, this.#flightEpoch, this.#flightDigest);
    if (fate.fate === "overtaken" && this.#role === "owning") this.#role = "following";
    if (fate.fate === "refused" && fate.why === "gap")
      this.#fail(new LogDivergedError(index, "earlier entries are gone"));
    this.#barriers.land(fate.fate === "stored" ? undefined : this.#errorOf(fate));
    if (flight === "own") this.#ownSettled?.(fate);
    if (flight === "append") this.#answer(this.#resultOf(fate, index));
    if (flight === "mark") this.#landMark(fate, index);
    this.#launchNext();
    if (this.#flight === "none") for (const resolve of this.#idleWaiters.splice(0)) resolve();
  }

  /** Resolves once nothing is in flight. */
  async #whenIdle(): Promise<void> {
    if (this.#flight !== "none") await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
  }

  #resultOf(fate: Fate, index: number): AppendResult {
    switch (fate.fate) {
      case "stored":
        // A log that has failed reports no success any more, not even one that came first.
        return this.#failure === undefined ? { fate: "stored", index } : { fate: "unknown", cause: this.#failure };
      case "overtaken":
        return REFUSED["not-owner"];
      case "refused":
        return REFUSED[refusalFor(fate.why)];
      case "unknown":
        return { fate: "unknown", cause: fate.cause };
    }
  }

  #landMark(fate: Fate, index: number): void {
    const mark = this.#mark;
    this.#mark = undefined;
    if (fate.fate === "stored") mark?.resolve(index);
    else mark?.reject(this.#errorOf(fate));
  }

  #errorOf(fate: Exclude<Fate, { fate: "stored" }>): Error {
    if (fate.fate === "overtaken") return new LogNotOwnerError();
    if (fate.fate === "unknown") return fate.cause;
    return fate.why === "full" ? new LogFullError("an entry of the log's own") : this.#closedError();
  }

  #answer(result: AppendResult): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(result);
  }

  async #catchUp(): Promise<void> {
    if (this.#engine.exclusive) return;
    const read = this.#engine.tail(this.#chain.lastIndex + 1, (index, bytes) => {
      const reason = this.#chain.check(this.identity, index, bytes);
      if (reason !== undefined) throw new LogDivergedError(index, reason);
    });
    await this.#watched(read);
  }

  async #proposeOwn(): Promise<Fate> {
    this.#assertUsable();
    const settled = new Promise<Fate>((resolve) => (this.#ownSettled = resolve));
    this.#launch("own", FRAME_KIND.own, this.#emptyFrame, 0, this.#chain.epoch + 1);
    const fate = await settled;
    this.#ownSettled = undefined;
    return fate;
  }

  /** Passes a reading on; what it finds wrong with the storage ends this log. */
  async #watched<T>(reading: Promise<T>): Promise<T> {
    try {
      return await reading;
    } catch (error) {
      if (isFatal(error)) this.#fail(error);
      throw error;
    }
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined || this.#role === "closed") return;
    this.#failure = error;
    this.#role = "failed";
    this.#proposer.giveUp(error);
    this.#dropWaiting();
    this.#onFailure?.(error);
  }

  /** Answers what has not been launched: it certainly had no effect. */
  #dropWaiting(): void {
    const error = this.#role === "following" ? new LogNotOwnerError() : this.#closedError();
    this.#barriers.drop(error);
    if (this.#flight !== "mark") {
      this.#mark?.reject(error);
      this.#mark = undefined;
    }
    if (this.#staged === NOTHING_STAGED) return;
    const refusal = this.#role === "following" ? REFUSED["not-owner"] : REFUSED.closed;
    this.#staged = NOTHING_STAGED;
    this.#environment.defer(() => this.#answer(refusal));
  }

  #assertUsable(): void {
    if (this.#role === "following" || this.#role === "owning") return;
    throw this.#closedError();
  }

  #closedError(): LogClosedError {
    return this.#failure === undefined ? new LogClosedError() : new LogClosedError({ cause: this.#failure });
  }
}

/** A gap has ended the log, so for the caller it is closed. */
function refusalFor(why: PutRefusal): AppendRefusal {
  return why === "gap" ? "closed" : why;
}

/** Whether what a reading found leaves no hope for this log. */
function isFatal(error: unknown): error is Error {
  if (error instanceof LogStorageError) return !error.passing;
  return error instanceof LogDamagedError || error instanceof LogDivergedError;
}
