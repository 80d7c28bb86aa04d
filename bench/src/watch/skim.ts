/**
 * Reads of a WatchResponse only what a load driver must know of each: whose it is and how many events it brings. Fully
 * decoded it would cost the driver more than the server spent on it.
 */

/** What was found; one object is used again and again. */
export interface Skimmed {
  watchId: number;
  events: number;
  isCreated: boolean;
  isCanceled: boolean;
}

export function newSkimmed(): Skimmed {
  return { watchId: 0, events: 0, isCreated: false, isCanceled: false };
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const watchIdTag = (2 << 3) | VARINT;
const createdTag = (3 << 3) | VARINT;
const canceledTag = (4 << 3) | VARINT;
const eventsTag = (11 << 3) | LENGTH_DELIMITED;

/** Where the reader stands; a field of the module, so that reading a number allocates nothing. */
let position = 0;

/**
 * Skims the encoded WatchResponse in `bytes` from `from` up to `to`.
 * @throws RangeError when it is no such message.
 */
export function skimWatchResponse(bytes: Uint8Array, from: number, to: number, into: Skimmed): void {
  into.watchId = 0;
  into.events = 0;
  into.isCreated = false;
  into.isCanceled = false;
  position = from;
  while (position < to) {
    const tag = varint(bytes);
    const value = varint(bytes);
    const wireType = tag & 7;
    if (wireType === LENGTH_DELIMITED) position += value;
    else if (wireType !== VARINT) throw new RangeError(`a watch response with a field of wire type ${wireType}`);
    if (tag === eventsTag) into.events += 1;
    else if (tag === watchIdTag) into.watchId = value;
    else if (tag === createdTag) into.isCreated = value !== 0;
    else if (tag === canceledTag) into.isCanceled = value !== 0;
  }
  if (position !== to) throw new RangeError("a watch response that ends within a field");
}

/** A number below 2^53; the ids of member and cluster, which are larger, lie within the header and are skipped with it. */
function varint(bytes: Uint8Array): number {
  let value = 0;
  for (let scale = 1; scale < 2 ** 56; scale *= 128) {
    const byte = bytes[position++] ?? 0;
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
  throw new RangeError("a number longer than 53 bits");
}
