/** Our client against our server: every kind of call, how calls end, flow control, and the orderly end. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ManualClock } from "../testing/manual-clock.js";
import { MemorySocket } from "../testing/memory-socket.js";
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
import { CHAT, ECHO, HOLD, STREAM, TestServer, type TestServerOptions, turn } from "../testing/test-server.js";
import { GrpcClient } from "./client.js";
import type { CallEnd, CallListener } from "./client-call.js";
import type { Metadata, ServerCall } from "./types.js";

async function serve(t: TestContext, options: TestServerOptions = {}): Promise<TestServer> {
  const server = await TestServer.start(options);
  t.after(() => server.stop());
  return server;
}

/** Collects what a call brings. */
class Collector implements CallListener {
  readonly messages: Buffer[] = [];
  readonly ended: Promise<CallEnd>;
  bytes = 0;
  headersSeen: Metadata | undefined;
  #resolve: (end: CallEnd) => void = () => {};
  #onMessage: () => void = () => {};

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  headers(seen: Metadata): void {
    this.headersSeen = seen;
  }

  message(bytes: Uint8Array): void {
    this.messages.push(Buffer.from(bytes));
    this.bytes += bytes.length;
    this.#onMessage();
  }

  end(end: CallEnd): void {
    this.#resolve(end);
  }

  async until(count: number): Promise<void> {
    while (this.messages.length < count) {
      await new Promise<void>((resolve) => {
        this.#onMessage = resolve;
      });
    }
  }
}

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
