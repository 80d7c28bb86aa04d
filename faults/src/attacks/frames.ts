/**
 * HTTP/2 frames and header blocks as bytes, for attackers: anything can be built, right or wrong. Frames are those of the
 * transport's own tests; header blocks are written out here, representation by representation.
 */
import { data, Flag, frame, message, PREFACE, requestFields, settings, Type } from "@holdfast/transport/testing";

export {
  Code,
  data,
  Flag,
  frame,
  message,
  PREFACE,
  requestFields,
  reset,
  settings,
  Type,
  uint32,
  windowUpdate,
} from "@holdfast/transport/testing";

export const Setting = { headerTable: 1, initialWindow: 4, maxFrame: 5 } as const;

const NOTHING = new Uint8Array(0);

/** What a client says first. */
export function greeting(...entries: readonly (readonly [identifier: number, value: number])[]): Buffer {
  return Buffer.concat([PREFACE, settings(...entries), frame(Type.settings, Flag.ack, 0)]);
}

/** An integer with a prefix of `prefixBits` bits below `pattern` (RFC 7541, 5.1). */
function integer(value: number, prefixBits: number, pattern: number): number[] {
  const largest = 2 ** prefixBits - 1;
  if (value < largest) return [pattern | value];
  const bytes = [pattern | largest];
  let left = value - largest;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  bytes.push(left);
  return bytes;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, "latin1");
  return Buffer.concat([Buffer.from(integer(bytes.length, 7, 0)), bytes]);
}

/** A field with its name and value written out; `indexed`: and kept in the table as its newest entry (RFC 7541, 6.2). */
export function literal(name: string, value: string, indexed = false): Buffer {
  return Buffer.concat([Buffer.from([indexed ? 0x40 : 0]), text(name), text(value)]);
}

/** The index of the newest entry of the dynamic table. */
export const NEWEST_ENTRY = 62;

/** A field that the table holds (RFC 7541, 6.1). */
export function reference(index: number): Buffer {
  return Buffer.from(integer(index, 7, 0x80));
}

export type Fields = readonly (readonly [name: string, value: string])[];

export function block(fields: Fields): Buffer {
  return Buffer.concat(fields.map(([name, value]) => literal(name, value)));
}

export function headers(streamId: number, fields: Fields, flags = 0): Buffer {
  return frame(Type.headers, Flag.endHeaders | flags, streamId, block(fields));
}

export function ping(number: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(number >>> 0);
  return frame(Type.ping, 0, 0, payload);
}

/** A whole unary request. */
export function unaryRequest(streamId: number, path: string, body: Uint8Array = NOTHING): Buffer {
  return Buffer.concat([headers(streamId, requestFields(path)), data(streamId, message(body), Flag.endStream)]);
}
