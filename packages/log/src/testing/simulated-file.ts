/**
 * The contents of one file on a simulated disk, twice: what reads see (the page cache) and what the
 * platter holds. Between two syncs every version of every sector is remembered, because a power cut
 * may leave any of them.
 */

export const SECTOR_BYTES = 512;

/** A write past the cache that is on its way, or has failed. */
export interface DirectWrite {
  readonly bytes: Buffer;
  readonly position: number;
  hasFailed: boolean;
}

export class SimulatedFile {
  #cache: Buffer;
  #platter: Buffer;
  /** True while cache and platter are the same memory, perhaps a test's own: copied before the first write. */
  #shared = true;
  /** Versions of a sector written since the last sync, by its number. */
  readonly #unsynced = new Map<number, Buffer[]>();
  /** Lengths the file had since the last sync. */
  #lengths: number[] = [];
  /** Direct writes that have not been answered, or failed: any of their sectors may be on the platter, readers see none. */
  readonly #unanswered = new Set<DirectWrite>();

  /** @param contents durable from the start. */
  constructor(contents: Buffer = Buffer.alloc(0)) {
    this.#cache = contents;
    this.#platter = contents;
  }

  get bytes(): number {
    return this.#cache.length;
  }

  /** What a reader sees. Not to be changed. */
  get contents(): Buffer {
    return this.#cache;
  }

  read(target: Buffer, length: number, position: number): number {
    return this.#cache.copy(target, 0, position, Math.min(position + length, this.#cache.length));
  }

  write(source: Buffer, from: number, length: number, position: number): void {
    this.#unshare();
    for (const direct of this.#unanswered) if (direct.hasFailed) this.#giveUp(direct);
    if (position + length > this.#cache.length) {
      this.#cache = resized(this.#cache, position + length);
      this.#lengths.push(this.#cache.length);
    }
    source.copy(this.#cache, position, from, from + length);
    const end = Math.ceil((position + length) / SECTOR_BYTES);
    for (let sector = Math.floor(position / SECTOR_BYTES); sector < end; sector++) this.#remember(sector);
  }

  /** Cuts the file; until the next sync the bytes behind may survive, as may the length. */
  shorten(length: number): void {
    this.#unshare();
    this.#cache = resized(this.#cache, length);
    this.#lengths.push(length);
  }

  /** A write past the cache begins, of whole sectors within the file. */
  beginDirect(source: Buffer, from: number, length: number, position: number): DirectWrite {
    const write = { bytes: Buffer.from(source.subarray(from, from + length)), position, hasFailed: false };
    this.#unanswered.add(write);
    return write;
  }

  /** It has ended: so many of its bytes are durable, and the others are not there. */
  endDirect(write: DirectWrite, count: number): void {
    this.#unanswered.delete(write);
    this.#put(write.bytes.subarray(0, count), write.position);
  }

  /** It has failed: any of its sectors may be there. */
  failDirect(write: DirectWrite): void {
    write.hasFailed = true;
  }

  /** The process is gone: sectors of direct writes that did not end are there or not. */
  settleDirect(random: () => number): void {
    for (const { bytes, position } of this.#unanswered) {
      for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
        if (random() < 0.5) this.#put(bytes.subarray(at, at + SECTOR_BYTES), position + at);
      }
    }
    this.#unanswered.clear();
  }

  sync(): void {
    this.#platter = resized(this.#platter, this.#cache.length);
    for (const sector of this.#unsynced.keys()) {
      const start = sector * SECTOR_BYTES;
      if (start < this.#cache.length) this.#cache.copy(this.#platter, start, start, start + SECTOR_BYTES);
    }
    this.#settle();
  }

  /** What a failed sync leaves: nothing written, and a cache that believes otherwise (fault model F7). */
  failSync(): void {
    this.#settle();
  }

  /** Power cut in which nothing unsynced survives. */
  forgetUnsynced(): void {
    this.#unanswered.clear();
    this.#cache = Buffer.from(this.#platter);
    this.#settle();
  }

  /** Power cut in which any unsynced sector survives in any of its versions, or not. */
  keepSome(random: () => number): void {
    this.settleDirect(random);
    const lengths = [this.#platter.length, ...this.#lengths];
    const length = lengths[Math.floor(random() * lengths.length)]!;
    const kept = resized(this.#platter, length);
    for (const [sector, versions] of this.#unsynced) {
      const choice = Math.floor(random() * (versions.length + 1));
      if (choice > 0) versions[choice - 1]!.copy(kept, sector * SECTOR_BYTES);
    }
    this.#cache = kept;
    this.#platter = Buffer.from(kept);
    this.#settle();
  }

  /** Changes one durable byte; nothing tells. */
  rot(position: number, flip: number): void {
    if (position >= this.#platter.length) return;
    const isShared = this.#cache === this.#platter;
    this.#platter = Buffer.from(this.#platter);
    this.#platter[position]! ^= flip;
    if (isShared) this.#cache = this.#platter;
    else if (position < this.#cache.length) this.#cache[position]! ^= flip;
  }

  #unshare(): void {
    if (!this.#shared) return;
    this.#cache = Buffer.from(this.#cache);
    this.#platter = Buffer.from(this.#platter);
    this.#shared = false;
  }

  /** Durable at once, and nothing that was in the cache of it comes after it. */
  #put(bytes: Buffer, position: number): void {
    this.#unshare();
    if (position + bytes.length > this.#platter.length) throw new Error("a direct write beyond what is durable");
    bytes.copy(this.#cache, position);
    bytes.copy(this.#platter, position);
    const end = Math.ceil((position + bytes.length) / SECTOR_BYTES);
    for (let sector = Math.floor(position / SECTOR_BYTES); sector < end; sector++) this.#unsynced.delete(sector);
  }

  /** What a failed direct write may have left on the platter, now that the cache says something else. */
  #giveUp(write: DirectWrite): void {
    this.#unanswered.delete(write);
    for (let at = 0; at < write.bytes.length; at += SECTOR_BYTES) {
      this.#note((write.position + at) / SECTOR_BYTES, write.bytes.subarray(at, at + SECTOR_BYTES));
    }
  }

  #remember(sector: number): void {
    const start = sector * SECTOR_BYTES;
    this.#note(sector, Buffer.from(this.#cache.subarray(start, start + SECTOR_BYTES)));
  }

  #note(sector: number, version: Buffer): void {
    const versions = this.#unsynced.get(sector);
    if (versions === undefined) this.#unsynced.set(sector, [version]);
    else versions.push(version);
  }

  #settle(): void {
    this.#unsynced.clear();
    this.#lengths = [];
  }
}

function resized(contents: Buffer, bytes: number): Buffer {
  if (contents.length === bytes) return contents;
  const copy = Buffer.alloc(bytes);
  contents.copy(copy);
  return copy;
}
