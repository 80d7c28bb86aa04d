/** How a range is answered (KV-1 to KV-13). */
import { createResponseHeader, type KeyValue, type RangeRequest, type RangeResponse } from "@holdfast/protocol";
import type { Refusal } from "@holdfast/state-machine";
import { pairsAt, type Store, select } from "./store.js";

const noBytes: Uint8Array = new Uint8Array(0);
const sortOrders = { none: 0, descend: 2 } as const;
const sortByValue = 4;

/** Why a range outside of transactions cannot be read (KV-12). */
export function rangeRefusal(store: Store, { revision }: RangeRequest): Refusal | undefined {
  if (revision > store.revision) return "future-revision";
  return revision > 0 && revision < store.compactRevision ? "compacted" : undefined;
}

/** Why a range within a transaction cannot be read (TXN-13, TXN-14). */
export function nestedRangeRefusal(store: Store, { revision }: RangeRequest): Refusal | undefined {
  if (revision > store.revision) return "future-revision";
  return revision !== 0 && revision < store.compactRevision ? "compacted" : undefined;
}

/** The answer to a range that is not refused. */
export function answerRange(store: Store, request: RangeRequest): RangeResponse {
  return rangeOver(request.revision > 0 ? pairsAt(store, request.revision) : store.pairs, request, store.revision);
}

/** The answer of a range over `pairs`, with that revision in its header. */
export function rangeOver(pairs: readonly KeyValue[], request: RangeRequest, revision: number): RangeResponse {
  const header = createResponseHeader({ revision });
  const all = select(pairs, request);
  if (request.countOnly) return { header, kvs: [], more: false, count: all.length };
  const sorted = sortAsAsked(
    all.filter((pair) => passesFilters(pair, request)),
    request,
  );
  const more = request.limit > 0 && sorted.length > request.limit;
  const kvs = more ? sorted.slice(0, request.limit) : sorted;
  return { header, kvs: request.keysOnly ? kvs.map((pair) => keyOnly(pair, request)) : kvs, more, count: all.length };
}

/** KV-11. */
function passesFilters(pair: KeyValue, request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  const isWithinMod =
    pair.modRevision >= minModRevision && (maxModRevision === 0 || pair.modRevision <= maxModRevision);
  const isWithinCreate =
    pair.createRevision >= minCreateRevision && (maxCreateRevision === 0 || pair.createRevision <= maxCreateRevision);
  return isWithinMod && isWithinCreate;
}

/** KV-8. Without an order a target sorts only what comes first in key order, up to one more than the limit (KV-9). */
function sortAsAsked(pairs: KeyValue[], request: RangeRequest): KeyValue[] {
  const order = orders[request.sortTarget];
  const taken = cutsBeforeSorting(request) ? pairs.slice(0, request.limit + 1) : pairs;
  if (order === undefined) return request.sortOrder === sortOrders.descend ? [...taken].reverse() : taken;
  const sign = request.sortOrder === sortOrders.descend ? -1 : 1;
  return [...taken].sort((left, right) => sign * order(left, right));
}

function cutsBeforeSorting(request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  const isFiltered = minModRevision !== 0 || maxModRevision !== 0 || minCreateRevision !== 0 || maxCreateRevision !== 0;
  return request.sortOrder === sortOrders.none && request.limit > 0 && !isFiltered;
}

/** By sort target; that of the key is the order they come in. */
const orders: readonly (((left: KeyValue, right: KeyValue) => number) | undefined)[] = [
  undefined,
  (left, right) => left.version - right.version,
  (left, right) => left.createRevision - right.createRevision,
  (left, right) => left.modRevision - right.modRevision,
  (left, right) => Buffer.compare(left.value, right.value),
];

/** KV-7. */
function keyOnly(pair: KeyValue, request: RangeRequest): KeyValue {
  return { ...pair, value: noBytes, lease: request.sortTarget === sortByValue ? pair.lease : 0n };
}
