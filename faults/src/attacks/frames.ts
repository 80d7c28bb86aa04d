/**
 * HTTP/2 frames and header blocks as bytes, for attackers: anything can be built, right or wrong. Shares no code with the
 * server's transport.
 */

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const Type = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const Flag = { ack: 1, endStream: 1, endHeaders: 4, padded: 8, priority: 32 } as const;

/** Error codes of RFC 9113, 7. */
export const Code = {
  none: 0,
  protocol: 1,
  internal: 2,
  flowControl: 3,
  streamClosed: 5,
  frameSize: 6,
  refused: 7,
  cancel: 8,
  compression: 9,
  calm: 11,
} as const;

export const Setting = { headerTable: 1, initialWindow: 4, maxFrame: 5 } as const;

const NOTHING = new Uint8Array(0);

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = NOTHING): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(streamId >>> 0, 5);
  bytes.set(payload, 9);
  return bytes;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function settings(...entries: readonly (readonly [identifier: number, value: number])[]): Buffer {
  const payload = Buffer.alloc(entries.length * 6);
  for (const [at, [identifier, value]] of entries.entries()) {
    payload.writeUInt16BE(identifier, at * 6);
    payload.writeUInt32BE(value, at * 6 + 2);
  }
  return frame(Type.settings, 0, 0, payload);
}

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

/** The fields of an honest gRPC request. */
export function requestFields(path: string, extra: Fields = []): Fields {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "localhost"],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
    ...extra,
  ];
}

export function headers(streamId: number, fields: Fields, flags = 0): Buffer {
  return frame(Type.headers, Flag.endHeaders | flags, streamId, block(fields));
}

export function data(streamId: number, payload: Uint8Array, flags = 0): Buffer {
  return frame(Type.data, flags, streamId, payload);
}

export function reset(streamId: number, code: number): Buffer {
  return frame(Type.reset, 0, streamId, uint32(code));
}

export function windowUpdate(streamId: number, increment: number): Buffer {
  return frame(Type.windowUpdate, 0, streamId, uint32(increment));
}

export function ping(number: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(number >>> 0);
  return frame(Type.ping, 0, 0, payload);
}

/** A gRPC message with its prefix. */
export function message(body: Uint8Array, flag = 0): Buffer {
  return Buffer.concat([Buffer.from([flag]), uint32(body.length), body]);
}

/** A whole unary request. */
export function unaryRequest(streamId: number, path: string, body: Uint8Array = NOTHING): Buffer {
  return Buffer.concat([headers(streamId, requestFields(path)), data(streamId, message(body), Flag.endStream)]);
}
