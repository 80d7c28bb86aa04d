/** The interval of all keys of one lock or election. */
import type { ByteString } from "@holdfast/protocol";

/** The exclusive end of a prefix that ends with "/": "0" is the byte after it. */
export function prefixEnd(prefix: ByteString): ByteString {
  return `${prefix.slice(0, -1)}0` as ByteString;
}
