/** Whatever bytes come, in whatever pieces: nothing is thrown, and nothing is left behind (F17, F41, I12). */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ManualClock } from "../testing/manual-clock.js";
import { MemorySocket } from "../testing/memory-socket.js";
import {
  block,
  data,
  Flag,
  frame,
  headers,
  message,
  PREFACE,
  ping,
  requestFields,
  reset,
  settings,
  unaryRequest,
  windowUpdate,
} from "../testing/raw-frames.js";
import { turn } from "../testing/test-server.js";
import { GrpcClient } from "./client.js";
import { GrpcServer } from "./server.js";
import type { Method } from "./types.js";

const METHODS: Method[] = [
  { kind: "unary", path: "/f.S/Echo", handle: (request, call) => call.reply(request) },
  { kind: "unary", path: "/f.S/Hold", handle: () => {} },
  {
    kind: "bidi",
    path: "/f.S/Chat",
    open: (call) => ({
      message: (bytes) => call.send(bytes),
      halfClose: () => call.end({ code: 0, message: "" }),
    }),
  },
];

const streamId = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 9 }) },
  { weight: 1, arbitrary: fc.nat(0x7fffffff) },
);
const payload = fc.uint8Array({ maxLength: 40 });
const path = fc.constantFrom("/f.S/Echo", "/f.S/Hold", "/f.S/Chat", "/f.S/None", "x");
const extra = fc.constantFrom<[string, string][]>(
  [],
  [["grpc-encoding", "gzip"]],
  [["grpc-timeout", "1n"]],
  [["te", "x"]],
  [["content-length", "3"]],
);
const flags = fc.constantFrom(0, 1, 4, 5, 8, 9, 12, 13, 0x20, 0x25, 0xff);

/** Frames between honest and absurd. */
const anyFrame = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 12 }), flags, streamId, payload)
    .map(([type, bits, id, bytes]) => frame(type, bits, id, bytes)),
  fc
    .tuple(streamId, path, extra, flags)
    .map(([id, to, more, bits]) => headers(id, requestFields(to, more), bits & ~Flag.padded & ~Flag.priority)),
  fc.tuple(streamId, path).map(([id, to]) => unaryRequest(id, to, "hello")),
  fc.tuple(streamId, payload, flags).map(([id, bytes, bits]) => data(id, message(bytes), bits & Flag.endStream)),
  fc.tuple(streamId, fc.nat(0xffffffff)).map(([id, increment]) => windowUpdate(id, increment)),
  fc.tuple(fc.nat(8), fc.nat(0xffffffff)).map(([identifier, value]) => settings([identifier, value])),
  fc.tuple(streamId, fc.nat(12)).map(([id, code]) => reset(id, code)),
  fc.constant(ping("x")),
  payload.map((bytes) => Buffer.from(bytes)),
);

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts.map((at) => at % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return ends.map((end, n) => bytes.subarray(n === 0 ? 0 : ends[n - 1], end));
}

const conversation = fc.tuple(fc.array(anyFrame, { maxLength: 25 }), fc.array(fc.nat(5_000), { maxLength: 10 }));

test("a server never throws, whatever arrives, and keeps no stream of a connection that is gone", async () => {
  await fc.assert(
    fc.asyncProperty(conversation, fc.boolean(), async ([frames, cuts], greeted) => {
      const clock = new ManualClock();
      const server = new GrpcServer({ methods: METHODS, clock });
      const socket = new MemorySocket();
      const bytes = Buffer.concat([...(greeted ? [PREFACE, settings()] : []), ...frames]);
      const pieces = cut(bytes, cuts);
      server.handleConnection(socket, pieces[0]);
      for (const piece of pieces.slice(1)) {
        socket.receive(piece);
        clock.advance(300);
      }
      await turn();
      clock.advance(130_000);
      socket.destroy();
      await turn();
      assert.equal(server.connectionCount, 0);
      assert.equal(server.streamCount, 0);
      assert.equal(server.bufferedBytes, 0);
      assert.equal(clock.timerCount, 0);
    }),
    { numRuns: 2_000 },
  );
});

test("a client never throws, whatever a server sends, and every call ends exactly once", async () => {
  const answer = fc.oneof(
    anyFrame,
    fc.tuple(streamId, flags).map(([id, bits]) =>
      headers(
        id,
        [
          [":status", "200"],
          ["content-type", "application/grpc"],
        ],
        bits & Flag.endStream,
      ),
    ),
    fc.tuple(streamId, flags).map(([id, bits]) => headers(id, [["grpc-status", "0"]], bits & Flag.endStream)),
    fc.tuple(fc.nat(9), fc.nat(11)).map(([id, code]) => frame(7, 0, 0, Buffer.from([0, 0, 0, id, 0, 0, 0, code]))),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(answer, { maxLength: 25 }),
      fc.array(fc.nat(5_000), { maxLength: 10 }),
      async (frames, cuts) => {
        const clock = new ManualClock();
        const socket = new MemorySocket();
        const client = new GrpcClient(socket, "memory", { clock });
        const calls = Array.from({ length: 4 }, (_, n) =>
          client.unary("/f.S/Echo", Buffer.from("x"), n % 2 === 0 ? {} : { deadlineMs: 10_000 }),
        );
        let ends = 0;
        client.open("/f.S/Chat", { message: () => {}, end: () => ends++ });
        for (const piece of cut(Buffer.concat([settings(), ...frames]), cuts)) socket.receive(piece);
        clock.advance(20_000);
        socket.destroy();
        await Promise.all(calls);
        await client.closed;
        assert.equal(ends, 1);
        assert.equal(client.streamCount, 0);
        assert.equal(clock.timerCount, 0);
      },
    ),
    { numRuns: 1_000 },
  );
});

test("honest calls in random pieces all get their answers", async () => {
  const requests = fc.array(fc.uint8Array({ maxLength: 3_000 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(requests, fc.array(fc.nat(60_000), { maxLength: 60 }), async (bodies, cuts) => {
      const server = new GrpcServer({ methods: METHODS, clock: new ManualClock() });
      const socket = new MemorySocket();
      server.handleConnection(socket);
      const calls = bodies.map((body, n) => unaryRequest(2 * n + 1, "/f.S/Echo", body));
      for (const piece of cut(Buffer.concat([PREFACE, settings(), windowUpdate(0, 1 << 20), ...calls]), cuts))
        socket.receive(piece);
      const expected = bodies.map((body) => message(body));
      for (const one of expected) assert.ok(socket.sent.includes(one));
      assert.equal(server.streamCount, 0);
      server.close();
    }),
    { numRuns: 200 },
  );
});

test("F41: connections that end abruptly in the middle of headers leave nothing behind", async () => {
  const clock = new ManualClock();
  const server = new GrpcServer({ methods: METHODS, clock });
  const broken = [
    frame(1, 0, 1, block(requestFields("/f.S/Echo"))),
    headers(1, requestFields("/f.S/Hold")).subarray(0, 30),
    unaryRequest(1, "/f.S/Hold", "x"),
    Buffer.concat([unaryRequest(1, "/f.S/Hold", "x"), frame(1, 4, 3, Buffer.from([0x80]))]),
  ];
  for (let n = 0; n < 10_000; n++) {
    const socket = new MemorySocket();
    server.handleConnection(socket, Buffer.concat([PREFACE, settings(), broken[n % broken.length]]));
    socket.destroy(new Error("ECONNRESET"));
    if (n % 100 === 0) await turn();
  }
  await turn();
  assert.equal(server.connectionCount, 0);
  assert.equal(server.streamCount, 0);
  assert.equal(clock.timerCount, 0);
});
