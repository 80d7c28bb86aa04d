/** Answers that wait on many connections, each within its own bounds: together they are bounded too (F37). */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { ManualClock } from "../testing/manual-clock.js";
import { MemorySocket } from "../testing/memory-socket.js";
import { PREFACE, settings, unaryRequest } from "../testing/raw-frames.js";
import { turn } from "../testing/test-server.js";
import { GrpcServer } from "./server.js";
import type { Method, ServerCall } from "./types.js";

const KIB = 1024;
const PATH = "/test.Svc/Big";

function serverWith(t: TestContext, method: Method, unsentBytesTotalMax: number): GrpcServer {
  const server = new GrpcServer({ methods: [method], clock: new ManualClock(), limits: { unsentBytesTotalMax } });
  t.after(() => server.close());
  return server;
}

/** A peer that lets the server send it nothing. */
function shutPeer(server: GrpcServer): MemorySocket {
  const socket = new MemorySocket();
  server.handleConnection(socket);
  socket.receive(Buffer.concat([PREFACE, settings([4, 0])]));
  return socket;
}

function answering(bytes: number): Method {
  return { kind: "unary", path: PATH, handle: (_, call) => call.reply(Buffer.alloc(bytes)) };
}

test("F37, LIMIT unsentBytesTotalMax: of thirty peers that take nothing, as many are closed as make the rest fit", async (t) => {
  const server = serverWith(t, answering(1_000 * KIB), 10_000 * KIB);
  const peers = Array.from({ length: 30 }, () => shutPeer(server));
  for (const peer of peers) {
    peer.receive(unaryRequest(1, PATH, "x"));
    await turn();
  }
  // Ten, and the largest, which is free; what frames add around the messages makes one of them not fit.
  assert.equal(server.connectionCount, 10);
  assert.equal(server.counters.backlogsEnded, 20);
  assert.ok(server.unsentBytes <= 11_000 * KIB, String(server.unsentBytes));
  assert.equal(peers.filter((peer) => peer.destroyed).length, 20);
  for (const peer of peers) peer.destroy();
  await turn();
  assert.equal(server.unsentBytes, 0);
  assert.equal(server.streamCount, 0);
});

test("F37: answers made in one turn to calls begun before take no more; none goes out in part", async (t) => {
  const held: ServerCall[] = [];
  const hold: Method = { kind: "unary", path: PATH, handle: (_, call) => held.push(call) };
  const server = serverWith(t, hold, 1_000 * KIB);
  const other = shutPeer(server);
  other.receive(unaryRequest(1, PATH, "x"));
  held.pop()!.reply(Buffer.alloc(900 * KIB));
  const peer = shutPeer(server);
  for (let n = 0; n < 100; n++) peer.receive(unaryRequest(2 * n + 1, PATH, "x"));
  await turn();
  const sentBefore = peer.sent.length;
  let highest = 0;
  for (const call of held) {
    call.reply(Buffer.alloc(500 * KIB));
    highest = Math.max(highest, server.unsentBytes);
  }
  await turn();
  assert.ok(highest < 2_500 * KIB, String(highest));
  assert.equal(peer.destroyed || other.destroyed, true);
  assert.ok(!peer.destroyed || !peer.sent.subarray(sentBefore).includes("grpc-status"), "a status without its message");
});

test("F37: while memory for all is tight, a connection begins no request beside a backlog that alone would be fine", async (t) => {
  let started = 0;
  const counted: Method = {
    kind: "unary",
    path: PATH,
    handle: (_, call) => {
      started++;
      call.reply(Buffer.alloc(300 * KIB));
    },
  };
  const server = serverWith(t, counted, 1_000 * KIB);
  const peers = [shutPeer(server), shutPeer(server), shutPeer(server)];
  for (const id of [1, 3, 5]) for (const peer of peers) peer.receive(unaryRequest(id, PATH, "x"));
  await turn();
  assert.equal(started, 3);
  assert.equal(server.counters.requestsPostponed, 6);
  assert.equal(server.connectionCount, 3);
});
