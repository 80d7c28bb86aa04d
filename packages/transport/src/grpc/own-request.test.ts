/** Requests that a handler may keep: what it kept stays as it was, whatever comes afterwards. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { data, headers, message, requestFields } from "../testing/raw-frames.js";
import { serve } from "../testing/test-server.js";
import type { Method } from "./types.js";

const PATH = "/test.Svc/Keep";
const FRAME_BYTES = 16 * 1024;

interface Kept {
  readonly request: Uint8Array;
  readonly isOwn: boolean;
}

function keeping(kept: Kept[]): Method {
  return {
    kind: "unary",
    path: PATH,
    handle: (request, call) => {
      kept.push({ request, isOwn: call.ownsRequest });
      call.reply(new Uint8Array(0));
    },
  };
}

/** A request in frames as large as they may be; its end comes alone if `endsApart`. */
function request(id: number, body: Uint8Array, endsApart: boolean, path = PATH): Buffer[] {
  const bytes = message(body);
  const frames = [headers(id, requestFields(path))];
  for (let at = 0; at < bytes.length; at += FRAME_BYTES) {
    const isLast = at + FRAME_BYTES >= bytes.length;
    frames.push(data(id, bytes.subarray(at, at + FRAME_BYTES), isLast && !endsApart ? 1 : 0));
  }
  if (endsApart) frames.push(data(id, Buffer.alloc(0), 1));
  return frames;
}

for (const endsApart of [false, true]) {
  test(`a request in several frames that ends ${endsApart ? "apart" : "with the last"} is the handler's own`, async (t) => {
    const kept: Kept[] = [];
    const server = await serve(t, { methods: [keeping(kept)] });
    const peer = await server.peer();
    for (let n = 0; n < 12; n++) {
      peer.send(...request(2 * n + 1, Buffer.alloc(n % 2 === 0 ? 60_000 + n : 100 + n, n), endsApart));
      await peer.roundTrip();
    }
    assert.equal(kept.length, 12);
    for (const [n, { request: bytes, isOwn }] of kept.entries()) {
      assert.equal(isOwn, n % 2 === 0);
      if (isOwn) assert.deepEqual(Buffer.from(bytes), Buffer.alloc(60_000 + n, n));
    }
    assert.equal(server.grpc.counters.bufferedBytesExceeded, 0);
  });
}

test("F16: a request that was postponed is the handler's own as before, and its memory is given back", async (t) => {
  const kept: Kept[] = [];
  const method = keeping(kept);
  assert.ok(method.kind === "unary");
  // Each takes longer than a turn.
  const slow: Method = {
    ...method,
    handle: (bytes, call) => {
      server.clock.advance(10);
      method.handle(bytes, call);
    },
  };
  const server = await serve(t, { methods: [slow], limits: { bufferedBytesPerConnectionMax: 100_000 } });
  const peer = await server.peer();
  peer.send(...Array.from({ length: 40 }, (_, n) => Buffer.concat(request(2 * n + 1, Buffer.alloc(17_000, n), false))));
  for (let turns = 0; kept.length < 40 && turns < 10_000; turns++) await server.advance(1);
  assert.ok(server.grpc.counters.requestsPostponed > 0);
  assert.deepEqual(
    kept.map(({ request: [first], isOwn }) => [first, isOwn]),
    Array.from({ length: 40 }, (_, n) => [n, true]),
  );
  assert.equal(server.grpc.counters.bufferedBytesExceeded, 0);
});

test("the memory of a request of which nothing is kept is used again, and no other", async (t) => {
  const kept: Kept[] = [];
  const passing: Kept[] = [];
  const path = "/test.Svc/Pass";
  const methods: Method[] = [keeping(kept), { ...keeping(passing), path, keepsNothing: true } as Method];
  const server = await serve(t, { methods });
  const peer = await server.peer();
  const length = 60_000;
  for (let n = 0; n < 12; n++) {
    const to = n % 3 === 0 ? PATH : path;
    peer.send(...request(2 * n + 1, Buffer.alloc(length, n), n % 2 === 0, to));
    await peer.roundTrip();
  }
  // What one has passed on is there for the next. Those that are kept have no more than they need.
  const buffers = passing.map(({ request: { buffer } }) => buffer);
  assert.deepEqual([buffers.length, new Set(buffers).size, kept.length], [8, 1, 4]);
  for (const { request: bytes } of kept) assert.equal(bytes.buffer.byteLength, length);
  for (const [n, { request: bytes }] of kept.entries())
    assert.deepEqual(Buffer.from(bytes), Buffer.alloc(length, 3 * n));
});

test("two requests that come at the same time do not share memory, of which nothing is kept afterwards", async (t) => {
  const seen: string[] = [];
  const path = "/test.Svc/Pass";
  const handle = (bytes: Uint8Array): void => {
    const [first, ...others] = new Set(bytes);
    seen.push(`${first} ${others.length} ${bytes.length}`);
  };
  const server = await serve(t, { methods: [{ kind: "unary", path, handle, keepsNothing: true }] });
  const peer = await server.peer();
  for (let n = 1; n <= 8; n += 2) {
    const pair = [n, n + 1].map((m) => request(2 * m - 1, Buffer.alloc(100_000, m), true, path));
    for (let at = 0; at < pair[0]!.length; at++) peer.send(pair[0]![at]!, pair[1]![at]!);
    await peer.roundTrip();
  }
  assert.deepEqual(
    seen,
    [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `${n} 0 100000`),
  );
});
