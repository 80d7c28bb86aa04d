/**
 * RFC 9113 and 7541, case by case, with raw frames (F43). The list follows what h2spec asks, so that it can be checked
 * where that tool is not at hand. Each case ends in a connection error, a stream error, or an answer.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  block,
  Code,
  data,
  Flag,
  frame,
  headers,
  message,
  PREFACE,
  requestFields,
  reset,
  settings,
  Type,
  uint32,
  windowUpdate,
} from "../testing/raw-frames.js";
import { CHAT, ECHO, HOLD, TestServer } from "../testing/test-server.js";

interface Case {
  readonly sends: readonly Uint8Array[];
  /** Code of the GOAWAY that ends the connection. */
  readonly connectionError?: number;
  /** Code of the RST_STREAM for stream 1. */
  readonly streamError?: number;
}

const HONEST = requestFields(ECHO);
const CALL = [headers(1, HONEST), data(1, message("x"), Flag.endStream)];
/** A call that stays open on both sides. */
const OPEN = headers(1, requestFields(CHAT));
/** A call whose request is over, and whose answer does not come. */
const HALF_CLOSED = Buffer.concat([headers(1, requestFields(HOLD)), data(1, message("x"), Flag.endStream)]);
const BLOCK = block(HONEST);
const SELF = Buffer.concat([uint32(1), Buffer.from([255])]);
const UNKNOWN_TYPE = frame(0x16, 0xff, 0, Buffer.from("whatever"));

function withBlock(...bytes: number[]): Uint8Array[] {
  return [frame(Type.headers, Flag.endHeaders | Flag.endStream, 1, Buffer.concat([BLOCK, Buffer.from(bytes)]))];
}

function fields(change: (list: [string, string][]) => [string, string][]): Uint8Array[] {
  return [headers(1, change([...HONEST]), Flag.endStream)];
}

const CASES: Record<string, Case> = {
  "4.1: unknown frame types are ignored": { sends: [UNKNOWN_TYPE, ...CALL] },
  "4.1: undefined flags are ignored": { sends: [frame(Type.ping, 0xfe, 0, Buffer.alloc(8)), ...CALL] },
  "4.1: the reserved bit of a stream id is ignored": {
    sends: [frame(Type.headers, Flag.endHeaders, 0x80000001, BLOCK), data(1, message("x"), Flag.endStream)],
  },
  "4.2: DATA of 16,384 bytes is fine": {
    sends: [headers(1, HONEST), data(1, message(Buffer.alloc(16_379)), Flag.endStream)],
  },
  "4.2: DATA above 16,384 bytes": { sends: [OPEN, data(1, Buffer.alloc(16_385))], connectionError: Code.frameSize },
  "4.2: HEADERS above 16,384 bytes": {
    sends: [frame(Type.headers, Flag.endHeaders, 1, Buffer.alloc(16_385))],
    connectionError: Code.frameSize,
  },
  "4.3: a block that is not HPACK": {
    sends: [frame(Type.headers, Flag.endHeaders, 1, Buffer.from([0x40]))],
    connectionError: Code.compression,
  },
  "4.3: another frame inside a header block": {
    sends: [frame(Type.headers, 0, 1, BLOCK), frame(Type.priority, 0, 1, Buffer.alloc(5))],
    connectionError: Code.protocol,
  },
  "4.3: another stream's HEADERS inside a header block": {
    sends: [frame(Type.headers, 0, 1, BLOCK), headers(3, HONEST)],
    connectionError: Code.protocol,
  },
  "5.1: DATA on an idle stream": { sends: [data(1, Buffer.from("x"))], connectionError: Code.protocol },
  "5.1: RST_STREAM on an idle stream": { sends: [reset(1, Code.cancel)], connectionError: Code.protocol },
  "5.1: WINDOW_UPDATE on an idle stream": { sends: [windowUpdate(1, 1)], connectionError: Code.protocol },
  "5.1: CONTINUATION on an idle stream": {
    sends: [frame(Type.continuation, Flag.endHeaders, 1, BLOCK)],
    connectionError: Code.protocol,
  },
  "5.1: PRIORITY on an idle stream is fine": { sends: [frame(Type.priority, 0, 9, Buffer.alloc(5)), ...CALL] },
  "5.1: DATA after the end of the request": {
    sends: [HALF_CLOSED, data(1, Buffer.from("x"))],
    streamError: Code.streamClosed,
  },
  "5.1: HEADERS after the end of the request": {
    sends: [HALF_CLOSED, headers(1, HONEST)],
    streamError: Code.streamClosed,
  },
  "5.1: CONTINUATION after the end of the request": {
    sends: [HALF_CLOSED, frame(Type.continuation, Flag.endHeaders, 1, BLOCK)],
    connectionError: Code.protocol,
  },
  "5.1: WINDOW_UPDATE and PRIORITY after the end of the request are fine": {
    sends: [
      headers(1, HONEST),
      data(1, message("x"), Flag.endStream),
      windowUpdate(1, 1),
      frame(Type.priority, 0, 1, Buffer.alloc(5)),
    ],
  },
  "5.1: DATA after our RST_STREAM came": {
    sends: [OPEN, reset(1, Code.cancel), data(1, Buffer.from("x"))],
    streamError: Code.streamClosed,
  },
  "5.1: HEADERS after the peer's RST_STREAM": {
    sends: [OPEN, reset(1, Code.cancel), headers(1, HONEST)],
    connectionError: Code.streamClosed,
  },
  "5.1: HEADERS on a closed stream": { sends: [...CALL, headers(1, HONEST)], connectionError: Code.streamClosed },
  "5.1.1: an even stream id": { sends: [headers(2, HONEST)], connectionError: Code.protocol },
  "5.1.1: a stream id below the last": {
    sends: [headers(5, HONEST), headers(3, HONEST)],
    connectionError: Code.protocol,
  },
  "5.3.1: HEADERS that depend on themselves": {
    sends: [frame(Type.headers, Flag.endHeaders | Flag.priority, 1, Buffer.concat([SELF, BLOCK]))],
    streamError: Code.protocol,
  },
  "5.3.1: PRIORITY on itself": { sends: [frame(Type.priority, 0, 1, SELF)], streamError: Code.protocol },
  "6.1: DATA on stream 0": { sends: [data(0, Buffer.from("x"))], connectionError: Code.protocol },
  "6.1: padding as long as the payload": {
    sends: [OPEN, data(1, Buffer.from([3, 0, 0]), Flag.padded)],
    connectionError: Code.protocol,
  },
  "6.1: a padded frame without a length": {
    sends: [OPEN, data(1, Buffer.alloc(0), Flag.padded)],
    connectionError: Code.protocol,
  },
  "6.2: HEADERS on stream 0": { sends: [headers(0, HONEST)], connectionError: Code.protocol },
  "6.2: HEADERS with too much padding": {
    sends: [frame(Type.headers, Flag.endHeaders | Flag.padded, 1, Buffer.concat([Buffer.from([255]), BLOCK]))],
    connectionError: Code.protocol,
  },
  "6.2: HEADERS with padding and priority are fine": {
    sends: [
      frame(
        Type.headers,
        Flag.endHeaders | Flag.padded | Flag.priority,
        1,
        Buffer.concat([Buffer.from([4, 0, 0, 0, 0, 16]), BLOCK, Buffer.alloc(4)]),
      ),
      data(1, message("x"), Flag.endStream),
    ],
  },
  "6.2: HEADERS too short for their priority": {
    sends: [frame(Type.headers, Flag.endHeaders | Flag.priority, 1, Buffer.alloc(3))],
    connectionError: Code.frameSize,
  },
  "6.3: PRIORITY on stream 0": { sends: [frame(Type.priority, 0, 0, Buffer.alloc(5))], connectionError: Code.protocol },
  "6.3: PRIORITY of wrong length": {
    sends: [OPEN, frame(Type.priority, 0, 1, Buffer.alloc(6))],
    streamError: Code.frameSize,
  },
  "6.4: RST_STREAM on stream 0": { sends: [reset(0, Code.cancel)], connectionError: Code.protocol },
  "6.4: RST_STREAM of wrong length": {
    sends: [OPEN, frame(Type.reset, 0, 1, Buffer.alloc(3))],
    connectionError: Code.frameSize,
  },
  "6.5: SETTINGS acknowledgement with content": {
    sends: [frame(Type.settings, Flag.ack, 0, Buffer.alloc(6))],
    connectionError: Code.frameSize,
  },
  "6.5: SETTINGS on a stream": { sends: [frame(Type.settings, 0, 1)], connectionError: Code.protocol },
  "6.5: SETTINGS of wrong length": {
    sends: [frame(Type.settings, 0, 0, Buffer.alloc(7))],
    connectionError: Code.frameSize,
  },
  "6.5.2: ENABLE_PUSH of 2": { sends: [settings([2, 2])], connectionError: Code.protocol },
  "6.5.2: INITIAL_WINDOW_SIZE above 2^31-1": { sends: [settings([4, 0x80000000])], connectionError: Code.flowControl },
  "6.5.2: MAX_FRAME_SIZE below 16,384": { sends: [settings([5, 16_383])], connectionError: Code.protocol },
  "6.5.2: MAX_FRAME_SIZE above 2^24-1": { sends: [settings([5, 16_777_216])], connectionError: Code.protocol },
  "6.5.2: unknown settings are ignored": { sends: [settings([0xff, 1]), ...CALL] },
  "6.6: PUSH_PROMISE from a client": {
    sends: [OPEN, frame(Type.pushPromise, Flag.endHeaders, 1, Buffer.concat([uint32(2), BLOCK]))],
    connectionError: Code.protocol,
  },
  "6.7: an unexpected PING acknowledgement is ignored": {
    sends: [frame(Type.ping, Flag.ack, 0, Buffer.alloc(8)), ...CALL],
  },
  "6.7: PING on a stream": { sends: [frame(Type.ping, 0, 1, Buffer.alloc(8))], connectionError: Code.protocol },
  "6.7: PING of wrong length": { sends: [frame(Type.ping, 0, 0, Buffer.alloc(6))], connectionError: Code.frameSize },
  "6.8: GOAWAY on a stream": { sends: [frame(Type.goaway, 0, 1, Buffer.alloc(8))], connectionError: Code.protocol },
  "6.8: GOAWAY too short": { sends: [frame(Type.goaway, 0, 0, Buffer.alloc(7))], connectionError: Code.frameSize },
  "6.8: calls go on after the client's GOAWAY": { sends: [frame(Type.goaway, 0, 0, Buffer.alloc(8)), ...CALL] },
  "6.9: WINDOW_UPDATE of zero on the connection": { sends: [windowUpdate(0, 0)], connectionError: Code.protocol },
  "6.9: WINDOW_UPDATE of zero on a stream": { sends: [OPEN, windowUpdate(1, 0)], streamError: Code.protocol },
  "6.9: WINDOW_UPDATE of wrong length": {
    sends: [frame(Type.windowUpdate, 0, 0, Buffer.alloc(3))],
    connectionError: Code.frameSize,
  },
  "6.9.1: the connection's window overflows": {
    sends: [windowUpdate(0, 0x7fffffff)],
    connectionError: Code.flowControl,
  },
  "6.9.1: a stream's window overflows": { sends: [OPEN, windowUpdate(1, 0x7fffffff)], streamError: Code.flowControl },
  "6.9.2: a changed initial window overflows an open stream": {
    sends: [OPEN, windowUpdate(1, 0x7fff0000), settings([4, 0x7fffffff])],
    connectionError: Code.flowControl,
  },
  "6.10: CONTINUATION on stream 0": {
    sends: [frame(Type.headers, 0, 1, BLOCK), frame(Type.continuation, Flag.endHeaders, 0)],
    connectionError: Code.protocol,
  },
  "6.10: CONTINUATION of another stream": {
    sends: [frame(Type.headers, 0, 1, BLOCK), frame(Type.continuation, Flag.endHeaders, 3)],
    connectionError: Code.protocol,
  },
  "6.10: CONTINUATION after the end of the block": {
    sends: [headers(1, HONEST), frame(Type.continuation, Flag.endHeaders, 1)],
    connectionError: Code.protocol,
  },
  "7: unknown error codes are accepted": {
    sends: [OPEN, reset(1, 0xff), headers(3, HONEST), data(3, message("x"), Flag.endStream)],
  },
  "8.1: a second HEADERS without END_STREAM": { sends: [OPEN, headers(1, [["x", "y"]])], streamError: Code.protocol },
  "8.1: pseudo-headers in trailers": {
    sends: [OPEN, headers(1, [[":method", "x"]], Flag.endStream)],
    streamError: Code.protocol,
  },
  "8.2.1: an upper-case name": { sends: fields((list) => [...list, ["X-Test", "1"]]), streamError: Code.protocol },
  "8.2.2: a connection-specific field": {
    sends: fields((list) => [...list, ["connection", "keep-alive"]]),
    streamError: Code.protocol,
  },
  "8.3: a pseudo-header after a field": {
    sends: fields((list) => [...list.slice(1), list[0]]),
    streamError: Code.protocol,
  },
  "8.3.1: no :path": { sends: fields((list) => list.filter(([name]) => name !== ":path")), streamError: Code.protocol },
  "8.6: an upgrade is not asked for in HTTP/2": {
    sends: fields((list) => [...list, ["upgrade", "x"]]),
    streamError: Code.protocol,
  },
  "RFC 7541 2.3.3: an index beyond the tables": {
    sends: withBlock(0xff, 0xff, 0x7f),
    connectionError: Code.compression,
  },
  "RFC 7541 4.2: a table size update after a field": { sends: withBlock(0x20), connectionError: Code.compression },
  "RFC 7541 5.2: Huffman padding above 7 bits": {
    sends: withBlock(0x00, 0x85, 0xf2, 0xb2, 0x4a, 0x84, 0xff, 0x84, 0x49, 0x50, 0x9f, 0xff),
    connectionError: Code.compression,
  },
  "RFC 7541 6.1: index 0": { sends: withBlock(0x80), connectionError: Code.compression },
  "RFC 7541 6.3: a table larger than we allow": {
    sends: [frame(Type.headers, Flag.endHeaders, 1, Buffer.concat([Buffer.from([0x3f, 0xe2, 0x1f]), BLOCK]))],
    connectionError: Code.compression,
  },
};

for (const [what, { sends, connectionError, streamError }] of Object.entries(CASES)) {
  test(`RFC 9113 ${what}`, async (t) => {
    const server = await TestServer.start();
    t.after(() => server.stop());
    const peer = await server.peer();
    peer.send(...sends);
    if (connectionError !== undefined) {
      assert.equal((await peer.goaway()).code, connectionError);
      await peer.closed;
      assert.equal(server.grpc.streamCount, 0);
      return;
    }
    if (streamError !== undefined) assert.equal(await peer.resetCode(1), streamError);
    else await peer.next((seen) => seen.type === Type.headers && (seen.flags & Flag.endStream) !== 0);
    assert.equal(
      peer.frames.some((seen) => seen.type === Type.goaway),
      false,
    );
    await peer.roundTrip();
  });
}

const FIRST: Record<string, Uint8Array> = {
  "a wrong preface": Buffer.from("INVALID CONNECTION PREFACE\r\n\r\n"),
  "a first frame other than SETTINGS": Buffer.concat([PREFACE, frame(Type.ping, 0, 0, Buffer.alloc(8))]),
  "an acknowledgement first": Buffer.concat([PREFACE, frame(Type.settings, Flag.ack, 0)]),
};

for (const [what, bytes] of Object.entries(FIRST)) {
  test(`RFC 9113 3.4: ${what}`, async (t) => {
    const server = await TestServer.start();
    t.after(() => server.stop());
    const peer = await server.silentPeer();
    peer.send(bytes);
    assert.equal((await peer.goaway()).code, Code.protocol);
    await peer.closed;
  });
}

test("RFC 9113 3.4: the preface may come in pieces, with the first frames right behind it", async (t) => {
  const server = await TestServer.start();
  t.after(() => server.stop());
  const peer = await server.silentPeer();
  const all = Buffer.concat([PREFACE, settings(), ...CALL]);
  for (const byte of all) {
    peer.send(Buffer.from([byte]));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal((await peer.nextHeaders(1)).get(":status"), "200");
});
