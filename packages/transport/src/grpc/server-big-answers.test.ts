/** Big answers beside other calls on one connection: none is refused or reset for another's bytes (LIM-3, WATCH-33). */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ManualClock } from "../testing/manual-clock.js";
import { MemorySocket } from "../testing/memory-socket.js";
import {
  Code,
  data,
  Flag,
  headers,
  message,
  PREFACE,
  requestFields,
  reset,
  settings,
  Type,
  unaryRequest,
  windowUpdate,
} from "../testing/raw-frames.js";
import { ECHO, HOLD, STREAM, TestServer, type TestServerOptions, turn } from "../testing/test-server.js";
import type { CallListener } from "./client-call.js";
import type { PlainRequest } from "./plain-request.js";
import { GrpcServer } from "./server.js";
import type { Method, ServerCall } from "./types.js";

const BIG_BYTES = 400_000;
/** Far less than one big answer. */
const unsentBytesPerConnectionMax = 100_000;

async function serve(t: TestContext, options: TestServerOptions = {}): Promise<TestServer> {
  const server = await TestServer.start({ ...options, limits: { unsentBytesPerConnectionMax, ...options.limits } });
  t.after(() => server.stop());
  return server;
}

/** Answers each request with `byteCount` bytes in the turn in which it is called. */
function bigMethod(byteCount: number, noteStart = () => {}): Method {
  const handle = (_: Uint8Array, call: ServerCall): void => {
    noteStart();
    call.reply(Buffer.alloc(byteCount));
  };
  return { kind: "unary", path: "/test.Svc/Big", handle };
}

async function until(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    assert.ok(turns < 10_000, "waited in vain");
    await turn();
  }
}

/** Keeps a streaming call open until the test ends. */
const IGNORED: CallListener = { message: () => {}, end: () => {} };

test("LIM-3: big answers beside small calls on one connection all arrive, and a stream beside them lives on", async (t) => {
  const big = bigMethod(BIG_BYTES);
  const server = await serve(t, { methods: [big] });
  const client = await server.client({
    limits: { streamReceiveWindowBytes: 65_535, connectionReceiveWindowBytes: 65_535 },
  });
  const watching = client.open(STREAM, IGNORED);
  watching.send(Buffer.from("go"));
  watching.halfClose();
  const watch = await server.nextHeld();
  const calls = [];
  for (let n = 0; n < 60; n++) {
    calls.push(client.unary(n % 15 === 0 ? big.path : ECHO, Buffer.from(`call ${n}`)));
    if (n % 10 === 0) watch.send(Buffer.from("event"));
  }
  for (const [n, { status, message: answer }] of (await Promise.all(calls)).entries()) {
    assert.equal(status.code, 0, `call ${n}: ${status.message}`);
    assert.equal(answer?.length, n % 15 === 0 ? BIG_BYTES : `call ${n}`.length);
  }
  assert.equal(watch.ended, false);
  const { requestsPostponed, unsentBytesExceeded, resetsSent } = server.grpc.counters;
  assert.ok(requestsPostponed > 0, "the answers were too small to prove anything");
  assert.equal(unsentBytesExceeded, 0);
  assert.equal(resetsSent, 0);
});

test("LIM-3: answers to calls begun before the connection was full are all taken", async (t) => {
  const server = await serve(t);
  const peer = await server.peer([4, 0]);
  peer.send(...[1, 3, 5].map((id) => unaryRequest(id, HOLD, "x")));
  const calls = [await server.nextHeld(), await server.nextHeld(), await server.nextHeld()];
  for (const call of calls) call.reply(Buffer.alloc(BIG_BYTES));
  peer.send(windowUpdate(0, 1 << 24), ...[1, 3, 5].map((id) => windowUpdate(id, 1 << 24)));
  for (const id of [1, 3, 5]) {
    assert.equal((await peer.nextHeaders(id)).get(":status"), "200");
    assert.equal((await peer.nextHeaders(id)).get("grpc-status"), "0");
  }
});

test("F20: a streaming call beside a huge answer is congested, not reset, and told when to go on", async (t) => {
  const server = await serve(t);
  // The streams' windows are wide; the connection's is used up by the answer.
  const peer = await server.peer([4, 0x7fffffff]);
  peer.send(unaryRequest(1, HOLD, "x"), unaryRequest(3, STREAM, "x"));
  const unary = await server.nextHeld();
  const stream = await server.nextHeld();
  let drained = 0;
  stream.onDrain(() => drained++);
  unary.reply(Buffer.alloc(BIG_BYTES));
  await peer.roundTrip();
  assert.equal(stream.congested, true, "before it has sent anything");
  stream.send(Buffer.alloc(1_000));
  peer.send(windowUpdate(0, 100_000));
  await peer.roundTrip();
  assert.equal(stream.congested, true);
  assert.equal(drained, 0);
  peer.send(windowUpdate(0, 1 << 24));
  await peer.roundTrip();
  assert.equal(drained, 1);
  assert.equal(stream.congested, false);
  assert.equal(stream.unsentBytes, 0);
  stream.end({ code: 0, message: "" });
  await peer.nextHeaders(3);
  assert.equal((await peer.nextHeaders(3)).get("grpc-status"), "0");
  assert.equal(server.grpc.counters.resetsSent, 0);
});

test("F20: an answer that its own window stops holds back only those that would have to wait too", async (t) => {
  const server = await serve(t);
  const peer = await server.peer([4, 70_000]);
  peer.send(unaryRequest(1, HOLD, "x"), unaryRequest(3, STREAM, "x"));
  const unary = await server.nextHeld();
  const stream = await server.nextHeld();
  let drained = 0;
  stream.onDrain(() => drained++);
  unary.reply(Buffer.alloc(BIG_BYTES));
  await peer.roundTrip();
  assert.equal(stream.congested, true, "the connection's window is used up");
  peer.send(windowUpdate(0, 1 << 24));
  await peer.roundTrip();
  assert.equal(drained, 1, "the answer waits for its own window, the stream need not");
  assert.equal(stream.congested, false);
  stream.send(Buffer.from("event"));
  assert.equal((await peer.nextOf(Type.data, 3)).payload.subarray(5).toString(), "event");
});

test("F37: a peer that never reads costs bounded memory and is closed after 60 s", async () => {
  const clock = new ManualClock();
  let started = 0;
  const big = bigMethod(1 << 20, () => started++);
  const server = new GrpcServer({ methods: [big], clock, limits: { keepaliveIdleMs: 1e9 } });
  const socket = new MemorySocket();
  server.handleConnection(socket);
  socket.full = true;
  socket.receive(Buffer.concat([PREFACE, settings([4, 0x7fffffff]), windowUpdate(0, 0x7fff0000 - 65_535)]));
  for (let n = 0; n < 900; n++) socket.receive(unaryRequest(2 * n + 1, big.path, "x"));
  await turn();
  // Half of the 8 MiB that a connection may have unsent: the fourth answer fills it.
  assert.equal(started, 4);
  assert.equal(server.counters.requestsPostponed, 896);
  assert.equal(server.streamCount, 900);
  for (let second = 0; second < 59; second++) clock.advance(1_000);
  assert.equal(server.connectionCount, 1);
  clock.advance(2_000);
  assert.equal(server.connectionCount, 0);
  assert.equal(server.streamCount, 0);
  assert.equal(server.counters.stalledAnswers, 1);
  assert.equal(started, 4);
  server.close();
});

test("F37: a postponed request that is reset, or whose time is up, is never begun; others are, when there is room", async (t) => {
  const server = await serve(t);
  const peer = await server.peer([4, 1_000]);
  peer.send(unaryRequest(1, HOLD, "x"));
  (await server.nextHeld()).reply(Buffer.alloc(BIG_BYTES));
  peer.send(unaryRequest(3, ECHO, "given up"), reset(3, Code.cancel));
  peer.send(headers(5, requestFields(ECHO, [["grpc-timeout", "1S"]])), data(5, message("hurried"), Flag.endStream));
  peer.send(unaryRequest(7, ECHO, "patient"));
  await peer.roundTrip();
  assert.equal(server.grpc.counters.requestsPostponed, 3);
  await server.advance(2_000);
  assert.equal((await peer.nextHeaders(5)).get("grpc-status"), "4");
  assert.equal(server.started, 1);
  peer.send(windowUpdate(0, 1 << 24), windowUpdate(1, 1 << 24));
  assert.equal((await peer.nextOf(Type.data, 7)).payload.subarray(5).toString(), "patient");
  assert.equal(server.started, 2);
  assert.equal(server.grpc.streamCount, 0);
});

test("F16: requests that wait beside a stuck answer close the receive window, and none is refused", async (t) => {
  const server = await serve(t, {
    limits: {
      bufferedBytesPerConnectionMax: 400_000,
      connectionReceiveWindowBytes: 65_535,
      streamReceiveWindowBytes: 65_535,
    },
  });
  const client = await server.client({ limits: { streamReceiveWindowBytes: 65_535 } });
  const stuck = client.open(HOLD, IGNORED);
  stuck.pause();
  stuck.send(Buffer.from("x"));
  stuck.halfClose();
  (await server.nextHeld()).reply(Buffer.alloc(BIG_BYTES));
  const calls = Array.from({ length: 60 }, () => client.unary(ECHO, Buffer.alloc(16_000)));
  await until(() => server.grpc.counters.requestsPostponed >= 12);
  for (let n = 0; n < 50; n++) await turn();
  assert.equal(server.started, 1);
  stuck.resume();
  for (const { status, message: answer } of await Promise.all(calls)) {
    assert.equal(status.code, 0, status.message);
    assert.equal(answer?.length, 16_000);
  }
  assert.equal(server.grpc.counters.bufferedBytesExceeded, 0);
});

test("F37: a plain request waits like the others", async (t) => {
  const seen: PlainRequest[] = [];
  const server = await serve(t, {
    onPlainRequest: (request) => {
      seen.push(request);
      request.respond(200, [], request.path);
    },
  });
  const peer = await server.peer([4, 1_000]);
  peer.send(unaryRequest(1, HOLD, "x"));
  (await server.nextHeld()).reply(Buffer.alloc(BIG_BYTES));
  const fields: [string, string][] = [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", "/health"],
    [":authority", "me"],
  ];
  peer.send(headers(3, fields, Flag.endStream));
  await peer.roundTrip();
  assert.equal(seen.length, 0);
  peer.send(windowUpdate(0, 1 << 24), windowUpdate(1, 1 << 24));
  assert.equal((await peer.nextOf(Type.data, 3)).payload.toString(), "/health");
});

test("F37: streams that wait their turn are measured by the pace of the connection", async (t) => {
  const server = await serve(t, { limits: { keepaliveIdleMs: 1e9 } });
  const peer = await server.peer([4, 0x7fffffff]);
  const ids = [1, 3, 5, 7];
  peer.send(...ids.map((id) => unaryRequest(id, HOLD, "x")));
  for (const _ of ids) (await server.nextHeld()).reply(Buffer.alloc(BIG_BYTES));
  // 2 KiB/s for all of them: half a KiB/s for each.
  for (let second = 0; second < 130; second++) {
    peer.send(windowUpdate(0, 2_048));
    await peer.roundTrip();
    await server.advance(1_000);
  }
  assert.equal(server.grpc.streamCount, 4);
  await server.advance(62_000);
  assert.equal(server.grpc.streamCount, 0);
  for (const id of ids) assert.equal(await peer.resetCode(id), Code.calm);
});
