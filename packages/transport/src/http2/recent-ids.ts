/** Small memories of past stream ids, for what RFC 9113 (5.1) wants to know about closed streams. */

const REMEMBERED_IDS = 256;
const REMEMBERED_RANGES = 8;

/** The streams that we reset lately: frames for them may be on their way and are ignored. Remembers the last 256. */
export class RecentIds {
  #ids: Int32Array | undefined = undefined;
  #next = 0;

  add(id: number): void {
    this.#ids ??= new Int32Array(REMEMBERED_IDS);
    this.#ids[this.#next] = id;
    this.#next = (this.#next + 1) % REMEMBERED_IDS;
  }

  has(id: number): boolean {
    return this.#ids?.includes(id) === true;
  }
}

/** The ids that a client passed over: they were never opened and never will be. Remembers the last 8 ranges. */
export class SkippedIds {
  readonly #ranges: { readonly first: number; readonly last: number }[] = [];

  add(first: number, last: number): void {
    if (this.#ranges.length === REMEMBERED_RANGES) this.#ranges.shift();
    this.#ranges.push({ first, last });
  }

  has(id: number): boolean {
    return this.#ranges.some((range) => range.first <= id && id <= range.last);
  }
}
