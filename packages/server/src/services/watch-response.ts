/**
 * The parts of a watch response, for those who write it field by field: its head, and events, of which those with a packed pair
 * are copied once.
 */
import { EventType, encodeSharedEvent, fieldTag, PackedKeyValue, WireType, type Writer } from "@holdfast/protocol";
import type { KeyVersion } from "@holdfast/state-machine";
import type { ServiceContext } from "./context.js";

/** Tags of `WatchResponse`. */
const watchIdTag = fieldTag(2, WireType.varint);
const fragmentTag = fieldTag(7, WireType.varint);
export const eventsTag = fieldTag(11, WireType.lengthDelimited);

/** Begins a response to the watch with this id, up to its events. */
export function writeHead(
  writer: Writer,
  context: ServiceContext,
  watchId: bigint,
  headerRevision: number,
  isFragment: boolean,
): void {
  writer.reset();
  context.writeHeader(writer, headerRevision);
  if (watchId !== 0n) writer.int64BigIntField(watchIdTag, watchId);
  if (isFragment) writer.boolField(fragmentTag, true);
}

/** A version without a number is the end of its key. */
export function eventTypeOf({ version }: Pick<KeyVersion, "version">): EventType {
  return version === 0 ? EventType.DELETE : EventType.PUT;
}

/** Tags of `Event`. */
const typeTag = fieldTag(1, WireType.varint);
const pairTag = fieldTag(2, WireType.lengthDelimited);

/** Appends an event without its previous pair to a response. One that is packed, as all of the store are, is copied once. */
export function writeEventField(writer: Writer, version: KeyVersion): void {
  const type = eventTypeOf(version);
  if (!(version instanceof PackedKeyValue)) {
    writer.bytesField(eventsTag, encodeSharedEvent({ type, kv: version, prevKv: undefined }));
    return;
  }
  const isDeletion = type === EventType.DELETE;
  writer.tag(eventsTag);
  writer.varint32(fieldBytes(version.length) + (isDeletion ? typeBytes : 0));
  if (isDeletion) writer.int32Field(typeTag, type);
  writer.tag(pairTag);
  writer.varint32(version.length);
  writer.packed(version);
}

/** What the type of an event takes, where it has one. */
const typeBytes = 2;

/** What an event takes in a response: its tag and its length come before it. */
export function bytesInResponse(event: Uint8Array): number {
  return fieldBytes(event.length);
}

/** What a field with a tag of one byte takes. */
function fieldBytes(length: number): number {
  let bytes = length + 2;
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) bytes++;
  return bytes;
}
