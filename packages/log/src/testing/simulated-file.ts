/**
 * The contents of one file on a simulated disk, twice: what reads see (the page cache) and what the
 * platter holds. Between two syncs every version of every sector is remembered, because a power cut
 * may leave any of them.
 */

export const SECTOR_BYTES = 512;

export class SimulatedFile {
  #cache: Buffer;
  #platter: Buffer;
  /** True while cache and platter are the same memory, perhaps a test's own: copied before the first write. */
  #shared = true;
  /** Versions of a sector written since the last sync, by its number. */
  readonly #unsynced = new Map<number, Buffer[]>();
  /** Lengths the file had since the last sync. */
  #lengths: number[] = [];

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
    this.#cache = Buffer.from(this.#platter);
    this.#settle();
  }

  /** Power cut in which any unsynced sector survives in any of its versions, or not. */
  keepSome(random: () => number): void {
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

  #remember(sector: number): void {
    const start = sector * SECTOR_BYTES;
    const version = Buffer.from(this.#cache.subarray(start, start + SECTOR_BYTES));
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
