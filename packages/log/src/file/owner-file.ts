/**
 * A small file beside the segments with two jobs.
 *
 * It names the opener. Whoever opens the folder writes a random mark; a log that no longer finds its
 * own mark has been taken over and stops. This catches what the folder lock cannot see: two
 * containers with a shared folder have no common socket names.
 *
 * It notes the durable index. The last record of a log proves that the records before it were
 * durable, but nothing behind it proves the same of itself: damage to it looks like a torn tail. This
 * note closes that gap (fault model F3, known limit): it is written now and then without a sync, and
 * with one when the log is closed, so after an orderly end nothing can be cut unnoticed. It is only
 * ever an additional proof; without it, or with a damaged one, the segments speak for themselves.
 */

import { join } from "node:path";
import type { LogEnvironment } from "../environment.js";
import { type Disk, type DiskFile, isOutOfSpace, readAll, writeAll } from "./disk.js";
import { FILE_HEADER_BYTES, MARK_AT, MARK_BYTES, readFileHeader, writeFileHeader } from "./file-header.js";
import { OWNER_NAME } from "./file-names.js";

const CLOSED_IN_ORDER = 1;

export class OwnerFile {
  readonly #file: DiskFile;
  readonly #identity: Buffer;
  readonly #mark = Buffer.alloc(MARK_BYTES);
  readonly #bytes = Buffer.alloc(FILE_HEADER_BYTES);
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

  /** Notes that everything up to `index` is durable, in the page cache only. Writes our mark as well: only while it `isStillOurs`. */
  note(index: number): void {
    if (index <= this.#durableIndex) return;
    this.#durableIndex = index;
    this.#seal(false);
    // A note that finds no room is lost, and was only an additional proof.
    for (let written = 0; written < FILE_HEADER_BYTES; ) {
      const rest = FILE_HEADER_BYTES - written;
      try {
        written += this.#file.writeNow("owner.write", this.#bytes, written, rest, written);
      } catch (error) {
        if (isOutOfSpace(error)) return;
        throw error;
      }
    }
  }

  /** Notes, durably, that the log is being closed and ends at `index`. As `note`, only while it `isStillOurs`. */
  async noteClosed(index: number): Promise<void> {
    this.#durableIndex = index;
    this.#seal(true);
    await writeAll(this.#file, "owner.write", this.#bytes, 0);
    await this.#file.sync("owner.sync");
  }

  close(): Promise<void> {
    return this.#file.close("handle.close");
  }

  async #readClaim(): Promise<void> {
    const count = await readAll(this.#file, "owner.read", this.#bytes, 0);
    const header = readFileHeader(this.#bytes.subarray(0, count), "HFLOGOWN", this.#file.path);
    if (typeof header === "string" || !header.identity.equals(this.#identity)) return;
    this.#durableIndex = header.first;
    this.#closedInOrder = header.second === CLOSED_IN_ORDER;
  }

  async #begin(disk: Disk, folder: string, exists: boolean): Promise<void> {
    this.#seal(false);
    await writeAll(this.#file, "owner.write", this.#bytes, 0);
    if (exists) return;
    await this.#file.sync("owner.sync");
    await disk.syncFolder("folder.sync", folder);
  }

  #seal(closed: boolean): void {
    const second = closed ? CLOSED_IN_ORDER : 0;
    writeFileHeader(this.#bytes, "HFLOGOWN", this.#identity, this.#durableIndex, second, 0, this.#mark);
  }
}
