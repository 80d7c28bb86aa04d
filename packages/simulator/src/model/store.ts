/**
 * Everything a server holds at one position of the log, as plain data that is never changed: a sorted list of pairs, a list
 * of leases, and the stores of all revisions before. Slow and obvious on purpose; what commands do to it is in `apply.ts`.
 */
import type { ByteString, KeyValue } from "@holdfast/protocol";

/** A lease that lives. */
export interface ModelLease {
  readonly leaseId: bigint;
  readonly ttlSeconds: number;
  /** The number of the command that granted it, counted from 1: tells two leases of one id apart. */
  readonly grantNumber: number;
}

/** An alarm that is raised: an `AlarmType`, for one member. */
export interface ModelAlarm {
  readonly memberId: bigint;
  readonly alarm: number;
}

/** The state after some command. */
export interface Store {
  readonly revision: number;
  /** -1 when nothing was ever compacted (COMP-2). */
  readonly compactRevision: number;
  /** How many commands were applied, refused ones included. */
  readonly appliedCommands: number;
  /** The pairs that live, ascending by key. */
  readonly pairs: readonly KeyValue[];
  /** The leases that live, oldest grant first. */
  readonly leases: readonly ModelLease[];
  /** In the order in which they were raised. */
  readonly alarms: readonly ModelAlarm[];
  /** The store as it was left at the revision before; undefined at the first. */
  readonly before: Store | undefined;
}

/** Nothing, at revision 1 (GEN-1). */
export const emptyStore: Store = Object.freeze({
  revision: 1,
  compactRevision: -1,
  appliedCommands: 0,
  pairs: [],
  leases: [],
  alarms: [],
  before: undefined,
});

/** The pairs that lived at `revision`, which must not be in the future. Compaction is not looked at. */
export function pairsAt(store: Store, revision: number): readonly KeyValue[] {
  let at = store;
  while (at.revision > revision && at.before !== undefined) at = at.before;
  return at.revision > revision ? [] : at.pairs;
}

/** The pair of `key` among `pairs`. */
export function findPair(pairs: readonly KeyValue[], key: ByteString): KeyValue | undefined {
  return pairs.find((pair) => pair.key === key);
}

/** The lease of that id, if it lives. */
export function findLease(store: Store, leaseId: bigint): ModelLease | undefined {
  return store.leases.find((lease) => lease.leaseId === leaseId);
}

/** What `key` and `range_end` name (KV-1, KV-2). */
export interface Interval {
  readonly key: ByteString;
  readonly rangeEnd: ByteString;
}

/** Whether `key` lies in the interval. */
export function isWithin({ key: first, rangeEnd }: Interval, key: ByteString): boolean {
  if (rangeEnd === "") return key === first;
  return key >= first && (rangeEnd === "\0" || key < rangeEnd);
}

/** The pairs of an interval, in key order. */
export function select(pairs: readonly KeyValue[], interval: Interval): KeyValue[] {
  return pairs.filter((pair) => isWithin(interval, pair.key));
}
