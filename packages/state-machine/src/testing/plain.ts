/**
 * Makes states and answers comparable: no classes, bytes as hexadecimal digits, absent and undefined the same.
 */

import { type KeyValue, PackedKeyValue } from "@holdfast/protocol";
import { LeaseKeys } from "../lease-keys.js";

/** `value` as plain data. Sets become sorted lists. A lease is one object with its keys, which are made a property of it. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (typeof value === "bigint") return `${value}n`;
  if (value instanceof LeaseKeys && "leaseId" in value) return plain({ ...value, keys: new Set(value) });
  if (value instanceof Set || value instanceof LeaseKeys) return [...value].sort();
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof PackedKeyValue) return plain(unpacked(value));
  const entries = Object.entries(value).filter(([, property]) => property !== undefined);
  return Object.fromEntries(entries.map(([name, property]) => [name, plain(property)]));
}

/** A pair as an object with the properties of its own that the fields of a packed one are not. */
export function unpacked(pair: KeyValue): KeyValue {
  return pair instanceof PackedKeyValue ? pair.unpacked() : pair;
}
