/**
 * A small file beside the segments with two jobs, and a part of it for each.
 *
 * Its header names the opener. Whoever opens the folder writes a random mark; a log that no longer finds its
 * own mark has been taken over and stops. This catches what the folder lock cannot see: two
 * containers with a shared folder have no common socket names. Nobody writes the header but when opening: an owner
 * may stand still at any place and be overtaken there (fault model F9), and what it still writes when it goes on must
 * leave its successor's mark alone.
 *
 * The note behind it, of the same form, tells the durable index. The last record of a log proves that the records before
 * it were durable, but nothing behind it proves the same of itself: damage to it looks like a torn tail. The
 * note closes that gap (fault model F3, known limit): it is written now and then without a sync, and
 * with one when the log is closed, so after an orderly end nothing can be cut unnoticed. It carries its writer's mark and
 * counts only under a header with the same one; else, as where it is damaged, what counts is what its opener found noted
 * and put into the header. So a late note of an overtaken owner hides its successor's until that writes its next, and never
 * claims anything. All of this is only ever an additional proof; without it the segments speak for themselves.
 */

import { join } from "node:path";
import type { LogEnvironment } from "../environment.js";
import { type Disk, type DiskFile, isOutOfSpace, readAll, writeAll } from "./disk.js";
import {
  FILE_HEADER_BYTES,
  type FileHeader,
  MARK_AT,
  MARK_BYTES,
  readFileHeader,
  writeFileHeader,
} from "./file-header.js";
import { OWNER_NAME } from "./file-names.js";

const NOTE_AT = FILE_HEADER_BYTES;
const OWNER_BYTES = NOTE_AT + FILE_HEADER_BYTES;
const CLOSED_IN_ORDER = 1;

export class OwnerFile {
  readonly #file: DiskFile;
  readonly #identity: Buffer;
  readonly #mark = Buffer.alloc(MARK_BYTES);
  /** What is being written; not to be changed before that is done. */
  readonly #note = Buffer.alloc(FILE_HEADER_BYTES);
  readonly #markFound = Buffer.alloc(MARK_BYTES);
  #durableIndex = 0;
  #closedInOrder = false;

  private constructor(file: DiskFile, identity: Buffer, environment: LogEnvironment) {
    this.#file = file;
    this.#identity = identity;
    environment.fillRandom(this.#mark);
  }

  /** Opens or creates the file, reads what it claims, and puts a new mark into it. */
  static async open(
    disk: Disk,
    folder: string,
    exists: boolean,
    identity: Buffer,
    environment: LogEnvironment,
  ): Promise<OwnerFile> {
    const file = await disk.open("owner.open", join(folder, OWNER_NAME), exists ? "update" : "create");
    const owner = new OwnerFile(file, identity, environment);
    try {
      if (exists) await owner.#readClaim();
      await owner.#begin(disk, folder, exists);
      return owner;
    } catch (error) {
      await file.close("handle.close");
      throw error;
    }
  }

  /** The highest index that is known to have been durable. */
  get durableIndex(): number {
    return this.#durableIndex;
  }

  /** Whether the last opener closed the log, and nothing was stored since. */
  get closedInOrder(): boolean {
    return this.#closedInOrder;
  }

  /** Whether nobody else has opened the folder since. A few microseconds. */
  isStillOurs(): boolean {
    const count = this.#file.readNow("owner.check", this.#markFound, MARK_BYTES, MARK_AT);
    return count === MARK_BYTES && this.#markFound.equals(this.#mark);
  }

  /**
   * Notes that everything up to `index` is durable, in the page cache only. Not within the turn: the file system makes a
   * writer wait while it commits its journal. One at a time, and not beside `noteClosed`.
   */
  async note(index: number): Promise<void> {
    if (index <= this.#durableIndex) return;
    this.#durableIndex = index;
    this.#seal(false);
    try {
      await writeAll(this.#file, "owner.write", this.#note, NOTE_AT);
    } catch (error) {
      // A note that finds no room is lost, and was only an additional proof.
      if (!isOutOfSpace(error)) throw error;
    }
  }

  /** Notes, durably, that the log is being closed and ends at `index`. */
  async noteClosed(index: number): Promise<void> {
    this.#durableIndex = index;
    this.#seal(true);
    await writeAll(this.#file, "owner.write", this.#note, NOTE_AT);
    await this.#file.sync("owner.sync");
  }

  close(): Promise<void> {
    return this.#file.close("handle.close");
  }

  /** Of a file from before there were notes, only the header is there, and tells what a note does now. */
  async #readClaim(): Promise<void> {
    const bytes = Buffer.alloc(OWNER_BYTES);
    const count = await readAll(this.#file, "owner.read", bytes, 0);
    const header = this.#readPart(bytes.subarray(0, count));
    if (header === undefined) return;
    const note = this.#readPart(bytes.subarray(NOTE_AT, count));
    const claim = note?.mark.equals(header.mark) ? note : header;
    this.#durableIndex = claim.first;
    this.#closedInOrder = claim.second === CLOSED_IN_ORDER;
  }

  #readPart(bytes: Buffer): FileHeader | undefined {
    const part = readFileHeader(bytes, "HFLOGOWN", this.#file.path);
    return typeof part === "string" || !part.identity.equals(this.#identity) ? undefined : part;
  }

  /** The whole file, so that no note needs room of its own. */
  async #begin(disk: Disk, folder: string, exists: boolean): Promise<void> {
    const bytes = Buffer.alloc(OWNER_BYTES);
    writeFileHeader(bytes, "HFLOGOWN", this.#identity, this.#durableIndex, 0, 0, this.#mark);
    await writeAll(this.#file, "owner.write", bytes, 0);
    if (exists) return;
    await this.#file.sync("owner.sync");
    await disk.syncFolder("folder.sync", folder);
  }

  #seal(closed: boolean): void {
    const second = closed ? CLOSED_IN_ORDER : 0;
    writeFileHeader(this.#note, "HFLOGOWN", this.#identity, this.#durableIndex, second, 0, this.#mark);
  }
}
