/**
 * The contents of one file on a simulated disk, twice: what reads see (the page cache) and what the
 * platter holds. Between two syncs every version of every sector is remembered, because a power cut
 * may leave any of them. What a direct write that did not end well has left is remembered beyond that:
 * a sync writes what is in the cache, and of such a write nothing is there.
 */

export const SECTOR_BYTES = 512;

/** A write past the cache that is on its way. */
export interface DirectWrite {
  readonly bytes: Buffer;
  readonly position: number;
}

/** What sectors may hold instead of what the platter says, by their number. */
type Versions = Map<number, Buffer[]>;

export class SimulatedFile {
  #cache: Buffer;
  #platter: Buffer;
  /** True while cache and platter are the same memory, perhaps a test's own: copied before the first write. */
  #shared = true;
  /** Versions of a sector written since the last sync, by its number. */
  readonly #unsynced: Versions = new Map();
  /** Lengths the file had since the last sync. */
  #lengths: number[] = [];
  /** Direct writes that have not been answered: any of their sectors may be on the platter, readers see none. */
  readonly #unanswered = new Set<DirectWrite>();
  /** What failed direct writes may have left, until the place is written anew and that is durable. */
  readonly #doubtful: Versions = new Map();

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
    const write = { bytes: Buffer.from(source.subarray(from, from + length)), position };
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
    this.#unanswered.delete(write);
    for (let at = 0; at < write.bytes.length; at += SECTOR_BYTES)
      note(this.#doubtful, (write.position + at) / SECTOR_BYTES, write.bytes.subarray(at, at + SECTOR_BYTES));
  }

  /**
   * The process is gone. Sectors of direct writes that did not end well are there or not, as whoever reads them next will see;
   * but what is there may be in the disk's own cache only, where a power cut still takes it. What was written into the
   * system's cache since is what readers see.
   */
  settleDirect(random: () => number): void {
    this.#failUnanswered();
    for (const [sector, versions] of this.#doubtful) {
      if (this.#unsynced.has(sector)) continue;
      const left = versions[Math.floor(random() * (versions.length + 1))];
      this.#doubtful.delete(sector);
      if (left !== undefined) this.write(left, 0, left.length, sector * SECTOR_BYTES);
    }
  }

  sync(): void {
    this.#platter = resized(this.#platter, this.#cache.length);
    for (const sector of this.#unsynced.keys()) {
      const start = sector * SECTOR_BYTES;
      if (start < this.#cache.length) this.#cache.copy(this.#platter, start, start, start + SECTOR_BYTES);
      this.#doubtful.delete(sector);
    }
    this.#settle();
  }

  /** What a failed sync leaves: nothing written, and a cache that believes otherwise (fault model F7). */
  failSync(): void {
    this.#settle();
  }

  /** Power cut in which nothing unsynced survives. */
  forgetUnsynced(): void {
    this.#cache = Buffer.from(this.#platter);
    this.#settle();
    this.#unanswered.clear();
    this.#doubtful.clear();
  }

  /** Power cut in which any unsynced sector survives in any of its versions, or not. */
  keepSome(random: () => number): void {
    this.#unshare();
    this.#failUnanswered();
    const lengths = [this.#platter.length, ...this.#lengths];
    const length = lengths[Math.floor(random() * lengths.length)]!;
    this.#platter = resized(this.#platter, length);
    for (const sector of new Set([...this.#unsynced.keys(), ...this.#doubtful.keys()])) {
      const versions = [...(this.#doubtful.get(sector) ?? []), ...(this.#unsynced.get(sector) ?? [])];
      const choice = Math.floor(random() * (versions.length + 1));
      if (choice > 0) versions[choice - 1]!.copy(this.#platter, sector * SECTOR_BYTES);
    }
    this.forgetUnsynced();
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
    for (let sector = Math.floor(position / SECTOR_BYTES); sector < end; sector++) {
      this.#unsynced.delete(sector);
      this.#doubtful.delete(sector);
    }
  }

  #failUnanswered(): void {
    for (const write of this.#unanswered) this.failDirect(write);
  }

  #remember(sector: number): void {
    const start = sector * SECTOR_BYTES;
    note(this.#unsynced, sector, Buffer.from(this.#cache.subarray(start, start + SECTOR_BYTES)));
  }

  #settle(): void {
    this.#unsynced.clear();
    this.#lengths = [];
  }
}

function note(all: Versions, sector: number, version: Buffer): void {
  const versions = all.get(sector);
  if (versions === undefined) all.set(sector, [version]);
  else versions.push(version);
}

function resized(contents: Buffer, bytes: number): Buffer {
  if (contents.length === bytes) return contents;
  const copy = Buffer.alloc(bytes);
  contents.copy(copy);
  return copy;
}
