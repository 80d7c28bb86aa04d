/**
 * Whether a transaction would give back, or go through, more than it may in one turn (fault-model I12, F14): a request of a few
 * hundred bytes can ask for the whole store a hundred times, and a transaction cannot be cut in slices.
 *
 * For whoever proposes one; `apply` does not depend on it, where every version of the program has to come to the same result.
 * So it looks at both branches whichever will run, and counts in what may yet be written before the transaction's turn comes:
 * nobody gets past a bound by sending a put along. What it finds is never less than the truth.
 *
 * The largest answer and the longest walk are left out, so that a transaction may read as much at a time as a range.
 */
import {
  type ByteString,
  type DeleteRangeRequest,
  type RangeRequest,
  type RequestOp,
  SortOrder,
  type TxnRequest,
} from "@holdfast/protocol";
import { isSingleKey, upperBound } from "./key-interval.js";
import { type KeySpace, newest } from "./key-space.js";
import { answerPairOverheadBytes, sizingVisitsPerKey } from "./limits.js";
import { isKeyOrder } from "./ranges.js";
import { hasFilters } from "./revision-filters.js";
import type { KeyVersion } from "./types.js";

export interface TxnBounds {
  /** Bytes of all pairs that a transaction gives back besides the largest of its answers, about. */
  readonly answerBytesMax: number;
  /** Keys that its ranges, and its comparisons of intervals, go through besides the longest of them. */
  readonly keysMax: number;
  /** No pair is larger than this. */
  readonly pairBytesMax: number;
}

/** What may be written before a transaction's turn comes, and by itself; if `bytes` is 0, nothing is, not even deleted. */
export interface Upcoming {
  readonly bytes: number;
  readonly keys: number;
}

/** Which bound a transaction passes. */
export type TxnExcess = "answer-bytes" | "keys";

/** The bound that `request` passes, if there is one. It must not be nested deeper than `checkTxn` allows. */
export function txnExcess(
  keys: KeySpace,
  request: TxnRequest,
  bounds: TxnBounds,
  upcoming: Upcoming,
): TxnExcess | undefined {
  if (readsOnce(request)) return undefined;
  const plan = new Plan(keys);
  const walks = plan.walksOf(request);
  if (walks.restWith(upcoming.keys) > bounds.keysMax) return "keys";
  if (plan.answers <= 1 || (plan.pairsMax - 1) * bounds.pairBytesMax <= bounds.answerBytesMax) return undefined;
  const bytesMax = bounds.answerBytesMax - (upcoming.bytes === 0 ? 0 : plan.readersOfOneKey * upcoming.bytes);
  if (bytesMax < 0) return "answer-bytes";
  const visitsMax = plan.longestInterval + sizingVisitsPerKey * bounds.keysMax;
  const sizes = new Sizes(keys, { bytesMax, visitsMax, isStill: upcoming.bytes === 0 });
  if (sizes.of(request).rest > bytesMax) return "answer-bytes";
  return sizes.isGivenUp ? "keys" : undefined;
}

/** Whether at most one of its parts reads, as in most transactions; those within each other are not looked into. */
function readsOnce({ compare, success, failure }: TxnRequest): boolean {
  let reads = 0;
  for (const { rangeEnd } of compare) if (!isSingleKey(rangeEnd)) reads += 1;
  for (const operation of success) reads += readsOf(operation);
  for (const operation of failure) reads += readsOf(operation);
  return reads < 2;
}

function readsOf({ requestRange, requestPut, requestDeleteRange, requestTxn }: RequestOp): number {
  if (requestTxn !== undefined) return 2;
  return requestRange !== undefined || requestPut?.prevKv || requestDeleteRange?.prevKv ? 1 : 0;
}

/** A sum without its largest part. */
class Tally {
  rest = 0;
  largest = 0;
  /** How many of the parts grow with what is written meanwhile. */
  #growing = 0;

  add(amount: number, grows: boolean): void {
    this.rest += Math.min(amount, this.largest);
    this.largest = Math.max(amount, this.largest);
    if (grows) this.#growing += 1;
  }

  addAll(other: Tally): void {
    this.rest += other.rest;
    this.add(other.largest, false);
    this.#growing += other.#growing;
  }

  /** Takes the larger of each figure: at least what either has. */
  raiseTo(other: Tally): void {
    this.rest = Math.max(this.rest, other.rest);
    this.largest = Math.max(this.largest, other.largest);
    this.#growing = Math.max(this.#growing, other.#growing);
  }

  /** `rest`, if each part that grows does so by `growth`. */
  restWith(growth: number): number {
    return this.rest + Math.max(0, this.#growing - 1) * growth;
  }
}

/** What can be told of a transaction without a look at its pairs. */
class Plan {
  answers = 0;
  /** How many pairs there can be in all answers together. */
  pairsMax = 0;
  /** Keys of the longest interval that is named. */
  longestInterval = 0;
  #intervals = 0;
  readonly #singleKeys: ByteString[] = [];
  readonly #keys: KeySpace;

  constructor(keys: KeySpace) {
    this.#keys = keys;
  }

  /** How many answers one and the same pair can be in. */
  get readersOfOneKey(): number {
    const readers = new Map<ByteString, number>();
    for (const key of this.#singleKeys) readers.set(key, (readers.get(key) ?? 0) + 1);
    return this.#intervals + Math.max(0, ...readers.values());
  }

  /** The keys that are gone through, whichever branch runs; once for each transaction. */
  walksOf({ compare, success, failure }: TxnRequest): Tally {
    const walks = this.#walksOfBranch(success);
    walks.raiseTo(this.#walksOfBranch(failure));
    for (const { key, rangeEnd } of compare) {
      if (!isSingleKey(rangeEnd)) walks.add(this.#known(key, rangeEnd), true);
    }
    return walks;
  }

  #walksOfBranch(operations: readonly RequestOp[]): Tally {
    const walks = new Tally();
    for (const { requestRange, requestPut, requestDeleteRange, requestTxn } of operations) {
      if (requestRange !== undefined) this.#addRange(requestRange, walks);
      else if (requestPut?.prevKv) this.#addAnswer(requestPut.key, true, 1);
      else if (requestDeleteRange?.prevKv) this.#addDelete(requestDeleteRange, walks);
      else if (requestTxn !== undefined) walks.addAll(this.walksOf(requestTxn));
    }
    return walks;
  }

  #addRange(request: RangeRequest, walks: Tally): void {
    const { key, rangeEnd, limit, countOnly } = request;
    const isSingle = isSingleKey(rangeEnd);
    const pairsMax = isSingle ? 1 : limit > 0 ? limit : Number.POSITIVE_INFINITY;
    if (!countOnly) this.#addAnswer(key, isSingle, pairsMax);
    if (isSingle) return;
    if (!isBrief(request)) walks.add(this.#known(key, rangeEnd), true);
    else if (!countOnly) walks.add(Math.min(limit, this.#known(key, rangeEnd)), false);
  }

  #addDelete({ key, rangeEnd }: DeleteRangeRequest, walks: Tally): void {
    const isSingle = isSingleKey(rangeEnd);
    this.#addAnswer(key, isSingle, isSingle ? 1 : Number.POSITIVE_INFINITY);
    if (!isSingle) walks.add(this.#known(key, rangeEnd), true);
  }

  #addAnswer(key: ByteString, isSingle: boolean, pairsMax: number): void {
    this.answers += 1;
    this.pairsMax += pairsMax;
    if (isSingle) this.#singleKeys.push(key);
    else this.#intervals += 1;
  }

  #known(key: ByteString, rangeEnd: ByteString): number {
    const known = this.#keys.index.countKnown(key, upperBound(rangeEnd));
    this.longestInterval = Math.max(this.longestInterval, known);
    return known;
  }
}

interface SizeOptions {
  /** Sizes are told no further than to here. */
  readonly bytesMax: number;
  readonly visitsMax: number;
  /** Whether nothing is deleted meanwhile, which would bring other pairs to the front of a range that is cut. */
  readonly isStill: boolean;
}

/** The bytes that a transaction gives back of what there is now. */
class Sizes {
  readonly #keys: KeySpace;
  readonly #bytesMax: number;
  readonly #isStill: boolean;
  #visitsLeft: number;

  constructor(keys: KeySpace, { bytesMax, visitsMax, isStill }: SizeOptions) {
    this.#keys = keys;
    this.#bytesMax = bytesMax;
    this.#isStill = isStill;
    this.#visitsLeft = visitsMax;
  }

  /** Whether more pairs would have had to be looked at than was allowed; what it told is too little. */
  get isGivenUp(): boolean {
    return this.#visitsLeft < 0;
  }

  /** Of the branch that gives back more; where one has the largest answer and the other the larger rest, of both. */
  of({ success, failure }: TxnRequest): Tally {
    const bytes = this.#ofBranch(success);
    bytes.raiseTo(this.#ofBranch(failure));
    return bytes;
  }

  #ofBranch(operations: readonly RequestOp[]): Tally {
    const bytes = new Tally();
    for (const { requestRange, requestPut, requestDeleteRange, requestTxn } of operations) {
      if (bytes.rest > this.#bytesMax || this.isGivenUp) break;
      if (requestRange !== undefined) bytes.add(this.#ofRange(requestRange), false);
      else if (requestPut?.prevKv) bytes.add(this.#ofKey(requestPut.key, newest), false);
      else if (requestDeleteRange?.prevKv) bytes.add(this.#ofDelete(requestDeleteRange), false);
      else if (requestTxn !== undefined) bytes.addAll(this.of(requestTxn));
    }
    return bytes;
  }

  #ofKey(key: ByteString, revision: number): number {
    const pair = revision === newest ? this.#keys.live(key) : this.#keys.liveAt(key, revision);
    return pair === undefined ? 0 : answerBytes(pair, false);
  }

  #ofDelete({ key, rangeEnd }: DeleteRangeRequest): number {
    if (isSingleKey(rangeEnd)) return this.#ofKey(key, newest);
    const unlimited = Number.POSITIVE_INFINITY;
    return this.#ofInterval(key, rangeEnd, newest, { keysOnly: false, pairsMax: unlimited, visitsMax: unlimited });
  }

  #ofRange(request: RangeRequest): number {
    const { key, rangeEnd, limit, keysOnly, countOnly } = request;
    if (countOnly) return 0;
    // A revision of the future may have come by then; one that is compacted is refused for that.
    const isPast = request.revision > 0 && request.revision < this.#keys.revision;
    const revision = isPast ? request.revision : newest;
    if (isSingleKey(rangeEnd)) return this.#ofKey(key, revision);
    const pairsMax = limit > 0 ? limit : Number.POSITIVE_INFINITY;
    const visitsMax = this.#isStill && isBrief(request) ? pairsMax : Number.POSITIVE_INFINITY;
    return this.#ofInterval(key, rangeEnd, revision, { keysOnly, pairsMax, visitsMax });
  }

  /** Of the largest `pairsMax` pairs among the first `visitsMax`, at most. */
  #ofInterval(key: ByteString, rangeEnd: ByteString, revision: number, extent: Extent): number {
    const { keysOnly, pairsMax, visitsMax } = extent;
    let bytes = 0;
    let largest = 0;
    let visits = 0;
    let given = 0;
    this.#keys.visitAt(key, upperBound(rangeEnd), revision, (pair) => {
      const pairBytes = answerBytes(pair, keysOnly);
      bytes += pairBytes;
      largest = Math.max(largest, pairBytes);
      given = Math.min(bytes, pairsMax * largest);
      visits += 1;
      this.#visitsLeft -= 1;
      return visits < visitsMax && given <= this.#bytesMax && this.#visitsLeft >= 0;
    });
    return given;
  }
}

/** How much of an interval is answered. */
interface Extent {
  readonly keysOnly: boolean;
  readonly pairsMax: number;
  readonly visitsMax: number;
}

/** Whether a range of an interval is done after `limit` keys, or without looking at keys. */
function isBrief(request: RangeRequest): boolean {
  if (request.revision > 0) return false;
  if (request.countOnly) return true;
  const inOrderFound = isKeyOrder(request) || request.sortOrder === SortOrder.NONE;
  return request.limit > 0 && inOrderFound && !hasFilters(request);
}

/** What a pair takes in an answer, about. */
function answerBytes(pair: KeyVersion, keysOnly: boolean): number {
  return pair.key.length + (keysOnly ? 0 : pair.value.length) + answerPairOverheadBytes;
}
