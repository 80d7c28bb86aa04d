/** Messages longer than a frame: which of their frames leave at once, and which wait. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { message, type RawFrame, Type, unaryRequest, windowUpdate } from "../testing/raw-frames.js";
import type { RawPeer } from "../testing/raw-peer.js";
import { STREAM, serve } from "../testing/test-server.js";
import type { Method } from "./types.js";

const FRAME_BYTES = 16_384;
const WIDE = 1 << 22;

/** Not all alike, so that a part in a wrong place shows. */
function pattern(byteCount: number): Buffer {
  return Buffer.from(Array.from({ length: byteCount }, (_, at) => (at * 31) >>> 3));
}

function dataFrames(peer: RawPeer, streamId: number): RawFrame[] {
  return peer.frames.filter((frame) => frame.type === Type.data && frame.streamId === streamId);
}

/** Widens both windows bit by bit until the stream has ended. */
async function receiveAll(peer: RawPeer, streamId: number, stepBytes: number): Promise<Buffer> {
  const ended = () => peer.frames.some(({ streamId: id, fields }) => id === streamId && fields.has("grpc-status"));
  for (let steps = 0; !ended(); steps++) {
    assert.ok(steps < 1_000, "waited in vain");
    peer.send(windowUpdate(streamId, stepBytes), windowUpdate(0, stepBytes));
    await peer.roundTrip();
  }
  return Buffer.concat(dataFrames(peer, streamId).map(({ payload }) => payload));
}

test("a message of any length arrives whole, whatever part of it the windows and the socket take at once", async (t) => {
  const server = await serve(t);
  for (const window of [1, 20_000, WIDE]) {
    const peer = await server.peer([4, window]);
    if (window === WIDE) peer.send(windowUpdate(0, WIDE));
    const lengths = [FRAME_BYTES - 5, FRAME_BYTES - 4, 2 * FRAME_BYTES - 5, 2 * FRAME_BYTES - 4, 300_000, 900_000];
    for (const [n, length] of lengths.entries()) {
      const id = 2 * n + 1;
      peer.send(unaryRequest(id, STREAM, ""));
      const call = await server.nextHeld();
      call.send(pattern(length));
      call.end({ code: 0, message: "" });
      const received = await receiveAll(peer, id, 70_000);
      assert.ok(received.equals(message(pattern(length))), `${length} bytes, window ${window}`);
    }
  }
});

test("a message leaves in full frames", async (t) => {
  const server = await serve(t);
  const peer = await server.peer([4, WIDE]);
  peer.send(windowUpdate(0, WIDE), unaryRequest(1, STREAM, ""));
  (await server.nextHeld()).send(pattern(2 * FRAME_BYTES + 100));
  await peer.roundTrip();
  const lengths = dataFrames(peer, 1).map(({ payload }) => payload.length);
  assert.deepEqual(lengths, [FRAME_BYTES, FRAME_BYTES, 105]);
});

test("a long message takes turns with a stream that waited before it", async (t) => {
  const answer: Method = {
    kind: "unary",
    path: "/test.Svc/Long",
    handle: (_, call) => call.reply(pattern(2 * FRAME_BYTES - 5)),
  };
  const server = await serve(t, { methods: [answer] });
  const peer = await server.peer([4, FRAME_BYTES]);
  peer.send(windowUpdate(0, WIDE), unaryRequest(1, STREAM, ""));
  (await server.nextHeld()).send(pattern(3 * FRAME_BYTES - 5));
  await peer.roundTrip();
  // In one turn: the first stream may go on, and the second is answered.
  peer.send(windowUpdate(1, WIDE), unaryRequest(3, answer.path, ""), windowUpdate(3, WIDE));
  await peer.roundTrip();
  const order = peer.frames.filter(({ type }) => type === Type.data).map(({ streamId }) => streamId);
  assert.deepEqual(order, [1, 1, 3, 1, 3]);
});
