/**
 * The requests of the benchmarks and the paths they go to, as encoded messages. Field numbers: etcd's rpc.proto.
 */
import { encodeMessage, type Field } from "./messages.js";

/** Paths of the methods that are called. */
export const methods = {
  put: "/etcdserverpb.KV/Put",
  range: "/etcdserverpb.KV/Range",
  rangeStream: "/etcdserverpb.KV/RangeStream",
  txn: "/etcdserverpb.KV/Txn",
  compact: "/etcdserverpb.KV/Compact",
  status: "/etcdserverpb.Maintenance/Status",
} as const;

/** What a RangeRequest may ask for beyond its key. */
export interface RangeOptions {
  readonly rangeEnd?: string;
  readonly isCountOnly?: boolean;
  readonly isSerializable?: boolean;
}

export function encodePut(key: string, value: string | Uint8Array): Buffer {
  return encodeMessage([
    [1, key],
    [2, value],
  ]);
}

/** A RangeRequest; linearizable unless told otherwise. */
export function encodeRange(key: string, options: RangeOptions = {}): Buffer {
  const fields: Field[] = [[1, key]];
  if (options.rangeEnd !== undefined) fields.push([2, options.rangeEnd]);
  if (options.isSerializable === true) fields.push([7, 1]);
  if (options.isCountOnly === true) fields.push([9, 1]);
  return encodeMessage(fields);
}

/** The end of the range of all keys that begin with `prefix`, which ends with an ordinary character. */
export function endOfPrefix(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** A CompactionRequest that is answered only when the history is gone. */
export function encodeCompact(revision: number): Buffer {
  return encodeMessage([
    [1, revision],
    [2, 1],
  ]);
}

/** A TxnRequest of these comparisons and, if they hold, these encoded PutRequests. */
export function encodeTxn(compares: readonly Uint8Array[], puts: readonly Uint8Array[]): Buffer {
  return encodeMessage([
    ...compares.map((compare): Field => [1, compare]),
    ...puts.map((put): Field => [2, encodeMessage([[2, put]])]),
  ]);
}

/** The comparison "this key exists": version GREATER than 0. */
export function encodeExists(key: string): Buffer {
  const greater = 1;
  const versionTarget = 0;
  return encodeMessage([
    [1, greater],
    [2, versionTarget],
    [3, key],
    [4, 0],
  ]);
}
