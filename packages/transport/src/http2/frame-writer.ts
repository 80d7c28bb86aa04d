/** Writes frames (RFC 9113, section 6) into an `Output`. What to send, and when, is decided elsewhere. */
import type { Output } from "./output.js";
import {
  CONTINUATION,
  DATA,
  FLAG_ACK,
  FLAG_END_HEADERS,
  FLAG_END_STREAM,
  FRAME_BYTES_DEFAULT,
  FRAME_HEADER_BYTES,
  GOAWAY,
  HEADERS,
  PING,
  RST_STREAM,
  SETTINGS,
  WINDOW_UPDATE,
} from "./protocol.js";

/** One SETTINGS entry: identifier and value. */
export type SettingsEntry = readonly [identifier: number, value: number];

/** Writes a frame header and makes room for the payload; returns the offset of the payload. */
export function writeFrameHeader(
  output: Output,
  length: number,
  type: number,
  flags: number,
  streamId: number,
): number {
  const at = output.reserve(FRAME_HEADER_BYTES + length);
  const bytes = output.bytes;
  bytes[at] = length >>> 16;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length;
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  writeUint32(bytes, at + 5, streamId);
  return at + FRAME_HEADER_BYTES;
}

function writeUint32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** DATA whose payload is `head` followed by `body`; together no longer than the peer's frame size. */
export function writeData(output: Output, streamId: number, head: Uint8Array, body: Uint8Array, last: boolean): void {
  const length = head.length + body.length;
  const at = writeFrameHeader(output, length, DATA, last ? FLAG_END_STREAM : 0, streamId);
  putBytes(output.bytes, putBytes(output.bytes, at, head), body);
}

/** Up to here a loop copies faster than a call to `set`. */
const SHORT_BYTES = 32;

/** Copies `source` to `at` and returns where it ends. */
export function putBytes(bytes: Buffer, at: number, source: Uint8Array): number {
  const { length } = source;
  if (length > SHORT_BYTES) bytes.set(source, at);
  else for (let i = 0; i < length; i++) bytes[at + i] = source[i];
  return at + length;
}

/** HEADERS, followed by CONTINUATION if `block` is longer than the frame size that every peer accepts (6.5.2). */
export function writeHeaders(output: Output, streamId: number, block: Uint8Array, last: boolean): void {
  const endStream = last ? FLAG_END_STREAM : 0;
  if (block.length > FRAME_BYTES_DEFAULT) {
    writeLongHeaders(output, streamId, block, endStream);
    return;
  }
  const at = writeFrameHeader(output, block.length, HEADERS, endStream | FLAG_END_HEADERS, streamId);
  output.bytes.set(block, at);
}

function writeLongHeaders(output: Output, streamId: number, block: Uint8Array, endStream: number): void {
  for (let start = 0; start < block.length; start += FRAME_BYTES_DEFAULT) {
    const part = block.subarray(start, start + FRAME_BYTES_DEFAULT);
    const endHeaders = start + FRAME_BYTES_DEFAULT >= block.length ? FLAG_END_HEADERS : 0;
    const type = start === 0 ? HEADERS : CONTINUATION;
    const flags = start === 0 ? endStream | endHeaders : endHeaders;
    const at = writeFrameHeader(output, part.length, type, flags, streamId);
    output.bytes.set(part, at);
  }
}

/** RST_STREAM with an error code. */
export function writeReset(output: Output, streamId: number, code: number): void {
  const at = writeFrameHeader(output, 4, RST_STREAM, 0, streamId);
  writeUint32(output.bytes, at, code);
}

/** WINDOW_UPDATE; stream 0 means the connection. */
export function writeWindowUpdate(output: Output, streamId: number, increment: number): void {
  const at = writeFrameHeader(output, 4, WINDOW_UPDATE, 0, streamId);
  writeUint32(output.bytes, at, increment);
}

/** SETTINGS with the given entries. */
export function writeSettings(output: Output, entries: readonly SettingsEntry[]): void {
  let at = writeFrameHeader(output, entries.length * 6, SETTINGS, 0, 0);
  for (const [identifier, value] of entries) {
    output.bytes[at] = identifier >>> 8;
    output.bytes[at + 1] = identifier;
    writeUint32(output.bytes, at + 2, value);
    at += 6;
  }
}

/** The acknowledgement of the peer's SETTINGS. */
export function writeSettingsAck(output: Output): void {
  writeFrameHeader(output, 0, SETTINGS, FLAG_ACK, 0);
}

/** PING, or its acknowledgement, with the eight bytes of `payload` from `start`. */
export function writePing(output: Output, ack: boolean, payload: Buffer, start: number): void {
  const at = writeFrameHeader(output, 8, PING, ack ? FLAG_ACK : 0, 0);
  payload.copy(output.bytes, at, start, start + 8);
}

/** GOAWAY; `reason` is for the people who read the peer's logs. */
export function writeGoaway(output: Output, lastStreamId: number, code: number, reason: string): void {
  const debug = Buffer.from(reason, "utf8");
  const at = writeFrameHeader(output, 8 + debug.length, GOAWAY, 0, 0);
  writeUint32(output.bytes, at, lastStreamId);
  writeUint32(output.bytes, at + 4, code);
  debug.copy(output.bytes, at + 8);
}
