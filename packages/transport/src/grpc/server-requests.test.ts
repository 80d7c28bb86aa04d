/** Requests that are odd, wrong or hostile (F42, F44): every one gets an answer, and none leaves a stream behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import {
  Code,
  data,
  Flag,
  headers,
  message,
  requestFields,
  Type,
  uint32,
  unaryRequest,
} from "../testing/raw-frames.js";
import { CHAT, ECHO, HOLD, STREAM, serve } from "../testing/test-server.js";

interface Answer {
  readonly http: string | undefined;
  readonly code: string | undefined;
  readonly text: string | undefined;
}

interface Odd {
  /** Changes to the honest header list; undefined removes a field. */
  readonly fields?: Record<string, string | undefined>;
  /** The body; an honest message if undefined. */
  readonly body?: Uint8Array;
  readonly path?: string;
  readonly answer: Answer;
}

function ok(code: number, text: string): Answer {
  return { http: "200", code: String(code), text };
}

const GZIP = { "grpc-encoding": "gzip" };
const TOO_FEW = "cardinality violation: received no request message from non-client-streaming RPC";
const TOO_MANY = "cardinality violation: received multiple request messages for non-client-streaming RPC";

const ODD: Record<string, Odd> = {
  "an unknown service": { path: "/no.Such/Method", answer: ok(12, "unknown service no.Such") },
  "an unknown method": { path: "/test.Svc/Nope", answer: ok(12, "unknown method Nope for service test.Svc") },
  "a path without a leading slash": { path: "test.Svc/Echo", answer: ok(12, 'malformed method name: "test.Svc/Echo"') },
  "a path of one part": { path: "/Echo", answer: ok(12, 'malformed method name: "/Echo"') },
  "GET with a gRPC content type": {
    fields: { ":method": "GET" },
    answer: { http: "405", code: "13", text: 'Received a HEADERS frame with :method "GET" which should be POST' },
  },
  "no te": { fields: { te: undefined }, answer: { http: "200", code: undefined, text: undefined } },
  "a content type with a subtype": {
    fields: { "content-type": "application/grpc+proto" },
    answer: { http: "200", code: undefined, text: undefined },
  },
  "gRPC-Web": {
    fields: { "content-type": "application/grpc-web" },
    answer: { http: "415", code: undefined, text: undefined },
  },
  "no content type": {
    fields: { "content-type": undefined },
    answer: { http: "415", code: undefined, text: undefined },
  },
  "an absurd timeout": {
    fields: { "grpc-timeout": "1 fortnight" },
    answer: {
      http: "400",
      code: "13",
      text: 'malformed grpc-timeout: transport: timeout string is too long: "1 fortnight"',
    },
  },
  "a timeout of zero": { fields: { "grpc-timeout": "0n" }, answer: ok(4, "context deadline exceeded") },
  "an unknown encoding": {
    fields: { "grpc-encoding": "br" },
    answer: ok(12, 'grpc: Decompressor is not installed for grpc-encoding "br"'),
  },
  "broken binary metadata": {
    fields: { "x-bin": "%%%" },
    answer: {
      http: "400",
      code: "13",
      text: 'malformed binary metadata "%25%25%25" in header "x-bin": illegal base64 data',
    },
  },
  "no message": { body: Buffer.alloc(0), answer: ok(13, TOO_FEW) },
  "two messages": { body: Buffer.concat([message("a"), message("b")]), answer: ok(13, TOO_MANY) },
  "a cut prefix": { body: Buffer.from([0, 0, 0]), answer: ok(13, "unexpected EOF") },
  "a length above the body": { body: message("not all").subarray(0, 9), answer: ok(13, "unexpected EOF") },
  "a length above the limit": {
    body: Buffer.concat([Buffer.from([0]), uint32(2_097_153)]),
    answer: ok(8, "grpc: received message larger than max (2097153 vs. 2097152)"),
  },
  "a length of four gigabytes": {
    body: Buffer.concat([Buffer.from([0]), uint32(0xffffffff)]),
    answer: ok(8, "grpc: received message larger than max (4294967295 vs. 2097152)"),
  },
  "the compressed flag without an encoding": {
    body: message("x", 1),
    answer: ok(13, "grpc: compressed flag set with identity or empty encoding"),
  },
  "the compressed flag with identity": {
    fields: { "grpc-encoding": "identity" },
    body: message("x", 1),
    answer: ok(13, "grpc: compressed flag set with identity or empty encoding"),
  },
  "an unknown flag": { body: message("x", 7), answer: ok(13, "grpc: received unexpected payload format 7") },
  "a decompression bomb": {
    fields: GZIP,
    body: message(gzipSync(Buffer.alloc(4 << 20)), 1),
    answer: ok(8, "grpc: received message after decompression larger than max 2097152"),
  },
  "broken gzip": {
    fields: GZIP,
    body: message(Buffer.from("no gzip at all"), 1),
    answer: ok(13, "grpc: failed to decompress the message: incorrect header check"),
  },
  "cut gzip": {
    fields: GZIP,
    body: message(gzipSync("x".repeat(1_000)).subarray(0, 20), 1),
    answer: ok(13, "grpc: failed to decompress the message: unexpected end of file"),
  },
};

function oddHeaders(odd: Odd): [string, string][] {
  const changes = { ...odd.fields };
  const list = requestFields(odd.path ?? ECHO).flatMap(([name, value]): [string, string][] => {
    if (!(name in changes)) return [[name, value]];
    const changed = changes[name];
    delete changes[name];
    return changed === undefined ? [] : [[name, changed]];
  });
  return [...list, ...Object.entries(changes).map(([name, value]): [string, string] => [name, value ?? ""])];
}

for (const [what, odd] of Object.entries(ODD)) {
  test(`F42, F44: a request with ${what} is answered, the next one too`, async (t) => {
    const server = await serve(t);
    const peer = await server.peer();
    peer.send(headers(1, oddHeaders(odd)), data(1, odd.body ?? message("x"), Flag.endStream));
    const answer = await peer.nextHeaders(1);
    assert.equal(answer.get(":status"), odd.answer.http);
    assert.equal(answer.get("grpc-status"), odd.answer.code);
    assert.equal(answer.get("grpc-message"), odd.answer.text);
    peer.send(unaryRequest(3, ECHO, "next"));
    assert.equal((await peer.nextHeaders(3)).get(":status"), "200");
    assert.equal(server.grpc.streamCount, 0);
  });
}

test("an unknown encoding is answered with those we know", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(headers(1, requestFields(ECHO, [["grpc-encoding", "snappy"]]), Flag.endStream));
  assert.equal((await peer.nextHeaders(1)).get("grpc-accept-encoding"), "identity,gzip");
});

test("an answer before the end of the request is followed by RST_STREAM with NO_ERROR, and late data is ignored", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(headers(1, requestFields("/no.Such/Method")));
  const trailers = await peer.nextOf(Type.headers, 1);
  assert.equal(trailers.flags & Flag.endStream, Flag.endStream);
  assert.equal(await peer.resetCode(1), Code.none);
  peer.send(data(1, message("late"), Flag.endStream));
  await peer.roundTrip();
  assert.equal(
    peer.frames.some((seen) => seen.type === Type.reset || seen.type === Type.goaway),
    false,
  );
});

test("F44, LIMIT messageBytesMax: a message is refused on its declared length, before its bytes come", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(headers(1, requestFields(ECHO)), data(1, Buffer.concat([Buffer.from([0]), uint32(3 << 20)])));
  assert.equal((await peer.nextHeaders(1)).get("grpc-status"), "8");
  assert.equal(server.grpc.counters.messagesTooLarge, 1);
});

test("F44: a thousand bombs cost their calls only", async (t) => {
  const server = await serve(t, { limits: { messageBytesMax: 100_000 } });
  const peer = await server.peer();
  const bomb = message(gzipSync(Buffer.alloc(1 << 20)), 1);
  for (let id = 1; id < 2_000; id += 2) {
    peer.send(headers(id, requestFields(ECHO, [["grpc-encoding", "gzip"]])), data(id, bomb, Flag.endStream));
    if (id % 200 === 1) await peer.roundTrip();
  }
  await peer.roundTrip();
  assert.equal(server.grpc.counters.messagesTooLarge, 1_000);
  assert.equal(server.grpc.streamCount, 0);
  assert.equal(server.started, 0);
});

test("gzip requests are inflated, also messages of one stream in turn", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(headers(1, requestFields(CHAT, [["grpc-encoding", "gzip"]])));
  peer.send(data(1, Buffer.concat([message(gzipSync("one"), 1), message("two"), message(gzipSync("three"), 1)])));
  const bodies = [];
  for (let n = 0; n < 3; n++) bodies.push((await peer.nextOf(Type.data, 1)).payload.toString("latin1"));
  assert.deepEqual(bodies, ["\0\0\0\0\x03one", "\0\0\0\0\x03two", "\0\0\0\0\x05three"]);
});

test("broken gzip in a bidi call ends it with a status, and the handler is told", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(headers(1, requestFields(CHAT, [["grpc-encoding", "gzip"]])), data(1, message("junk", 1)));
  assert.equal((await peer.nextHeaders(1)).get("grpc-status"), "13");
  assert.deepEqual(server.cancelled, ["cancelled"]);
  assert.equal(server.grpc.counters.brokenCompression, 1);
});

test("F42: HTTP/1 on the port is answered with GOAWAY and closed", async (t) => {
  const server = await serve(t);
  const peer = await server.silentPeer();
  peer.send(Buffer.from("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n"));
  assert.equal((await peer.goaway()).code, Code.protocol);
  await peer.closed;
});

test("a declared content-length must be kept", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  const body = message("x");
  peer.send(headers(1, requestFields(ECHO, [["content-length", "6"]])), data(1, body, Flag.endStream));
  assert.equal((await peer.nextHeaders(1)).get(":status"), "200");
  for (const [id, length] of [
    [3, "5"],
    [5, "7"],
  ] as const) {
    peer.send(headers(id, requestFields(ECHO, [["content-length", length]])), data(id, body, Flag.endStream));
    assert.equal(await peer.resetCode(id), Code.protocol);
  }
  peer.send(headers(7, requestFields(ECHO, [["content-length", "1"]]), Flag.endStream));
  assert.equal(await peer.resetCode(7), Code.protocol);
});

test("trailers of a request end it", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(headers(1, requestFields(ECHO)), data(1, message("x")), headers(1, [["x", "y"]], Flag.endStream));
  assert.equal((await peer.nextHeaders(1)).get(":status"), "200");
  assert.equal(server.grpc.streamCount, 0);
});

test("padding is no part of a message", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  const body = message("padded");
  const padded = Buffer.concat([Buffer.from([3]), body, Buffer.alloc(3)]);
  peer.send(headers(1, requestFields(ECHO)), data(1, padded, Flag.endStream | Flag.padded));
  await peer.nextHeaders(1);
  assert.deepEqual((await peer.nextOf(Type.data, 1)).payload, body);
});

test("a handler that throws ends its call with INTERNAL and nothing else", async (t) => {
  const seen: string[] = [];
  const fail = (): never => {
    throw new Error("secret detail");
  };
  const server = await serve(t, {
    methods: [
      { kind: "unary", path: "/test.Svc/Throw", handle: fail },
      { kind: "bidi", path: "/test.Svc/ThrowOnOpen", open: fail },
      { kind: "bidi", path: "/test.Svc/ThrowLater", open: () => ({ message: fail, halfClose: fail }) },
    ],
    onHandlerError: (path, error) => seen.push(`${path} ${(error as Error).message}`),
  });
  const peer = await server.peer();
  peer.send(unaryRequest(1, "/test.Svc/Throw", "x"));
  peer.send(unaryRequest(3, "/test.Svc/ThrowOnOpen", "x"));
  peer.send(unaryRequest(5, "/test.Svc/ThrowLater", "x"));
  peer.send(headers(7, requestFields("/test.Svc/ThrowLater"), Flag.endStream));
  for (const id of [1, 3, 5, 7]) {
    const trailers = await peer.nextHeaders(id);
    assert.equal(trailers.get("grpc-status"), "13");
    assert.equal(trailers.get("grpc-message"), "internal error");
  }
  assert.deepEqual(seen, [
    "/test.Svc/Throw secret detail",
    "/test.Svc/ThrowOnOpen secret detail",
    "/test.Svc/ThrowLater secret detail",
    "/test.Svc/ThrowLater secret detail",
  ]);
  assert.equal(server.grpc.streamCount, 0);
});

test("calls on streams that are open stay untouched by all of this", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(unaryRequest(1, HOLD, "x"), unaryRequest(3, STREAM, "x"));
  const [hold, stream] = [await server.nextHeld(), await server.nextHeld()];
  peer.send(unaryRequest(5, "/no.Such/Method", "x"), headers(7, requestFields(ECHO, [["te", "gzip"]])));
  assert.equal(await peer.resetCode(7), Code.protocol);
  hold.reply(Buffer.from("held"));
  stream.send(Buffer.from("part"));
  stream.end({ code: 5, message: "läuft ab" });
  assert.equal((await peer.nextOf(Type.data, 1)).payload.subarray(5).toString(), "held");
  assert.equal((await peer.nextOf(Type.data, 3)).payload.subarray(5).toString(), "part");
  await peer.nextHeaders(3);
  const trailers = await peer.nextHeaders(3);
  assert.equal(trailers.get("grpc-status"), "5");
  assert.equal(trailers.get("grpc-message"), "l%C3%A4uft ab");
});
