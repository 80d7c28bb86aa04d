/**
 * Reads a large range piece by piece at one revision, while the store goes on (KV-14 to KV-20).
 *
 * How large a piece may be, and what a stream does not support (KV-19), is the server's business; keys come in key
 * order whatever sort target is asked for, and revision filters are not looked at.
 */
import type { ByteString, KeyValue, RangeRequest } from "@holdfast/protocol";
import { isSingleKey, keyAfter, upperBound } from "./key-interval.js";
import type { KeySpace } from "./key-space.js";
import { readerSkipsMax } from "./limits.js";
import { strip } from "./ranges.js";
import type { Refusal } from "./types.js";

/** One piece of a range, or the news that its revision was compacted in the meantime (KV-20). */
export type RangeSlice =
  | { readonly kind: "refused"; readonly refusal: Refusal }
  /** `kvs` may be empty although more follow; `done` comes with the last piece. */
  | { readonly kind: "slice"; readonly kvs: readonly KeyValue[]; readonly done: boolean };

/** A reader, or why the range cannot be read. */
export type RangeReaderOutcome =
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "reader"; readonly reader: RangeReader };

export class RangeReader {
  /** The revision that is read, for the whole time. */
  readonly revision: number;
  /** How many keys the range has at that revision, whatever `limit` says. */
  readonly count: number;
  /** Whether `limit` leaves some of them out. */
  readonly more: boolean;
  readonly #keys: KeySpace;
  readonly #request: RangeRequest;
  readonly #to: ByteString | undefined;
  #from: ByteString;
  #remaining: number;

  /**
   * For a request that is not refused; `revision` is the one it asks for, or the current one. Counts the keys, unless it is told
   * their `count`.
   */
  constructor(keys: KeySpace, request: RangeRequest, revision: number, count?: number) {
    this.revision = revision;
    this.#keys = keys;
    this.#request = request;
    this.#from = request.key;
    this.#to = isSingleKey(request.rangeEnd) ? keyAfter(request.key) : upperBound(request.rangeEnd);
    this.count = count ?? keys.countAt(this.#from, this.#to, revision);
    this.more = !request.countOnly && request.limit > 0 && this.count > request.limit;
    this.#remaining = request.countOnly ? 0 : this.more ? request.limit : this.count;
  }

  /** The next `keysMax` pairs (at least 1), or fewer: at the end, or where many deleted keys lie in between. */
  next(keysMax: number): RangeSlice {
    if (this.revision < this.#keys.compactRevision) return { kind: "refused", refusal: "compacted" };
    const wanted = Math.min(this.#remaining, Math.max(keysMax, 1));
    const kvs: KeyValue[] = [];
    if (wanted > 0) this.#collect(kvs, wanted);
    this.#remaining -= kvs.length;
    return { kind: "slice", kvs, done: this.#remaining === 0 };
  }

  #collect(kvs: KeyValue[], wanted: number): void {
    let skips = 0;
    let last: number | undefined;
    const { index, histories } = this.#keys;
    index.visit(this.#from, this.#to, (number) => {
      last = number;
      const pair = histories.liveAt(number, this.revision);
      if (pair === undefined) skips += 1;
      else kvs.push(this.#request.keysOnly ? strip(this.#request, pair) : pair);
      return kvs.length < wanted && skips < readerSkipsMax;
    });
    if (last !== undefined) this.#from = keyAfter(histories.key(last));
  }
}
