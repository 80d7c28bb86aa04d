/** Our client against our server: windows, slow readers and congestion. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Collector } from "../testing/collector.js";
import {
  Code,
  Flag,
  frame,
  headers,
  message,
  requestFields,
  Type,
  unaryRequest,
  windowUpdate,
} from "../testing/raw-frames.js";
import { CHAT, ECHO, STREAM, serve } from "../testing/test-server.js";
import type { ServerCall } from "./types.js";

test("a stream of any size flows through windows of one byte", async (t) => {
  const server = await serve(t);
  const peer = await server.peer([4, 1]);
  peer.send(unaryRequest(1, ECHO, "abc"));
  await peer.nextHeaders(1);
  let body = "";
  for (let n = 0; n < 8; n++) {
    const { payload } = await peer.nextOf(Type.data, 1);
    assert.equal(payload.length, 1);
    body += payload.toString("latin1");
    peer.send(windowUpdate(1, 1));
  }
  assert.equal(body, "\0\0\0\0\x03abc");
  assert.equal((await peer.nextHeaders(1)).get("grpc-status"), "0");
});

test("RFC 9113 6.9.2: a changed initial window holds for open streams, even below zero", async (t) => {
  const server = await serve(t);
  const peer = await server.peer([4, 5]);
  peer.send(unaryRequest(1, ECHO, "0123456789"));
  await peer.nextHeaders(1);
  assert.equal((await peer.nextOf(Type.data, 1)).payload.length, 5);
  peer.send(frame(Type.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 2])));
  peer.send(windowUpdate(1, 3));
  await peer.roundTrip();
  assert.equal(
    peer.frames.some((seen) => seen.type === Type.data),
    false,
    "the window is exactly zero",
  );
  peer.send(windowUpdate(1, 4));
  assert.equal((await peer.nextOf(Type.data, 1)).payload.length, 4);
  peer.send(frame(Type.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 100])));
  assert.equal((await peer.nextOf(Type.data, 1)).payload.length, 6);
  assert.equal((await peer.nextHeaders(1)).get("grpc-status"), "0");
});

test("the connection's window binds all streams together", async (t) => {
  const server = await serve(t);
  const peer = await server.peer([4, 1 << 20]);
  const body = Buffer.alloc(40_000);
  for (const id of [1, 3]) peer.send(unaryRequest(id, STREAM, ""));
  for (let n = 0; n < 2; n++) {
    const call = await server.nextHeld();
    call.send(body);
    call.end({ code: 0, message: "" });
  }
  await peer.roundTrip();
  const received = (): number =>
    peer.frames.filter((seen) => seen.type === Type.data).reduce((sum, seen) => sum + seen.payload.length, 0);
  assert.equal(received(), 65_535);
  peer.send(windowUpdate(0, 100_000));
  await peer.roundTrip();
  assert.equal(received(), 2 * 40_005);
});

test("tiny receive windows: a large request still comes through, credited in batches", async (t) => {
  const server = await serve(t, { limits: { streamReceiveWindowBytes: 1_000, connectionReceiveWindowBytes: 65_535 } });
  const client = await server.client();
  const request = Buffer.alloc(300_000, 5);
  const { status, message: reply } = await client.unary(ECHO, request);
  assert.equal(status.code, 0, status.message);
  assert.ok(request.equals(reply!));
});

test("a stream window that the peer ignores is a stream error, the connection's a connection error", async (t) => {
  const server = await serve(t, { limits: { streamReceiveWindowBytes: 100 } });
  const peer = await server.peer();
  peer.send(frame(Type.settings, Flag.ack, 0));
  peer.send(headers(1, requestFields(CHAT)), frame(Type.data, 0, 1, Buffer.alloc(101)));
  assert.equal(await peer.resetCode(1), Code.flowControl);
  await peer.roundTrip();
});

test("a paused call is not credited: the client cannot send without bound", async (t) => {
  const server = await serve(t, { limits: { streamReceiveWindowBytes: 65_535 } });
  const peer = await server.peer();
  peer.send(headers(1, requestFields(CHAT)));
  const call = await server.nextHeld();
  call.pause();
  const credited = (): boolean => peer.frames.some((seen) => seen.type === Type.windowUpdate && seen.streamId === 1);
  for (let n = 0; n < 4; n++) peer.send(frame(Type.data, 0, 1, message(Buffer.alloc(15_000))));
  await peer.roundTrip();
  assert.equal(credited(), false);
  call.resume();
  await peer.roundTrip();
  assert.equal(credited(), true);
});

test("F20: a slow reader makes its own call congested, and is told to go on when it has drained", async (t) => {
  const server = await serve(t);
  const peer = await server.peer([4, 1_000]);
  peer.send(unaryRequest(1, STREAM, ""));
  const call = await server.nextHeld();
  let drained = 0;
  call.onDrain(() => drained++);
  while (!call.congested) call.send(Buffer.alloc(10_000));
  assert.ok(call.unsentBytes > 256 * 1024 && call.unsentBytes < 300_000, String(call.unsentBytes));
  peer.send(unaryRequest(3, ECHO, "others do not wait"));
  await peer.nextHeaders(3);
  assert.equal(drained, 0);
  peer.send(windowUpdate(0, 1 << 20), windowUpdate(1, 1 << 20));
  await peer.roundTrip();
  assert.equal(drained, 1);
  assert.equal(call.congested, false);
  assert.equal(call.unsentBytes, 0);
});

test("a congested call whose handler stops at once loses nothing", async (t) => {
  const server = await serve(t);
  const client = await server.client({
    limits: { streamReceiveWindowBytes: 65_535, connectionReceiveWindowBytes: 65_535 },
  });
  const collector = new Collector();
  client.open(STREAM, collector).send(Buffer.from("go"));
  const total = 200;
  const produce = (call: ServerCall): void => {
    let sent = 0;
    const more = (): void => {
      while (sent < total && !call.congested) call.send(Buffer.alloc(20_000, sent++));
      if (sent === total) call.end({ code: 0, message: "" });
    };
    call.onDrain(more);
    more();
  };
  const clientCall = client.open(STREAM, collector);
  clientCall.send(Buffer.from("go"));
  clientCall.halfClose();
  produce(await server.nextHeld());
  assert.equal((await collector.ended).status.code, 0);
  assert.equal(collector.messages.length, total);
  for (const [n, bytes] of collector.messages.entries()) assert.equal(bytes[0], n);
});
