/**
 * What a pair of `key` and `range_end` means (KV-1).
 */
import type { ByteString } from "@holdfast/protocol";

/** As `range_end`: every key from `key` on. */
export const openRangeEnd = "\0" as ByteString;

/** Greater than every key: the end, as a bound, of an interval without one. Itself no key, having a character above 255. */
export const endOfKeys = "\u0100" as ByteString;

/** Whether the pair names one key and no interval. */
export function isSingleKey(rangeEnd: ByteString): boolean {
  return rangeEnd.length === 0;
}

/** The first key behind the interval, or undefined when it has no end. Not for single keys. */
export function upperBound(rangeEnd: ByteString): ByteString | undefined {
  return rangeEnd === openRangeEnd ? undefined : rangeEnd;
}

/** Whether `key`/`rangeEnd` covers `candidate`. */
export function covers(key: ByteString, rangeEnd: ByteString, candidate: ByteString): boolean {
  if (rangeEnd.length === 0) return candidate === key;
  return candidate >= key && (rangeEnd === openRangeEnd || candidate < rangeEnd);
}

/** The smallest key greater than `key`. */
export function keyAfter(key: ByteString): ByteString {
  return `${key}\0` as ByteString;
}
