/**
 * Keys as byte strings.
 *
 * A key on the wire is any sequence of bytes. Inside Holdfast it is a JavaScript string with one
 * character (0–255) per byte, made with latin1: it compares in byte order with `<`, hashes in a
 * `Map`, and is half the size of an object. The brand keeps it from being mixed up with text; a
 * byte string never reaches a user interface undecoded.
 */

declare const byteStringBrand: unique symbol;

/** One character (0–255) per byte; `<` and `>` compare it bytewise. */
export type ByteString = string & { readonly [byteStringBrand]: true };

/** The empty key. */
export const emptyByteString = "" as ByteString;

/** The byte string with the same bytes as `bytes`. */
export function byteStringFromBytes(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1") as ByteString;
}

/** The byte string holding the UTF-8 encoding of `text`. */
export function byteStringFromText(text: string): ByteString {
  return Buffer.from(text, "utf8").toString("latin1") as ByteString;
}

/** A fresh copy of the bytes of `key`. */
export function bytesFromByteString(key: ByteString): Uint8Array {
  return Buffer.from(key, "latin1");
}

/** `key` read as UTF-8 (for people; invalid sequences become U+FFFD). */
export function textFromByteString(key: ByteString): string {
  return Buffer.from(key, "latin1").toString("utf8");
}
