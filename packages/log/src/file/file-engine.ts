/**
 * A log engine on a folder of files: a sequence of segments with records (`record.ts`), a meta file
 * with the identity, an owner file, snapshots. Opening is in `claim-folder.ts` and `recover.ts`, the
 * writing of a record in `record-writer.ts`; this file keeps the state between them. The format is
 * described in `docs/decisions/0004-file-log-format.md`.
 *
 * After the first storage error the engine is closed for good: a failed sync is never retried,
 * because the kernel may have dropped the data and would report success (fault model F7). Lack of
 * space refuses the entry and nothing else (F6).
 */

import { join } from "node:path";
import { digestsWithinTurn } from "../digests.js";
import type { EngineBounds, EngineListener, EngineUsage, LogEngine, PutResult, SnapshotStore } from "../engine.js";
import { REFUSED, STORED, TAKEN } from "../engine.js";
import { FRAME_HEADER_BYTES } from "../entry-frame.js";
import { type LogEnvironment, realEnvironment } from "../environment.js";
import { asError, LogClosedError, LogFolderLockedError } from "../errors.js";
import { checkedLimits, type LogLimits } from "../limits.js";
import { type ClaimedFolder, claimFolder } from "./claim-folder.js";
import type { Disk, DiskFile } from "./disk.js";
import { segmentName, unfinished } from "./file-names.js";
import { NamingDisk } from "./naming-disk.js";
import { readEntries } from "./read-entries.js";
import { RECORD_HEADER_BYTES, recordBytes, SEGMENT_HEADER_BYTES, sealRecord } from "./record.js";
import { RecordWriter, type WriteOutcome } from "./record-writer.js";
import { recover } from "./recover.js";
import type { RecoveryReport } from "./recovery-report.js";
import { removeInSlices } from "./remove-in-slices.js";
import { Segment } from "./segment.js";
import { segmentBytesAfter, writeSegmentHeader } from "./segment-file.js";
import type { SnapshotFiles } from "./snapshot-files.js";
import { type Spare, SpareSegment } from "./spare-segment.js";

export interface FileEngineOptions {
  readonly folder: string;
  /** Closed together with the engine. */
  readonly disk: Disk;
  readonly limits?: Partial<LogLimits>;
  readonly environment?: LogEnvironment;
  /** True refuses a folder without a log instead of creating one there. */
  readonly mustExist?: boolean;
  /** Told, once the log is open, if there was something to put right. */
  readonly onRecovery?: (report: RecoveryReport) => void;
}

/** What exists only while the log is open. */
interface OpenLog {
  readonly folder: ClaimedFolder;
  readonly snapshots: SnapshotFiles;
  segments: Segment[];
  last: Segment;
  lastFile: DiskFile;
}

export class FileEngine implements LogEngine {
  readonly exclusive = true;
  readonly entryBytesMax: number;
  readonly #options: FileEngineOptions;
  readonly #disk: Disk;
  readonly #limits: LogLimits;
  readonly #environment: LogEnvironment;
  readonly #writer: RecordWriter;
  readonly #spare: SpareSegment;
  #identity: Buffer = Buffer.alloc(0);
  #listener: EngineListener | undefined;
  #log: OpenLog | undefined;
  #failure: Error | undefined;
  #closed: Promise<void> | undefined;
  #cancelNote: (() => void) | undefined;
  /** Never rejects. */
  #noting: Promise<void> | undefined;

  /** The put in flight. Its record is built behind room for a segment header, in case it opens a segment. */
  #scratch: Buffer = Buffer.alloc(0);
  #entryBytes = 0;
  #index = 0;
  #reserveShare = 0;
  #checksum: number | undefined;
  #putDone: ((result: PutResult) => void) | undefined;
  /** The segment the put in flight opens, if it does not go into the last one. */
  #opening: Spare | undefined;
  /** The next put opens a segment, if there is one to open. */
  #isNextSeparate = false;
  #idle: (() => void) | undefined;

  constructor(options: FileEngineOptions) {
    this.#options = options;
    this.#disk = new NamingDisk(options.disk);
    this.#limits = checkedLimits(options.limits);
    this.#environment = options.environment ?? realEnvironment;
    this.entryBytesMax = this.#limits.entryBytesMax + FRAME_HEADER_BYTES;
    this.#writer = new RecordWriter(this.#environment, this.#limits.writeSliceBytes, (outcome, error) =>
      this.#written(outcome, error),
    );
    this.#spare = new SpareSegment(this.#disk, options.folder, this.#limits, (error) => this.#fail(error));
  }

  get identity(): string {
    return this.#identity.toString("hex");
  }

  get snapshots(): SnapshotStore {
    return this.#openLog().snapshots;
  }

  async open(listener: EngineListener): Promise<void> {
    this.#listener = listener;
    try {
      const folder = await claimFolder({
        disk: this.#disk,
        folder: this.#options.folder,
        limits: this.#limits,
        environment: this.#environment,
        mustExist: this.#options.mustExist ?? false,
      });
      this.#identity = folder.identity;
      await this.#recover(folder, listener);
    } catch (error) {
      await this.#disk.close();
      throw error;
    }
  }

  put(
    index: number,
    bytes: Uint8Array,
    done: (result: PutResult) => void,
    reserveShare = 0,
    checksum: number | undefined = undefined,
  ): void {
    if (this.#putDone !== undefined) throw new Error("put while another one is in flight");
    this.#putDone = done;
    const answer = this.#answerAtOnce(index, bytes.length);
    if (answer !== undefined) {
      this.#environment.defer(() => this.#answer(answer));
      return;
    }
    this.#index = index;
    this.#reserveShare = reserveShare;
    this.#checksum = checksum;
    this.#entryBytes = bytes.length;
    this.#scratch = this.#disk.appendMemory(this.#scratch, SEGMENT_HEADER_BYTES + recordBytes(bytes.length));
    this.#scratch.set(bytes, SEGMENT_HEADER_BYTES + RECORD_HEADER_BYTES);
    this.#startWriting();
  }

  separateNext(): void {
    this.#isNextSeparate = true;
  }

  async get(index: number): Promise<Uint8Array | undefined> {
    const log = this.#openLog();
    const { first, last } = this.bounds();
    if (index < first || index > last) return undefined;
    let found: Uint8Array | undefined;
    await readEntries(this.#source(log), index, index, (_index, entry) => {
      found = Uint8Array.from(entry);
    });
    return found;
  }

  async tail(from: number, visit: (index: number, bytes: Uint8Array) => void): Promise<void> {
    const log = this.#openLog();
    const { first, last } = this.bounds();
    if (from < first) throw new RangeError(`entry ${from} has been discarded`);
    await readEntries(this.#source(log), from, last, visit);
  }

  bounds(): EngineBounds {
    const { segments, last } = this.#openLog();
    return { first: segments[0]!.firstIndex, last: last.lastIndex };
  }

  async trim(keepFrom: number): Promise<void> {
    const log = this.#openLog();
    // One by one and each made durable, oldest first: a crash in between must not leave a gap.
    while (log.segments.length > 1 && log.segments[1]!.firstIndex <= keepFrom) {
      this.#assertStillOurs();
      const oldest = log.segments[0]!;
      log.segments = log.segments.slice(1);
      await this.#discard(oldest, segmentBytesAfter(log.last.bytes, this.#limits));
    }
  }

  usage(): EngineUsage {
    const { segments, last, lastFile, snapshots } = this.#openLog();
    const spareBytes = this.#spare.ready?.bytes ?? 0;
    const segmentBytes = segments.reduce((bytes, segment) => bytes + segment.bytes, spareBytes);
    const reserved = last.bytes - last.end + Math.max(0, spareBytes - SEGMENT_HEADER_BYTES);
    const bytesOnDisk = segmentBytes + this.#spare.recycledBytes + snapshots.bytesOnDisk;
    return { bytesOnDisk, bytesReserved: reserved, appendWay: lastFile.isDirect ? "direct" : "cached" };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #recover(folder: ClaimedFolder, listener: EngineListener): Promise<void> {
    try {
      const recovered = await recover(this.#disk, this.#options.folder, folder, this.#limits, listener);
      const { segments, lastFile, snapshots, spare, report } = recovered;
      snapshots.beforePublishing = () => this.#assertStillOurs();
      snapshots.digests = this.#environment.digests ?? digestsWithinTurn;
      this.#spare.assertOurs = () => this.#assertStillOurs();
      this.#log = { folder, snapshots, segments: [...segments], last: segments.at(-1)!, lastFile };
      if (spare !== undefined) this.#spare.adopt(spare);
      this.#prepareSpare(this.#log);
      if (report !== undefined) this.#options.onRecovery?.(report);
    } catch (error) {
      await Promise.allSettled([folder.owner.close(), folder.unlock()]);
      throw error;
    }
  }

  async #discard(segment: Segment, wantedBytes: number): Promise<void> {
    const { folder } = this.#options;
    segment.discarded = true;
    if (!this.#spare.wants(segment.bytes, wantedBytes)) {
      await removeInSlices(this.#disk, "segment.remove", folder, segment.path, segment.bytes);
      return;
    }
    await this.#disk.rename("segment.recycle", segment.path, unfinished(segment.path));
    await this.#disk.syncFolder("folder.sync", folder);
    this.#spare.recycle(unfinished(segment.path), segment.bytes);
  }

  #answerAtOnce(index: number, entryBytes: number): PutResult | undefined {
    if (this.#log === undefined || this.#failure !== undefined || this.#closed !== undefined) return REFUSED.closed;
    if (entryBytes > this.entryBytesMax) return REFUSED["too-large"];
    const { lastIndex } = this.#log.last;
    if (index <= lastIndex) return TAKEN;
    return index > lastIndex + 1 ? REFUSED.gap : undefined;
  }

  #startWriting(): void {
    if (this.#isStillOurs()) this.#writeWhereRoomIs(this.#log!, recordBytes(this.#entryBytes));
    else this.#environment.defer(() => this.#answer(REFUSED.closed));
  }

  /**
   * Into the last segment, or into the spare, also where the entry shall be separate. The end of the last one is given to any
   * entry only once there is a spare behind it: what remains in the two is the reserve.
   */
  #writeWhereRoomIs(log: OpenLog, length: number): void {
    const { last, lastFile } = log;
    const spare = this.#spare.ready;
    const kept = spare !== undefined ? 0 : this.#limits.reservedBytes * (1 - this.#reserveShare);
    const isSeparate = this.#isNextSeparate && spare !== undefined && last.lastIndex >= last.firstIndex;
    if (!isSeparate && last.end + length <= last.bytes - kept) {
      this.#seal(last.sequence, last.end);
      this.#writer.write(lastFile, this.#scratch, SEGMENT_HEADER_BYTES, length, last.end);
    } else if (spare !== undefined) {
      this.#openNextSegment(spare, length);
    } else {
      this.#prepareSpare(log);
      this.#spare.whenReady((made) => {
        if (this.#failure !== undefined) this.#answer(REFUSED.closed);
        else if (made === undefined) this.#answer(REFUSED.full);
        else this.#writeWhereRoomIs(log, length);
      });
    }
  }

  /** The header of a new segment and its first record are written, and become durable, together. */
  #openNextSegment(spare: Spare, length: number): void {
    this.#opening = spare;
    writeSegmentHeader(this.#scratch, this.#identity, spare.sequence, this.#index, spare.bytes);
    this.#seal(spare.sequence, SEGMENT_HEADER_BYTES);
    this.#writer.write(spare.file, this.#scratch, 0, SEGMENT_HEADER_BYTES + length, 0);
  }

  /** Completes the record in `#scratch` for its place. Everything before it is durable. */
  #seal(sequence: number, offset: number): void {
    const durable = this.#index - 1;
    sealRecord(
      this.#scratch,
      SEGMENT_HEADER_BYTES,
      this.#entryBytes,
      this.#index,
      durable,
      sequence,
      offset,
      this.#identity,
      this.#checksum,
    );
  }

  #written(outcome: WriteOutcome, error: Error | undefined): void {
    const opened = this.#opening;
    this.#opening = undefined;
    if (outcome === "failed") this.#fail(error!);
    // Checked once more: what was durable before another opener left its mark, that opener has seen.
    if (outcome === "full") this.#answer(REFUSED.full);
    else if (!this.#isStillOurs()) this.#answer({ fate: "ambiguous", cause: this.#failure! });
    else this.#stored(this.#log!, opened);
  }

  #stored(log: OpenLog, opened: Spare | undefined): void {
    this.#isNextSeparate = false;
    if (opened !== undefined) {
      const full = log.lastFile;
      const path = join(this.#options.folder, segmentName(opened.sequence));
      log.last = new Segment(path, opened.sequence, opened.bytes, this.#index);
      log.lastFile = opened.file;
      log.segments = [...log.segments, log.last];
      this.#spare.take();
      this.#prepareSpare(log);
      full.close("handle.close").catch((error: unknown) => this.#fail(asError(error)));
    }
    log.last.add(recordBytes(this.#entryBytes));
    this.#noteLater(log);
    this.#answer(STORED);
  }

  #answer(result: PutResult): void {
    const done = this.#putDone!;
    this.#putDone = undefined;
    done(result);
    this.#idle?.();
  }

  #noteLater(log: OpenLog): void {
    this.#cancelNote ??= this.#environment.after(this.#limits.durableNoteIntervalMs, () => this.#noteDurable(log));
  }

  /** While the one before is still being written, the next has time. */
  #noteDurable(log: OpenLog): void {
    this.#cancelNote = undefined;
    if (this.#noting !== undefined) this.#noteLater(log);
    else if (this.#isStillOurs()) this.#noting = this.#note(log);
  }

  async #note(log: OpenLog): Promise<void> {
    try {
      await log.folder.owner.note(log.last.lastIndex);
    } catch (error) {
      this.#fail(asError(error));
    }
    this.#noting = undefined;
  }

  #prepareSpare(log: OpenLog): void {
    // Of the segment that has been filled, where there is one: the last one may hold nothing but the start of an epoch.
    const { recordBytes } = log.segments.at(-2) ?? log.last;
    this.#spare.prepare(log.last.sequence + 1, segmentBytesAfter(log.last.bytes, this.#limits), recordBytes);
  }

  /** False if the engine has failed, or finds now that another process has opened the folder. */
  #isStillOurs(): boolean {
    if (this.#failure !== undefined) return false;
    try {
      if (this.#log!.folder.owner.isStillOurs()) return true;
      this.#fail(new LogFolderLockedError(this.#options.folder, "another process has taken it over"));
    } catch (error) {
      this.#fail(asError(error));
    }
    return false;
  }

  /** For what would change the folder otherwise than by a put. @throws what the engine has failed with. */
  #assertStillOurs(): void {
    if (!this.#isStillOurs()) throw this.#failure;
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#cancelNote?.();
    this.#spare.abandon();
    this.#listener!.failed(error);
  }

  async #close(): Promise<void> {
    const log = this.#log;
    if (log === undefined) return;
    if (this.#putDone !== undefined) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#cancelNote?.();
    // The last note is written from the same bytes as this one, and to the same place.
    await this.#noting;
    try {
      await this.#spare.stop();
      if (this.#isStillOurs()) await log.folder.owner.noteClosed(log.last.lastIndex);
    } finally {
      await Promise.allSettled([log.lastFile.close("handle.close"), log.folder.owner.close()]);
      await log.folder.unlock();
      await this.#disk.close();
    }
  }

  #source(log: OpenLog) {
    const { segments } = log;
    return { disk: this.#disk, identity: this.#identity, sliceBytes: this.#limits.readSliceBytes, segments };
  }

  #openLog(): OpenLog {
    if (this.#log === undefined || this.#closed !== undefined) throw new LogClosedError();
    return this.#log;
  }
}
