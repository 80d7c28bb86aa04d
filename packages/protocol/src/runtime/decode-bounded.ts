/**
 * Decodes what comes from somebody who is not trusted. A few megabytes can hold a million empty messages, each of which
 * becomes an object before anybody has counted them (fault-model F45).
 */
import { lentBytesMin } from "../limits.js";
import type { MessageCodec } from "./descriptors.js";
import { sharedReader } from "./reader.js";

/**
 * As `codec.decode` of `bytes[start..end)`, but values are views of `bytes`, for whoever is done with the message before these
 * change: a copy took a tenth of what it took to apply a logged put.
 */
export function decodeLent<Message>(
  codec: MessageCodec<Message>,
  bytes: Uint8Array,
  start: number,
  end: number,
): Message {
  sharedReader.lendNext();
  return codec.decode(bytes, start, end);
}

/**
 * As `codec.decode`, but throws `TooManyItemsError` as soon as more than `itemsMax` items have been found, on all levels
 * together. Items are nested messages, texts and elements of lists: what takes far more time and memory to read than its
 * bytes to send.
 *
 * `isLasting` says that nobody will write to `bytes` any more: long values are not copied then (a copy in new memory takes 20 µs for
 * 64 KiB), and keep all of `bytes` alive.
 */
export function decodeBounded<Message>(
  codec: MessageCodec<Message>,
  bytes: Uint8Array,
  itemsMax: number,
  isLasting = false,
): Message {
  if (isLasting) sharedReader.keepNext();
  return decodeWithin(codec, bytes, itemsMax);
}

/**
 * As `decodeBounded`, but values longer than `lentBytesMin` are views of `bytes`, for whoever is done with the message, or has them
 * taken from a copy, before these change.
 */
export function decodeBoundedLent<Message>(codec: MessageCodec<Message>, bytes: Uint8Array, itemsMax: number): Message {
  sharedReader.lendNext(lentBytesMin);
  return decodeWithin(codec, bytes, itemsMax);
}

function decodeWithin<Message>(codec: MessageCodec<Message>, bytes: Uint8Array, itemsMax: number): Message {
  // Each takes a byte at least.
  if (bytes.length > itemsMax) sharedReader.boundNext(itemsMax);
  return codec.decode(bytes);
}
