/**
 * What one command has done so far: the pairs as they are by now, and the events in the order they were made, all at one
 * new revision (KV-29).
 */
import {
  type ByteString,
  createKeyValue,
  createResponseHeader,
  type DeleteRangeRequest,
  type DeleteRangeResponse,
  type Event,
  EventType,
  type KeyValue,
  type PutRequest,
  type PutResponse,
  type ResponseHeader,
} from "@holdfast/protocol";
import { findPair, type Store, select } from "./store.js";

export class Draft {
  readonly store: Store;
  readonly events: Event[] = [];
  #pairs: readonly KeyValue[];

  constructor(store: Store) {
    this.store = store;
    this.#pairs = store.pairs;
  }

  /** The pairs with what the command did so far. */
  get pairs(): readonly KeyValue[] {
    return this.#pairs;
  }

  /** The new revision from the first change on, the old one before it (TXN-8). */
  get revision(): number {
    return this.events.length > 0 ? this.#newRevision : this.store.revision;
  }

  get header(): ResponseHeader {
    return createResponseHeader({ revision: this.revision });
  }

  get #newRevision(): number {
    return this.store.revision + 1;
  }

  /** KV-22 to KV-24, LEASE-33, LEASE-34. What is ignored is kept as it was before the command (TXN-11, TXN-13). */
  put(request: PutRequest): PutResponse {
    const previous = findPair(this.#pairs, request.key);
    const kept = previous ?? findPair(this.store.pairs, request.key);
    const modRevision = this.#newRevision;
    const pair = createKeyValue({
      key: request.key,
      value: request.ignoreValue ? kept!.value : request.value,
      lease: request.ignoreLease ? kept!.lease : request.lease,
      createRevision: previous?.createRevision ?? modRevision,
      modRevision,
      version: (previous?.version ?? 0) + 1,
    });
    this.#replace(request.key, pair);
    this.#tell(EventType.PUT, pair);
    return { header: this.header, prevKv: request.prevKv ? previous : undefined };
  }

  /** KV-26. */
  deleteRange(request: DeleteRangeRequest): DeleteRangeResponse {
    const pairs = select(this.#pairs, request);
    for (const pair of pairs) this.deleteKey(pair.key);
    return { header: this.header, deleted: pairs.length, prevKvs: request.prevKv ? pairs : [] };
  }

  /** The key must live. */
  deleteKey(key: ByteString): void {
    this.#replace(key, undefined);
    this.#tell(EventType.DELETE, createKeyValue({ key, modRevision: this.#newRevision }));
  }

  #replace(key: ByteString, pair: KeyValue | undefined): void {
    const lower = this.#pairs.filter((other) => other.key < key);
    const higher = this.#pairs.filter((other) => other.key > key);
    this.#pairs = pair === undefined ? [...lower, ...higher] : [...lower, pair, ...higher];
  }

  /** WATCH-18; the previous pair is that of the revision before (WATCH-25). */
  #tell(type: EventType, kv: KeyValue): void {
    const isCreation = type === EventType.PUT && kv.createRevision === kv.modRevision;
    this.events.push({ type, kv, prevKv: isCreation ? undefined : findPair(this.store.pairs, kv.key) });
  }
}
