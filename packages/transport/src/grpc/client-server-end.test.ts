/** Our client against our server: how connections begin and end, in order or not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../testing/manual-clock.js";
import { MemorySocket } from "../testing/memory-socket.js";
import { Code, Flag, frame, Type, unaryRequest } from "../testing/raw-frames.js";
import { ECHO, HOLD, serve, TestServer, turn } from "../testing/test-server.js";
import { GrpcClient } from "./client.js";

test("draining: calls in flight finish, new ones are never processed, the connection ends", async (t) => {
  const server = await serve(t);
  const client = await server.client();
  const inFlight = client.unary(HOLD, Buffer.from("x"));
  const call = await server.nextHeld();
  const drained = server.grpc.drain(30_000);
  call.reply(Buffer.from("finished"));
  const { status, message: reply } = await inFlight;
  assert.equal(status.code, 0);
  assert.equal(Buffer.from(reply!).toString(), "finished");
  await client.closed;
  await drained;
  assert.equal(server.grpc.connectionCount, 0);
  const late = await client.unary(ECHO, Buffer.from("x"));
  assert.equal(late.status.code, 14);
  assert.equal(late.neverProcessed, true);
  await (await server.silentPeer()).closed;
  assert.equal(server.grpc.counters.connectionsRefusedClosing, 1);
});

test("draining: GOAWAY with the highest id, a ping, then GOAWAY with the last one accepted", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(unaryRequest(1, HOLD, "x"));
  const first = await server.nextHeld();
  const drained = server.grpc.drain(30_000);
  assert.deepEqual(await peer.goaway(), { lastStreamId: 0x7fffffff, code: Code.none, reason: "draining" });
  const asked = await peer.nextOf(Type.ping);
  peer.send(unaryRequest(3, HOLD, "sent before the GOAWAY was seen"));
  const second = await server.nextHeld();
  peer.send(frame(Type.ping, Flag.ack, 0, asked.payload));
  assert.deepEqual(await peer.goaway(), { lastStreamId: 3, code: Code.none, reason: "draining" });
  peer.send(unaryRequest(5, HOLD, "too late"));
  assert.equal(await peer.resetCode(5), Code.refused);
  first.reply(new Uint8Array(0));
  second.reply(new Uint8Array(0));
  await peer.nextHeaders(1);
  await peer.nextHeaders(3);
  await peer.closed;
  await drained;
});

test("draining: a client that does not answer the ping is told after 5 s, one that does not finish is cut off", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(unaryRequest(1, HOLD, "x"));
  await server.nextHeld();
  const drained = server.grpc.drain(12_000);
  assert.equal((await peer.goaway()).lastStreamId, 0x7fffffff);
  await server.advance(5_500);
  assert.equal((await peer.goaway()).lastStreamId, 1);
  assert.equal(server.grpc.connectionCount, 1);
  await server.advance(7_000);
  await drained;
  await peer.closed;
  assert.deepEqual(server.cancelled, ["connection-lost"]);
});

test("the client learns from GOAWAY and REFUSED_STREAM what was never processed", async (t) => {
  const server = await serve(t, { limits: { streamsTotalMax: 1 } });
  const client = await server.client();
  const first = client.unary(HOLD, new Uint8Array(0));
  const call = await server.nextHeld();
  const refused = await client.unary(ECHO, new Uint8Array(0));
  assert.equal(refused.status.code, 14);
  assert.equal(refused.neverProcessed, true);
  call.reply(new Uint8Array(0));
  assert.equal((await first).status.code, 0);
});

test("close waits for the calls in flight", async (t) => {
  const server = await serve(t);
  const client = await server.client();
  const done = client.unary(HOLD, new Uint8Array(0));
  const call = await server.nextHeld();
  client.close();
  assert.equal((await client.unary(ECHO, new Uint8Array(0))).neverProcessed, true);
  call.reply(Buffer.from("x"));
  assert.equal((await done).status.code, 0);
  await client.closed;
});

test("connecting to a closed port rejects", async () => {
  const server = await TestServer.start();
  const { port } = server;
  await server.stop();
  await assert.rejects(GrpcClient.connect({ host: "127.0.0.1", port }));
});

test("a peer that resizes its header table to nothing still gets readable answers", async (t) => {
  const server = await serve(t);
  const peer = await server.peer([1, 0]);
  for (const id of [1, 3, 5]) {
    peer.send(unaryRequest(id, ECHO, "x"));
    assert.equal((await peer.nextHeaders(id)).get("content-type"), "application/grpc");
    assert.equal((await peer.nextHeaders(id)).get("grpc-status"), "0");
  }
});

test("F19: a server that falls silent is pinged, then given up; its calls end as unavailable", async (t) => {
  const server = await serve(t);
  const clock = new ManualClock();
  const client = await server.client({ clock });
  const done = client.unary(HOLD, new Uint8Array(0));
  await server.nextHeld();
  const advance = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 250) {
      clock.advance(250);
      await turn();
    }
  };
  await advance(120_000);
  assert.equal(client.usable, true, "this server answers pings");
  server.deafen();
  await advance(51_000);
  assert.equal((await done).status.code, 14);
  assert.equal(client.counters.keepaliveTimeouts, 1);
});

test("F26: a server that never sends its settings is given up", async () => {
  const clock = new ManualClock();
  const client = new GrpcClient(new MemorySocket(), "memory", { clock });
  const done = client.unary(ECHO, new Uint8Array(0));
  clock.advance(12_000);
  const { status, neverProcessed } = await done;
  assert.equal(status.code, 14);
  assert.equal(neverProcessed, true);
});
