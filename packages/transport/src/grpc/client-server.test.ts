/** Our client against our server: every kind of call, and how calls end. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Collector } from "../testing/collector.js";
import { Flag, frame, headers, message, requestFields, Type } from "../testing/raw-frames.js";
import { CHAT, ECHO, HOLD, STREAM, serve } from "../testing/test-server.js";

test("a unary call", async (t) => {
  const server = await serve(t);
  const client = await server.client();
  const { status, message: reply, neverProcessed } = await client.unary(ECHO, Buffer.from("hello"));
  assert.deepEqual(status, { code: 0, message: "" });
  assert.equal(Buffer.from(reply!).toString(), "hello");
  assert.equal(neverProcessed, false);
  assert.equal(server.grpc.streamCount, 0);
  assert.equal(client.streamCount, 0);
});

test("messages of every size up to the limit", async (t) => {
  const server = await serve(t);
  const client = await server.client();
  for (const size of [0, 1, 16_378, 16_379, 16_380, 65_535, 100_000, 1 << 20, 2 << 20]) {
    const request = Buffer.alloc(size, size % 251);
    const { status, message: reply } = await client.unary(ECHO, request);
    assert.equal(status.code, 0, `${size}: ${status.message}`);
    assert.ok(request.equals(reply!), String(size));
  }
  const { status } = await client.unary(ECHO, Buffer.alloc((2 << 20) + 1));
  assert.deepEqual(status, { code: 8, message: "grpc: received message larger than max (2097153 vs. 2097152)" });
});

test("a thousand calls at once over one connection, more than the server lets run", async (t) => {
  const server = await serve(t, { limits: { streamsPerConnectionMax: 10 } });
  const client = await server.client();
  const results = await Promise.all(
    Array.from({ length: 1_000 }, (_, n) => client.unary(ECHO, Buffer.from(String(n)))),
  );
  results.forEach(({ status, message: reply }, n) => {
    assert.equal(status.code, 0);
    assert.equal(Buffer.from(reply!).toString(), String(n));
  });
  assert.equal(server.grpc.counters.streamsRefusedPerConnection, 0);
});

test("metadata reaches the handler, bytes included", async (t) => {
  const server = await serve(t);
  const client = await server.client();
  const raw = "\x00\x01\xfe\xff";
  const metadata: [string, string][] = [
    ["token", "secret"],
    ["x", "1"],
    ["x", "2"],
    ["raw-bin", raw],
  ];
  const done = client.unary(HOLD, new Uint8Array(0), { metadata });
  const call = await server.nextHeld();
  assert.equal(call.metadata.get("token"), "secret");
  assert.deepEqual(call.metadata.getAll("x"), ["1", "2"]);
  assert.equal(call.metadata.get("raw-bin"), raw);
  assert.equal(call.metadata.get("grpc-timeout"), undefined);
  assert.equal(call.path, HOLD);
  assert.equal(call.peer.address, "127.0.0.1");
  call.reply(new Uint8Array(0));
  await done;
});

test("a status with any text", async (t) => {
  const server = await serve(t);
  const client = await server.client();
  const done = client.unary(HOLD, new Uint8Array(0));
  (await server.nextHeld()).end({ code: 9, message: "100 % falsch: ✗\n" });
  const { status, message: reply } = await done;
  assert.deepEqual(status, { code: 9, message: "100 % falsch: ✗\n" });
  assert.equal(reply, undefined);
});

test("a server stream: headers first, messages in order, trailers last", async (t) => {
  const server = await serve(t);
  const client = await server.client();
  const collector = new Collector();
  const clientCall = client.open(STREAM, collector);
  clientCall.send(Buffer.from("go"));
  clientCall.halfClose();
  const call = await server.nextHeld();
  call.sendHeaders();
  for (let n = 0; n < 100; n++) call.send(Buffer.from(String(n)));
  call.end({ code: 0, message: "" });
  call.send(Buffer.from("too late"));
  const { status } = await collector.ended;
  assert.equal(status.code, 0);
  assert.deepEqual(
    collector.messages.map((bytes) => bytes.toString()),
    Array.from({ length: 100 }, (_, n) => String(n)),
  );
  assert.equal(collector.headersSeen?.get("content-type"), "application/grpc");
});

test("a bidi call: messages both ways until the client is done", async (t) => {
  const server = await serve(t);
  const client = await server.client();
  const collector = new Collector();
  const call = client.open(CHAT, collector);
  for (let n = 0; n < 50; n++) {
    call.send(Buffer.from(`ping ${n}`));
    await collector.until(n + 1);
    assert.equal(collector.messages[n].toString(), `ping ${n}`);
  }
  call.halfClose();
  assert.equal((await collector.ended).status.code, 0);
  assert.equal(server.grpc.streamCount, 0);
});

test("a bidi call that the server ends first", async (t) => {
  const server = await serve(t);
  const client = await server.client();
  const collector = new Collector();
  const call = client.open(CHAT, collector);
  call.send(Buffer.from("x"));
  (await server.nextHeld()).end({ code: 11, message: "compacted" });
  assert.deepEqual((await collector.ended).status, { code: 11, message: "compacted" });
  call.send(Buffer.from("nobody listens"));
  assert.equal((await client.unary(ECHO, Buffer.from("x"))).status.code, 0);
  assert.equal(server.grpc.streamCount, 0);
  assert.equal(client.streamCount, 0);
});

test("cancelling a call tells the handler, and the call is a no-op from then on", async (t) => {
  const server = await serve(t);
  const client = await server.client();
  const abort = new AbortController();
  const done = client.unary(HOLD, new Uint8Array(0), { signal: abort.signal });
  const call = await server.nextHeld();
  abort.abort();
  assert.equal((await done).status.code, 1);
  await server.untilCancelled(1);
  assert.deepEqual(server.cancelled, ["cancelled"]);
  assert.equal(call.ended, true);
  call.reply(Buffer.from("too late"));
  call.send(Buffer.from("too late"));
  call.end({ code: 0, message: "" });
  assert.equal((await client.unary(ECHO, Buffer.from("x"))).status.code, 0);
  assert.equal(server.grpc.streamCount, 0);
  assert.equal(server.grpc.counters.callsCancelled, 1);
});

test("a lost connection tells every handler, and the client's calls end as unavailable but maybe processed", async (t) => {
  const server = await serve(t);
  const client = await server.client();
  const done = [client.unary(HOLD, new Uint8Array(0)), client.unary(HOLD, new Uint8Array(0))];
  await server.nextHeld();
  await server.nextHeld();
  client.destroy();
  for (const { status, neverProcessed } of await Promise.all(done)) {
    assert.equal(status.code, 14);
    assert.equal(neverProcessed, false);
  }
  await server.untilCancelled(2);
  assert.deepEqual(server.cancelled, ["connection-lost", "connection-lost"]);
  assert.equal(server.grpc.streamCount, 0);
  const after = await client.unary(ECHO, new Uint8Array(0));
  assert.equal(after.status.code, 14);
  assert.equal(after.neverProcessed, true);
});

test("a deadline is kept by the server: the client hears DEADLINE_EXCEEDED, the handler is told", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(headers(1, requestFields(HOLD, [["grpc-timeout", "500m"]])));
  peer.send(frame(Type.data, Flag.endStream, 1, message("x")));
  const call = await server.nextHeld();
  server.clock.advance(499);
  assert.equal(call.ended, false);
  server.clock.advance(20);
  assert.equal(call.ended, true);
  assert.deepEqual(server.cancelled, ["deadline-exceeded"]);
  const trailers = await peer.nextHeaders(1);
  assert.equal(trailers.get("grpc-status"), "4");
  assert.equal(trailers.get("grpc-message"), "context deadline exceeded");
  assert.equal(server.grpc.streamCount, 0);
  assert.equal(server.grpc.counters.deadlinesExceeded, 1);
});

test("a call that is answered in time leaves no deadline behind", async (t) => {
  const server = await serve(t);
  const client = await server.client();
  const { status } = await client.unary(ECHO, Buffer.from("x"), { deadlineMs: 60_000 });
  assert.equal(status.code, 0);
  server.clock.advance(120_000);
  assert.equal(server.grpc.counters.deadlinesExceeded, 0);
});

test("a deadline is kept by the client too, if the server is silent", async (t) => {
  const server = await serve(t);
  const client = await server.client();
  const { status } = await client.unary(HOLD, new Uint8Array(0), { deadlineMs: 5 });
  assert.equal(status.code, 4);
});
