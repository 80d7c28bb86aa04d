/** Each limit of the fault model's HTTP/2 table, reached by a peer that sends raw frames. The clock stands still. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeaderBlockWriter, HpackEncoder } from "../hpack/index.js";
import {
  block,
  Code,
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
  Type,
  uint32,
  unaryRequest,
  windowUpdate,
} from "../testing/raw-frames.js";
import { CHAT, ECHO, HOLD, STREAM, serve } from "../testing/test-server.js";

test("F28, LIMIT resetBurst: rapid reset ends the connection after a bounded number of handlers", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  for (let id = 1; id < 2_000; id += 2) peer.send(unaryRequest(id, HOLD, "x"), reset(id, Code.cancel));
  const goaway = await peer.goaway();
  assert.equal(goaway.code, Code.calm);
  assert.equal(goaway.reason, "too many resets");
  assert.ok(server.started <= 201, String(server.started));
  assert.equal(server.cancelled.length, server.started);
  assert.equal(server.grpc.counters.resetFloods, 1);
  await server.assertGone(peer);
});

test("F28, LIMIT resetsPerSecond: resets at the allowed pace are fine, and above it are not", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  let id = 1;
  for (let second = 0; second < 10; second++) {
    for (let i = 0; i < 50; i++, id += 2) peer.send(unaryRequest(id, HOLD, "x"), reset(id, Code.cancel));
    await peer.roundTrip();
    server.clock.advance(1_000);
  }
  assert.equal(server.grpc.counters.resetFloods, 0);
  assert.equal(server.grpc.streamCount, 0);
  // The burst is whole again by now; after it only what a second gives back is allowed.
  for (let i = 0; i < 200; i++, id += 2) peer.send(unaryRequest(id, HOLD, "x"), reset(id, Code.cancel));
  await peer.roundTrip();
  server.clock.advance(1_000);
  for (let i = 0; i < 50; i++, id += 2) peer.send(unaryRequest(id, HOLD, "x"), reset(id, Code.cancel));
  await peer.roundTrip();
  assert.equal(server.grpc.counters.resetFloods, 0);
  peer.send(unaryRequest(id, HOLD, "x"), reset(id, Code.cancel));
  assert.equal((await peer.goaway()).code, Code.calm);
});

test("F28: a thousand calls that lived a while may be cancelled at once", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  for (let n = 0; n < 1_000; n++) peer.send(unaryRequest(2 * n + 1, HOLD, "x"));
  await peer.roundTrip();
  await server.advance(1_500);
  for (let n = 0; n < 1_000; n++) peer.send(reset(2 * n + 1, Code.cancel));
  await peer.roundTrip();
  assert.equal(server.cancelled.length, 1_000);
  assert.equal(server.grpc.streamCount, 0);
});

const MADE_YOU_RESET: Record<string, (id: number) => Uint8Array> = {
  "a window update of zero": (id) => windowUpdate(id, 0),
  "a window update that overflows": (id) => windowUpdate(id, 0x7fffffff),
  "data after the end": (id) => data(id, Buffer.from("x")),
  "headers after the end": (id) => headers(id, [["a", "b"]], Flag.endStream),
  "PRIORITY of wrong length": (id) => frame(Type.priority, 0, id, Buffer.alloc(4)),
  "PRIORITY on itself": (id) => frame(Type.priority, 0, id, Buffer.concat([uint32(id), Buffer.from([0])])),
};

for (const [what, offence] of Object.entries(MADE_YOU_RESET)) {
  test(`F29: made-you-reset by ${what} is counted like a reset`, async (t) => {
    const server = await serve(t);
    const peer = await server.peer();
    for (let id = 1; id < 2_000; id += 2) peer.send(unaryRequest(id, HOLD, "x"), offence(id));
    const goaway = await peer.goaway();
    assert.equal(goaway.code, Code.calm);
    assert.ok(server.started <= 201, String(server.started));
    assert.equal(server.cancelled.length, server.started);
    await server.assertGone(peer);
  });
}

test("F30, LIMIT continuationFramesMax: a ninth CONTINUATION ends the connection", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  const bytes = block(requestFields(ECHO, [["x", "y".repeat(40)]]));
  const piece = (at: number): Uint8Array => bytes.subarray(at, at + 1);
  const parts = [frame(Type.headers, 0, 1, piece(0))];
  for (let at = 1; at <= 9; at++) parts.push(frame(Type.continuation, 0, 1, piece(at)));
  peer.send(...parts);
  assert.equal((await peer.goaway()).code, Code.calm);
  assert.equal(server.grpc.counters.continuationFloods, 1);
  await server.assertGone(peer);
});

test("F30: a header block in eight CONTINUATION frames is fine", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  const bytes = block(requestFields(ECHO));
  const step = Math.ceil(bytes.length / 9);
  for (let n = 0; n < 9; n++) {
    const flags = n === 8 ? Flag.endHeaders : 0;
    peer.send(frame(n === 0 ? Type.headers : Type.continuation, flags, 1, bytes.subarray(n * step, (n + 1) * step)));
  }
  peer.send(data(1, message("x"), Flag.endStream));
  assert.equal((await peer.nextHeaders(1)).get(":status"), "200");
});

test("F30, LIMIT headerBlockBytesMax: a header block above 16 KiB ends the connection before its end", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(frame(Type.headers, 0, 1, Buffer.alloc(10_000)), frame(Type.continuation, 0, 1, Buffer.alloc(7_000)));
  assert.equal((await peer.goaway()).code, Code.calm);
  assert.equal(server.grpc.counters.continuationFloods, 1);
  await server.assertGone(peer);
});

/** Blocks of a client that indexes one field and then refers to it. */
function bomb(value: string, references: number): Uint8Array[] {
  const encoder = new HpackEncoder();
  return [1, references].map((count) => {
    const out = new HeaderBlockWriter();
    const names = Array.from({ length: count }, () => "x");
    const values = Array.from({ length: count }, () => value);
    const first = requestFields(ECHO);
    const fields = {
      names: [...first.map(([name]) => name), ...names],
      values: [...first.map(([, v]) => v), ...values],
    };
    encoder.encode(fields, out, "incremental");
    return out.copy();
  });
}

for (const [fault, value, references, counter] of [
  ["F31, LIMIT headerListBytesMax: an HPACK bomb of one fat entry", "y".repeat(1_500), 40, "headerListsTooLarge"],
  ["F32, LIMIT headerFieldsMax: an HPACK bomb of many thin entries", "", 65, "headerListsTooLong"],
] as const) {
  test(`${fault} is a stream reset, and ends the connection when repeated`, async (t) => {
    const server = await serve(t);
    const peer = await server.peer();
    const [seed, attack] = bomb(value, references);
    peer.send(frame(Type.headers, Flag.endHeaders, 1, seed), data(1, message("ok"), Flag.endStream));
    assert.equal((await peer.nextHeaders(1)).get(":status"), "200");
    peer.send(frame(Type.headers, Flag.endHeaders | Flag.endStream, 3, attack));
    assert.equal(await peer.resetCode(3), Code.calm);
    assert.equal(server.grpc.counters[counter], 1);
    peer.send(unaryRequest(5, ECHO, "still here"));
    await peer.nextHeaders(5);
    for (let id = 7; id < 1_000; id += 2) peer.send(frame(Type.headers, Flag.endHeaders | Flag.endStream, id, attack));
    assert.equal((await peer.goaway()).code, Code.calm);
    assert.equal(server.started, 2);
    await server.assertGone(peer);
  });
}

test("F32, F37, LIMIT stalledAnswerMs, LIMIT stalledBytesPerSecondMin: an answer that the peer does not accept for 60 s is reset, whatever window updates it sends", async (t) => {
  const server = await serve(t, { limits: { keepaliveIdleMs: 1e9 } });
  const peer = await server.peer([4, 1]);
  peer.send(unaryRequest(1, ECHO, "a longer answer than all those windows together".repeat(10)));
  await peer.nextHeaders(1);
  for (let second = 0; second < 60; second++) {
    assert.equal(server.grpc.streamCount, 1, `second ${second}`);
    // One byte per second is progress, but far too little.
    peer.send(windowUpdate(1, 1));
    await peer.roundTrip();
    await server.advance(1_000);
  }
  await server.advance(2_000);
  assert.equal(await peer.resetCode(1), Code.calm);
  assert.equal(server.grpc.streamCount, 0);
  assert.equal(server.grpc.counters.stalledAnswers, 1);
});

test("F33, LIMIT settingsFramesPerMinute: SETTINGS more often than 20 times a minute end the connection", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  for (let n = 0; n < 19; n++) peer.send(settings([4, 65_535]));
  await peer.roundTrip();
  server.clock.advance(60_000);
  for (let n = 0; n < 21; n++) peer.send(settings());
  assert.equal((await peer.goaway()).code, Code.calm);
  assert.equal(server.grpc.counters.settingsFloods, 1);
  await server.assertGone(peer);
});

test("F33, LIMIT settingsEntriesMax: a SETTINGS frame with 33 entries ends the connection", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(settings(...Array.from({ length: 33 }, (_, n) => [100 + n, 0] as const)));
  assert.equal((await peer.goaway()).code, Code.calm);
  await server.assertGone(peer);
});

test("F34, LIMIT pingFloorMs, LIMIT pingStrikesMax: pings too often end the connection with too_many_pings", async (t) => {
  const server = await serve(t, { limits: { pingStrikesMax: 2 } });
  const peer = await server.silentPeer();
  peer.greet();
  peer.send(unaryRequest(1, HOLD, "x"));
  for (let n = 0; n < 4; n++) peer.send(ping(`p${n}`));
  const goaway = await peer.goaway();
  assert.equal(goaway.code, Code.calm);
  assert.equal(goaway.reason, "too_many_pings");
  assert.equal(server.grpc.counters.pingFloods, 1);
  await server.assertGone(peer);
});

test("F35, LIMIT emptyFramesPerStreamMax: empty DATA frames, 101 on one stream, end the connection", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(headers(1, requestFields(CHAT)));
  for (let n = 0; n < 100; n++) peer.send(data(1, Buffer.alloc(0)));
  await peer.roundTrip();
  peer.send(data(1, Buffer.alloc(0)));
  assert.equal((await peer.goaway()).code, Code.calm);
  assert.equal(server.grpc.counters.emptyFrameFloods, 1);
  assert.deepEqual(server.cancelled, ["connection-lost"]);
  await server.assertGone(peer);
});

test("F35: frames of nothing but padding are empty too", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(headers(1, requestFields(CHAT)));
  for (let n = 0; n < 101; n++) peer.send(data(1, Buffer.from([3, 0, 0, 0]), Flag.padded));
  assert.equal((await peer.goaway()).code, Code.calm);
  await server.assertGone(peer);
});

test("F35: empty HEADERS are malformed requests, and counted as resets", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  for (let id = 1; id < 1_000; id += 2) peer.send(frame(Type.headers, Flag.endHeaders, id));
  assert.equal((await peer.goaway()).code, Code.calm);
  assert.equal(server.grpc.counters.malformedRequests, 201);
  await server.assertGone(peer);
});

const WORTHLESS: Record<string, Uint8Array> = {
  "PRIORITY churn": frame(Type.priority, 0, 1, Buffer.from([0, 0, 0, 9, 1])),
  "unknown frame types": frame(0x33, 0, 1, Buffer.alloc(5)),
  "window updates for a closed stream": windowUpdate(1, 5),
};

for (const [what, worthless] of Object.entries(WORTHLESS)) {
  test(`F36, LIMIT overheadBytesPerMinute: ${what} end the connection after a mebibyte in a minute`, async (t) => {
    const server = await serve(t);
    const peer = await server.peer();
    peer.send(unaryRequest(1, ECHO, "x"));
    await peer.nextHeaders(1);
    const burst = Buffer.concat(Array.from({ length: 1_000 }, () => worthless));
    for (let sent = 0; sent < 1_200_000; sent += burst.length) peer.send(burst);
    assert.equal((await peer.goaway()).code, Code.calm);
    assert.equal(server.grpc.counters.overheadFloods, 1);
    await server.assertGone(peer);
  });
}

test("F36: a message dribbled in frames of one byte is overhead", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(headers(1, requestFields(CHAT)));
  const one = data(1, Buffer.from([0]));
  const burst = Buffer.concat(Array.from({ length: 1_000 }, () => one));
  peer.send(data(1, Buffer.from([0, 0, 0x1f, 0xff, 0xff])));
  for (let n = 0; n < 130; n++) peer.send(burst);
  assert.equal((await peer.goaway()).code, Code.calm);
  assert.equal(server.grpc.counters.overheadFloods, 1);
  await server.assertGone(peer);
});

test("F37, LIMIT unsentBytesPerCallMax: unsent bytes of a streaming call are bounded; a message that comes on top resets it, and no other", async (t) => {
  const server = await serve(t, { limits: { unsentBytesPerCallMax: 100_000, callHighWaterBytes: 50_000 } });
  const peer = await server.peer([4, 0]);
  peer.send(unaryRequest(1, STREAM, ""), unaryRequest(3, STREAM, ""));
  const first = await server.nextHeld();
  const second = await server.nextHeld();
  first.send(Buffer.alloc(60_000));
  second.send(Buffer.alloc(60_000));
  assert.equal(first.congested && second.congested, true);
  // Below the limit another message is taken, whatever its size.
  first.send(Buffer.alloc(60_000));
  assert.equal(first.ended, false);
  first.send(Buffer.alloc(1));
  assert.equal(first.ended, true);
  assert.deepEqual(server.cancelled, ["cancelled"]);
  assert.equal(await peer.resetCode(1), Code.calm);
  assert.equal(second.ended, false);
  assert.equal(server.grpc.counters.unsentBytesExceeded, 1);
});

test("F37: a peer that stops reading costs bounded memory and is closed after 60 s", async (t) => {
  const server = await serve(t);
  const peer = await server.peer([4, 0x7fffffff]);
  peer.send(windowUpdate(0, 0x7fff0000 - 65_535));
  peer.socket.pause();
  peer.send(unaryRequest(1, STREAM, ""));
  const call = await server.nextHeld();
  let sent = 0;
  while (!call.congested && sent < 64 << 20) {
    call.send(Buffer.alloc(16_000));
    sent += 16_000;
    await server.advance(1);
  }
  assert.ok(call.congested, "the call must become congested once the socket is full");
  assert.ok(call.unsentBytes < 1 << 20, String(call.unsentBytes));
  await server.advance(62_000);
  assert.equal(server.grpc.connectionCount, 0);
  assert.ok(server.grpc.counters.stalledAnswers + server.grpc.counters.keepaliveTimeouts > 0);
  assert.deepEqual(server.cancelled, ["connection-lost"]);
  peer.socket.resume();
  await peer.closed;
});

test("F38, LIMIT streamsPerConnectionMax: streams above the limit are refused as never processed, and cost the client resets", async (t) => {
  const server = await serve(t, { limits: { streamsPerConnectionMax: 3 } });
  const peer = await server.peer();
  const { payload } = await peer.nextOf(Type.settings);
  assert.ok(payload.toString("hex").includes("000300000003"), "the limit is advertised");
  for (const id of [1, 3, 5, 7]) peer.send(unaryRequest(id, HOLD, "x"));
  assert.equal(await peer.resetCode(7), Code.refused);
  assert.equal(server.grpc.streamCount, 3);
  assert.equal(server.grpc.counters.streamsRefusedPerConnection, 1);
  (await server.nextHeld()).reply(new Uint8Array(0));
  peer.send(unaryRequest(9, ECHO, "x"));
  await peer.nextHeaders(9);
  peer.send(frame(Type.settings, Flag.ack, 0));
  for (let id = 11; id < 1_000; id += 2) peer.send(unaryRequest(id, HOLD, "x"));
  assert.equal((await peer.goaway()).code, Code.calm);
  await server.assertGone(peer);
});

test("F38: a client that never acknowledges our settings pays too, above twice the limit", async (t) => {
  const server = await serve(t, { limits: { streamsPerConnectionMax: 3 } });
  const peer = await server.silentPeer();
  peer.send(PREFACE, settings());
  for (const id of [1, 3, 5]) peer.send(unaryRequest(id, HOLD, "x"));
  for (let id = 7; id < 1_000; id += 2) peer.send(unaryRequest(id, HOLD, "x"));
  assert.equal((await peer.goaway()).code, Code.calm);
  assert.equal(server.started, 3);
  // Three for free, and the burst with the one that breaks it.
  assert.equal(server.grpc.counters.streamsRefusedPerConnection, 3 + 201);
  await server.assertGone(peer);
});

test("F38, LIMIT streamsTotalMax: streams of all connections are limited", async (t) => {
  const server = await serve(t, { limits: { streamsTotalMax: 2 } });
  const [one, two] = [await server.peer(), await server.peer()];
  one.send(unaryRequest(1, HOLD, "x"), unaryRequest(3, HOLD, "x"));
  await one.roundTrip();
  two.send(unaryRequest(1, ECHO, "x"));
  assert.equal(await two.resetCode(1), Code.refused);
  assert.equal(server.grpc.counters.streamsRefusedTotal, 1);
});

test("F39: an overflow of the connection window ends the connection", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(windowUpdate(0, 0x7fffffff), windowUpdate(0, 0x7fffffff));
  assert.equal((await peer.goaway()).code, Code.flowControl);
  await server.assertGone(peer);
});
