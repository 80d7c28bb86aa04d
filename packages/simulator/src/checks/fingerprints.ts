/**
 * Tells stores apart by what they hold, and by what they held at those revisions that somebody asks for: in which order the
 * rest came about makes no difference to what can be answered.
 */
import { createHash } from "node:crypto";
import type { RequestOp } from "@holdfast/protocol";
import type { Call } from "../history/calls.js";
import type { Store } from "../model/index.js";

export class Fingerprints {
  readonly #revisions: ReadonlySet<number>;
  readonly #present = new WeakMap<Store, string>();
  readonly #past = new WeakMap<Store, string>();

  /** For calls that ask for no other old revisions than these calls. */
  constructor(calls: readonly Call[]) {
    this.#revisions = new Set(calls.flatMap(revisionsOf).filter((revision) => revision > 0));
  }

  of(store: Store): string {
    const known = this.#present.get(store);
    if (known !== undefined) return known;
    const print = hashOf(store, store.before === undefined ? "" : this.#pastOf(store.before));
    this.#present.set(store, print);
    return print;
  }

  /** What `store`, and all before it, are told apart by once they are past. */
  #pastOf(store: Store): string {
    const known = this.#past.get(store);
    if (known !== undefined) return known;
    const before = store.before === undefined ? "" : this.#pastOf(store.before);
    const print = this.#revisions.has(store.revision) ? hashOf(store, before) : before;
    this.#past.set(store, print);
    return print;
  }
}

function hashOf(store: Store, past: string): string {
  const hash = createHash("sha1").update(`${past} ${store.revision} ${store.compactRevision} `);
  for (const { leaseId } of store.leases) hash.update(`${leaseId} `);
  for (const { key, value, modRevision, createRevision, version, lease } of store.pairs) {
    hash
      .update(`${key.length} ${key} ${modRevision} ${createRevision} ${version} ${lease} ${value.length} `)
      .update(value);
  }
  return hash.digest("base64");
}

function revisionsOf(call: Call): number[] {
  if (call.kind === "range") return [call.request.revision];
  return call.kind === "txn" ? revisionsIn([...call.request.success, ...call.request.failure]) : [];
}

function revisionsIn(operations: readonly RequestOp[]): number[] {
  return operations.flatMap(({ requestRange, requestTxn }) => {
    if (requestTxn !== undefined) return revisionsIn([...requestTxn.success, ...requestTxn.failure]);
    return requestRange === undefined ? [] : [requestRange.revision];
  });
}
