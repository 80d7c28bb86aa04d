/**
 * Answers a range of any order and with any filter piece by piece at one revision, while the store goes on (fault-model F14):
 * what `readRange` does in one go.
 */
import { type KeyValue, type RangeRequest, SortOrder } from "@holdfast/protocol";
import { countInSlices } from "./count-in-slices.js";
import { upperBound } from "./key-interval.js";
import type { KeySpace } from "./key-space.js";
import { RangeReader, type RangeSlice } from "./range-reader.js";
import { bringFirst, comparisonOf, isCutEarly, isKeyOrder, strip } from "./ranges.js";
import { hasFilters, passes } from "./revision-filters.js";
import { sortInSlices } from "./sort-in-slices.js";
import type { KeyVersion } from "./types.js";

export class LargeRange {
  /** The revision that is read, for the whole time. */
  readonly revision: number;
  readonly #keys: KeySpace;
  readonly #request: RangeRequest;
  readonly #counting: Iterator<void, number>;
  /** Made when the keys are counted. */
  #reader: RangeReader | undefined;
  /** Whether pairs leave in the order in which they are read. */
  readonly #isDirect: boolean;
  #pairs: KeyVersion[] = [];
  #sorting: Iterator<void> | undefined;
  #more = false;
  #sent = 0;
  #stage: "counting" | "reading" | "sorting" | "sending" = "counting";

  /** For a request that is not refused, of more than one key; `revision` is the one it asks for, or the current one. */
  constructor(keys: KeySpace, request: RangeRequest, revision: number) {
    this.revision = revision;
    this.#keys = keys;
    this.#request = request;
    this.#isDirect = isCutEarly(request) && isKeyOrder(request);
    this.#counting = countInSlices(keys, request.key, upperBound(request.rangeEnd), revision);
  }

  /** How many keys the range has at that revision, whatever filters and `limit` say; known once a slice is done. */
  get count(): number {
    return this.#reader?.count ?? 0;
  }

  /** Whether `limit` leaves out some of what passed the filters; known once a slice is done. */
  get more(): boolean {
    return this.#isDirect ? this.#reader?.more === true : this.#more;
  }

  /** The next `keysMax` pairs (at least 1), or none as long as they are being counted, found and put in order. */
  next(keysMax: number): RangeSlice {
    if (this.#stage === "counting") return this.#count();
    if (this.#stage === "reading") return this.#read(keysMax);
    if (this.#stage === "sorting") return this.#sort();
    return this.#send(keysMax);
  }

  #count(): RangeSlice {
    if (this.revision < this.#keys.compactRevision) return { kind: "refused", refusal: "compacted" };
    const step = this.#counting.next();
    if (step.done === true) this.#startReading(step.value);
    return working;
  }

  #startReading(count: number): void {
    const request = this.#request;
    // Of what is sorted after it was cut (KV-9) one more is read, which is left out after sorting.
    const limit = this.#isDirect ? request.limit : isCutEarly(request) && request.limit > 0 ? request.limit + 1 : 0;
    const read = { ...request, limit, keysOnly: this.#isDirect && request.keysOnly };
    this.#reader = new RangeReader(this.#keys, read, this.revision, count);
    this.#stage = "reading";
  }

  #read(keysMax: number): RangeSlice {
    const slice = (this.#reader as RangeReader).next(keysMax);
    if (slice.kind === "refused" || this.#isDirect) return slice;
    const filtered = hasFilters(this.#request);
    for (const pair of slice.kvs) if (!filtered || passes(this.#request, pair)) this.#pairs.push(pair);
    if (slice.done) this.#startSorting();
    return working;
  }

  #startSorting(): void {
    const { limit, sortOrder, sortTarget } = this.#request;
    this.#more = limit > 0 && this.#pairs.length > limit;
    this.#stage = "sending";
    const ascending = comparisonOf(sortTarget);
    if (isKeyOrder(this.#request)) return;
    if (ascending === undefined) {
      this.#pairs.reverse();
      return;
    }
    const comparison: typeof ascending =
      sortOrder === SortOrder.DESCEND ? (left, right) => ascending(right, left) : ascending;
    if (limit === 1) bringFirst(this.#pairs, comparison);
    else {
      this.#stage = "sorting";
      this.#sorting = sortInSlices(this.#pairs, comparison, (sorted) => {
        this.#pairs = sorted;
      });
    }
  }

  #sort(): RangeSlice {
    if (this.#sorting?.next().done === true) this.#stage = "sending";
    return working;
  }

  #send(keysMax: number): RangeSlice {
    const end = this.#more ? this.#request.limit : this.#pairs.length;
    const pairs = this.#pairs.slice(this.#sent, Math.min(end, this.#sent + Math.max(keysMax, 1)));
    this.#sent += pairs.length;
    const kvs: readonly KeyValue[] = this.#request.keysOnly ? pairs.map((pair) => strip(this.#request, pair)) : pairs;
    return { kind: "slice", kvs, done: this.#sent === end };
  }
}

const working: RangeSlice = { kind: "slice", kvs: [], done: false };
