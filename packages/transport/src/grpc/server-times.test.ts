/** Connections that are too many, too slow or too long, and memory for what is unfinished. The clock moves when told to. */
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
  type RawFrame,
  requestFields,
  settings,
  Type,
  unaryRequest,
} from "../testing/raw-frames.js";
import { CHAT, ECHO, HOLD, serve } from "../testing/test-server.js";

test("F40, LIMIT errorLingerMs: a socket that stays open after an error GOAWAY is destroyed within a second", async (t) => {
  const server = await serve(t);
  const peer = await server.silentPeer();
  peer.socket.allowHalfOpen = true;
  peer.send(PREFACE, frame(Type.data, 0, 0));
  assert.equal((await peer.goaway()).code, Code.protocol);
  assert.equal(server.grpc.connectionCount, 1, "the peer may still read");
  await server.advance(1_000);
  assert.equal(server.grpc.connectionCount, 0);
  assert.equal(server.grpc.counters.lingerTimeouts, 1);
});

test("F25, LIMIT connectionsPerAddressMax: connections above the limits are closed", async (t) => {
  const server = await serve(t, { limits: { connectionsPerAddressMax: 2, connectionsTotalMax: 3 } });
  const peers = [await server.peer(), await server.peer()];
  await (await server.silentPeer()).closed;
  assert.equal(server.grpc.counters.connectionsRefusedPerAddress, 1);
  peers[0].socket.destroy();
  await server.advance(250);
  await peers[0].closed;
  while (server.grpc.connectionCount > 1) await server.advance(250);
  await server.peer();
  assert.equal(server.grpc.connectionCount, 2);
});

test("F25, LIMIT connectionsTotalMax: connections in total are limited", async (t) => {
  const server = await serve(t, { limits: { connectionsTotalMax: 1 } });
  await server.peer();
  await (await server.silentPeer()).closed;
  assert.equal(server.grpc.counters.connectionsRefusedTotal, 1);
});

const LIMITS = { prefaceTimeouts: "prefaceMs", headerBlockTimeouts: "headerBlockMs" } as const;
const SLOW: Record<string, { sends: Uint8Array; counter: keyof typeof LIMITS; ms: number }> = {
  "no byte": { sends: Buffer.alloc(0), counter: "prefaceTimeouts", ms: 10_000 },
  "half a preface": { sends: PREFACE.subarray(0, 10), counter: "prefaceTimeouts", ms: 10_000 },
  "no SETTINGS": { sends: PREFACE, counter: "prefaceTimeouts", ms: 10_000 },
  "HEADERS without their end": {
    sends: Buffer.concat([PREFACE, settings(), frame(Type.headers, 0, 1, block(requestFields(ECHO)))]),
    counter: "headerBlockTimeouts",
    ms: 5_000,
  },
  "a HEADERS frame without its end": {
    sends: Buffer.concat([PREFACE, settings(), headers(1, requestFields(ECHO)).subarray(0, 20)]),
    counter: "headerBlockTimeouts",
    ms: 5_000,
  },
};

for (const [what, { sends, counter, ms }] of Object.entries(SLOW)) {
  test(`F26, LIMIT ${LIMITS[counter]}: a peer that sends ${what} is closed after ${ms} ms, not before`, async (t) => {
    const server = await serve(t);
    const peer = await server.silentPeer();
    peer.send(sends);
    // The greeting of the server is there, so its side has begun.
    await peer.nextOf(Type.settings);
    if (sends.length > PREFACE.length) await peer.nextOf(Type.settings);
    await server.advance(ms - 500);
    assert.equal(server.grpc.connectionCount, 1);
    await server.advance(1_000);
    await peer.goaway();
    assert.equal(server.grpc.counters[counter], 1);
    await server.assertGone(peer);
  });
}

test("F26, LIMIT unaryBodyMs: a unary request that trickles is answered with DEADLINE_EXCEEDED after 10 s", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(headers(1, requestFields(ECHO)), data(1, message("not all of it").subarray(0, 8)));
  await peer.roundTrip();
  await server.advance(9_000);
  assert.equal(server.grpc.streamCount, 1);
  await server.advance(2_500);
  const trailers = await peer.nextHeaders(1);
  assert.equal(trailers.get("grpc-status"), "4");
  assert.equal(await peer.resetCode(1), Code.none);
  assert.equal(server.grpc.streamCount, 0);
  assert.equal(server.grpc.counters.bodyTimeouts, 1);
  assert.equal(server.started, 0);
});

test("F26: a bidi call may be silent for as long as it likes", async (t) => {
  const server = await serve(t, { limits: { keepaliveIdleMs: 1e9 } });
  const peer = await server.peer();
  peer.send(headers(1, requestFields(CHAT)));
  await peer.roundTrip();
  await server.advance(120_000);
  assert.equal(server.grpc.streamCount, 1);
});

test("F19, LIMIT keepaliveIdleMs, LIMIT keepaliveTimeoutMs: a silent peer with open calls is pinged after 30 s and given up 20 s later", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(unaryRequest(1, HOLD, "x"));
  await peer.roundTrip();
  await server.advance(31_000);
  const asked = await peer.nextOf(Type.ping);
  assert.equal(asked.flags, 0);
  peer.send(frame(Type.ping, Flag.ack, 0, asked.payload));
  await peer.roundTrip();
  await server.advance(29_000);
  assert.equal(server.grpc.connectionCount, 1);
  await server.advance(2_000);
  await peer.nextOf(Type.ping);
  await server.advance(20_500);
  await peer.closed;
  assert.equal(server.grpc.counters.keepaliveTimeouts, 1);
  assert.deepEqual(server.cancelled, ["connection-lost"]);
});

test("F19: an idle connection without calls is left alone", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  await server.advance(120_000);
  assert.equal(server.grpc.connectionCount, 1);
  assert.equal(
    peer.frames.some((seen: RawFrame) => seen.type === Type.ping),
    false,
  );
});

test("F16, LIMIT bufferedBytesPerConnectionMax: unfinished requests of one connection take bounded memory", async (t) => {
  const server = await serve(t, { limits: { bufferedBytesPerConnectionMax: 40_000 } });
  const peer = await server.peer();
  const half = message(Buffer.alloc(20_000)).subarray(0, 15_000);
  for (const id of [1, 3, 5]) peer.send(headers(id, requestFields(ECHO)), data(id, half));
  const refused = await peer.nextHeaders(5);
  assert.equal(refused.get("grpc-status"), "8");
  assert.equal(server.grpc.counters.bufferedBytesExceeded, 1);
  assert.equal(server.grpc.streamCount, 2);
  peer.send(data(1, Buffer.alloc(5_005), Flag.endStream));
  await peer.nextHeaders(1);
});

test("F16, LIMIT bufferedBytesTotalMax: unfinished requests of all connections take bounded memory", async (t) => {
  const server = await serve(t, { limits: { bufferedBytesTotalMax: 40_000 } });
  const half = message(Buffer.alloc(20_000)).subarray(0, 15_000);
  const peers = [await server.peer(), await server.peer(), await server.peer()];
  for (const peer of peers) {
    peer.send(headers(1, requestFields(ECHO)), data(1, half));
    await peer.roundTrip();
  }
  assert.equal((await peers[2].nextHeaders(1)).get("grpc-status"), "8");
  assert.equal(server.grpc.counters.bufferedBytesExceeded, 1);
  assert.equal(server.grpc.streamCount, 2);
});

test("F40, LIMIT gracefulLingerMs: a socket that stays open after an orderly end is destroyed in the end", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.socket.allowHalfOpen = true;
  void server.grpc.drain(1e9);
  await server.advance(5_000);
  await peer.nextOf(Type.goaway);
  assert.equal(server.grpc.connectionCount, 1);
  await server.advance(30_000);
  assert.equal(server.grpc.connectionCount, 0);
  assert.equal(server.grpc.counters.lingerTimeouts, 1);
});
