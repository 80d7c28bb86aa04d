/**
 * Answers a range request: which keys, at which revision, filtered, sorted and cut as etcd does it (KV-1 to KV-13).
 */
import { type KeyValue, type RangeRequest, type RangeResponse, SortOrder, SortTarget } from "@holdfast/protocol";
import { headerAt } from "./change-set.js";
import { type FoundPairs, findFirst, wantsFirst } from "./first-pair.js";
import { isSingleKey, upperBound } from "./key-interval.js";
import { type KeySpace, newest } from "./key-space.js";
import { hasFilters, passes } from "./revision-filters.js";
import { noLease, noValue, StoredVersion } from "./stored-version.js";
import type { KeyVersion, Refusal } from "./types.js";

export type Comparison = (left: KeyVersion, right: KeyVersion) => number;

const noPairs: readonly KeyValue[] = Object.freeze([]);

/** Why a range outside of transactions cannot be read at the revision it asks for (KV-12). */
export function rangeRefusal(keys: KeySpace, request: RangeRequest): Refusal | undefined {
  const { revision } = request;
  if (revision <= 0) return undefined;
  if (revision > keys.revision) return "future-revision";
  return revision < keys.compactRevision ? "compacted" : undefined;
}

/**
 * Answers a request that is not refused. `headerRevision` is the current revision; inside a transaction it counts the
 * changes made so far (GEN-2, TXN-8). Sort numbers without a name are taken for the nearest sense: order for
 * ascending, target for the key.
 */
export function readRange(keys: KeySpace, request: RangeRequest, headerRevision: number): RangeResponse {
  const header = headerAt(headerRevision);
  const revision = request.revision <= 0 ? newest : request.revision;
  if (isSingleKey(request.rangeEnd)) return readSingle(keys, request, revision, header);
  const to = upperBound(request.rangeEnd);
  const count = keys.countAt(request.key, to, revision);
  if (request.countOnly || count === 0) return { header, kvs: noPairs, more: false, count };
  const { pairs, more } = wantsFirst(request) ? findFirst(keys, request) : findCut(keys, request, revision);
  return { header, kvs: request.keysOnly ? pairs.map((pair) => strip(request, pair)) : pairs, more, count };
}

/** The pairs in the order asked for, as many as `limit` allows, and whether that leaves some of them out. */
function findCut(keys: KeySpace, request: RangeRequest, revision: number): FoundPairs {
  const pairs = findPairs(keys, request, revision);
  const more = request.limit > 0 && pairs.length > request.limit;
  if (more) pairs.length = request.limit;
  return { pairs, more };
}

/** A pair as `keys_only` shows it: without value, and without lease unless values were sorted by (KV-7). */
export function strip(request: RangeRequest, pair: KeyVersion): KeyVersion {
  const lease = request.sortTarget === SortTarget.VALUE ? pair.lease : noLease;
  return new StoredVersion(pair.key, noValue, pair.createRevision, pair.modRevision, pair.version, lease);
}

function readSingle(
  keys: KeySpace,
  request: RangeRequest,
  revision: number,
  header: RangeResponse["header"],
): RangeResponse {
  const pair = keys.liveAt(request.key, revision);
  if (pair === undefined) return { header, kvs: noPairs, more: false, count: 0 };
  if (request.countOnly || !passes(request, pair)) return { header, kvs: noPairs, more: false, count: 1 };
  return { header, kvs: [request.keysOnly ? strip(request, pair) : pair], more: false, count: 1 };
}

/** The pairs in the order asked for; at most one more than `limit`, if there is a limit. */
function findPairs(keys: KeySpace, request: RangeRequest, revision: number): KeyVersion[] {
  const found: KeyVersion[] = [];
  const filtered = hasFilters(request);
  const pairsMax = request.limit > 0 && isCutEarly(request) ? request.limit + 1 : Number.POSITIVE_INFINITY;
  keys.visitAt(request.key, upperBound(request.rangeEnd), revision, (pair) => {
    if (filtered && !passes(request, pair)) return true;
    found.push(pair);
    return found.length < pairsMax;
  });
  return isKeyOrder(request) ? found : sortPairs(request, found);
}

/**
 * Whether no more pairs than `limit` says, and one, need be looked at: without an order, etcd takes the first pairs in key order
 * and sorts these by the target (KV-9).
 */
export function isCutEarly(request: RangeRequest): boolean {
  return !hasFilters(request) && (isKeyOrder(request) || request.sortOrder === SortOrder.NONE);
}

/** Whether the answer comes in the order of the index. */
export function isKeyOrder(request: RangeRequest): boolean {
  return comparisonOf(request.sortTarget) === undefined && request.sortOrder !== SortOrder.DESCEND;
}

/** Sorts in place; equals stay in key order. */
function sortPairs(request: RangeRequest, pairs: KeyVersion[]): KeyVersion[] {
  const ascending = comparisonOf(request.sortTarget);
  const descends = request.sortOrder === SortOrder.DESCEND;
  if (ascending === undefined) return pairs.reverse();
  const comparison: Comparison = descends ? (left, right) => ascending(right, left) : ascending;
  // The oldest or newest key of a queue is asked for again and again (CLI-11); that needs no sorting.
  if (request.limit === 1) return bringFirst(pairs, comparison);
  return pairs.sort(comparison);
}

/** Puts the first of `pairs` in the order of `comparison` at the front; the others keep no order. */
export function bringFirst(pairs: KeyVersion[], comparison: Comparison): KeyVersion[] {
  let first = 0;
  for (let index = 1; index < pairs.length; index++) {
    if (comparison(pairs[index]!, pairs[first]!) < 0) first = index;
  }
  if (first > 0) [pairs[0], pairs[first]] = [pairs[first]!, pairs[0]!];
  return pairs;
}

/** The ascending order by a target; undefined for the key. */
export function comparisonOf(target: SortTarget): Comparison | undefined {
  switch (target) {
    case SortTarget.VERSION:
      return (left, right) => left.version - right.version;
    case SortTarget.CREATE:
      return (left, right) => left.createRevision - right.createRevision;
    case SortTarget.MOD:
      return (left, right) => left.modRevision - right.modRevision;
    case SortTarget.VALUE:
      return (left, right) => Buffer.compare(left.value, right.value);
    default:
      return undefined;
  }
}
