/** Frames as bytes, for tests that must be able to send what no honest peer sends. Shares no code with the transport. */
import { constantBlock } from "../hpack/index.js";

/** A frame as it arrived. */
export interface RawFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
  /** Of HEADERS. */
  readonly fields: ReadonlyMap<string, string>;
}

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

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = new Uint8Array(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId >>> 0, 5);
  return Buffer.concat([head, payload]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function settings(...entries: readonly (readonly [number, number])[]): Buffer {
  const payload = Buffer.alloc(entries.length * 6);
  entries.forEach(([identifier, value], at) => {
    payload.writeUInt16BE(identifier, at * 6);
    payload.writeUInt32BE(value, at * 6 + 2);
  });
  return frame(Type.settings, 0, 0, payload);
}

export function block(fields: Iterable<readonly [string, string]>): Uint8Array {
  const list = [...fields];
  return constantBlock({ names: list.map(([name]) => name), values: list.map(([, value]) => value) });
}

/** The fields of an honest gRPC request. */
export function requestFields(path: string, extra: Iterable<readonly [string, string]> = []): [string, string][] {
  return [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "localhost"],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
    ...[...extra].map(([name, value]): [string, string] => [name, value]),
  ];
}

export function headers(streamId: number, fields: Iterable<readonly [string, string]>, flags = 0): Buffer {
  return frame(Type.headers, Flag.endHeaders | flags, streamId, block(fields));
}

/** A gRPC message with its prefix. */
export function message(body: Uint8Array | string, flag = 0): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from([flag]), uint32(bytes.length), bytes]);
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

export function ping(text: string, flags = 0): Buffer {
  return frame(Type.ping, flags, 0, Buffer.from(text.padEnd(8).slice(0, 8)));
}

/** A whole unary request in one piece. */
export function unaryRequest(streamId: number, path: string, body: Uint8Array | string): Buffer {
  return Buffer.concat([headers(streamId, requestFields(path)), data(streamId, message(body), Flag.endStream)]);
}
