/** What waits for a peer: bounded when it does not read (F37), without limit when it does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Type, unaryRequest, windowUpdate } from "../testing/raw-frames.js";
import { ECHO, serve, turn } from "../testing/test-server.js";
import type { Method, ServerCall } from "./types.js";

const BIG = {
  kind: "unary",
  path: "/test.Svc/Big",
  handle: (_: Uint8Array, call: ServerCall) => call.reply(Buffer.alloc(30_000)),
} as const;

test("F37: a peer that reads gets any amount of answers at once", async (t) => {
  const server = await serve(t, { methods: [BIG] });
  const peer = await server.peer([4, 0x7fffffff]);
  peer.send(windowUpdate(0, 0x7fff0000 - 65_535));
  const requests = Array.from({ length: 900 }, (_, n) => unaryRequest(2 * n + 1, BIG.path, ""));
  peer.send(...requests);
  let answered = 0;
  for (; answered < 900; answered++)
    await peer.next((seen) => seen.type === Type.headers && seen.fields.has("grpc-status"));
  assert.equal(server.grpc.counters.unsentBytesExceeded, 0);
});

test("F37, LIMIT unsentBytesPerConnectionMax: while a peer does not read, no more of its requests are begun; none is lost when it does", async (t) => {
  let started = 0;
  const slow: Method = {
    ...BIG,
    handle: (request, call) => {
      started++;
      BIG.handle(request, call);
    },
  };
  const server = await serve(t, { methods: [slow] });
  const peer = await server.peer([4, 0x7fffffff]);
  peer.send(windowUpdate(0, 0x7fff0000 - 65_535));
  peer.socket.pause();
  peer.send(...Array.from({ length: 900 }, (_, n) => unaryRequest(2 * n + 1, slow.path, "")));
  let before = -1;
  while (started !== before) {
    before = started;
    for (let n = 0; n < 20; n++) await turn();
  }
  assert.ok(started < 900, String(started));
  assert.ok(server.grpc.counters.requestsPostponed > 0);
  assert.equal(server.grpc.counters.unsentBytesExceeded, 0);
  peer.socket.resume();
  for (let n = 0; n < 900; n++) await peer.next((seen) => seen.type === Type.headers && seen.fields.has("grpc-status"));
  assert.equal(started, 900);
});

test("the connection's window binds small answers too", async (t) => {
  const server = await serve(t);
  const peer = await server.peer([4, 1 << 20]);
  for (let id = 1; id <= 11; id += 2) peer.send(unaryRequest(id, ECHO, Buffer.alloc(12_000)));
  // The answer to a ping may overtake data of the same turn.
  await peer.roundTrip();
  await peer.roundTrip();
  const received = peer.frames
    .filter((seen) => seen.type === Type.data)
    .reduce((sum, seen) => sum + seen.payload.length, 0);
  assert.equal(received, 65_535);
});
