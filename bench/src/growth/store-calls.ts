/** The calls on a store of numbered keys (`load/keys.ts`) that several axes make: each on a key chosen at random. */
import { byteStringFromText, kvService } from "@holdfast/protocol";
import { keyOf } from "../load/keys.js";
import type { LoopedCall } from "./call-loop.js";

const { put, range } = kvService.methods;
export const valueBytes = 128;
/** Keys that differ in their last two digits only: what the range of a prefix finds. */
const keysPerPrefix = 100;
const digitsOfPrefix = 2;

function anyOf(count: number): number {
  return Math.floor(Math.random() * count);
}

/** Overwrites one of the first `keys` keys. */
export function putCall(keys: number): LoopedCall {
  const value = new Uint8Array(valueBytes).fill("w".charCodeAt(0));
  return {
    path: put.path,
    next: () => put.request.encode(put.request.create({ key: byteStringFromText(keyOf(anyOf(keys))), value })),
    check: (chunk, from, to) => {
      const revision = put.response.decode(chunk, from, to).header?.revision ?? 0;
      if (revision <= keys) throw new Error(`a put to a store of ${keys} keys was answered with revision ${revision}`);
    },
  };
}

/** Reads one key; with `revisionOf`, as it was at that revision. */
export function rangeCall(keys: number, revisionOf: () => number = () => 0): LoopedCall {
  return {
    path: range.path,
    next: () => {
      const key = byteStringFromText(keyOf(anyOf(keys)));
      return range.request.encode(range.request.create({ key, revision: revisionOf() }));
    },
    check: (chunk, from, to) => expectKeys(1, chunk, from, to),
  };
}

/** Reads the hundred keys of one prefix; there must be as many at least. */
export function prefixCall(keys: number): LoopedCall {
  return {
    path: range.path,
    next: () => {
      const first = anyOf(keys / keysPerPrefix) * keysPerPrefix;
      const key = byteStringFromText(prefixOf(first));
      return range.request.encode(range.request.create({ key, rangeEnd: byteStringFromText(endOf(first)) }));
    },
    check: (chunk, from, to) => expectKeys(keysPerPrefix, chunk, from, to),
  };
}

function prefixOf(number: number): string {
  return keyOf(number).slice(0, -digitsOfPrefix);
}

/** The end of the interval of that prefix: its last character is a digit, and the one behind it comes next. */
function endOf(number: number): string {
  const prefix = prefixOf(number);
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

function expectKeys(count: number, chunk: Uint8Array, from: number, to: number): void {
  const { kvs } = range.response.decode(chunk, from, to);
  if (kvs.length !== count) throw new Error(`a range found ${kvs.length} keys, not ${count}`);
  for (const { key, value } of kvs) {
    if (value.length !== valueBytes) throw new Error(`${key} has a value of ${value.length} bytes`);
  }
}
