import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, data, Flag, headers, reset, Type, windowUpdate } from "../testing/raw-frames.js";
import { serve } from "../testing/test-server.js";
import type { PlainRequest } from "./plain-request.js";

function get(path: string, method = "GET"): [string, string][] {
  return [
    [":method", method],
    [":scheme", "http"],
    [":path", path],
    [":authority", "me"],
    ["accept", "*/*"],
  ];
}

test("without a hook, a plain request is answered with 415 and a text", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(headers(1, get("/"), Flag.endStream));
  const answer = await peer.nextHeaders(1);
  assert.equal(answer.get(":status"), "415");
  assert.equal(answer.get("content-type"), "text/plain; charset=utf-8");
  const body = await peer.nextOf(Type.data, 1);
  assert.equal(body.flags, Flag.endStream);
  assert.match(body.payload.toString(), /gRPC/);
  assert.equal(answer.get("content-length"), String(body.payload.length));
  assert.equal(server.grpc.streamCount, 0);
});

test("the hook sees method, path, headers and the whole body", async (t) => {
  const seen: PlainRequest[] = [];
  const server = await serve(t, {
    onPlainRequest: (request) => {
      seen.push(request);
      request.respond(201, [["x-a", "b"]], request.body);
    },
  });
  const peer = await server.peer();
  peer.send(
    headers(1, get("/v3/kv/put?x", "POST")),
    data(1, Buffer.from("one ")),
    data(1, Buffer.from("two"), Flag.endStream),
  );
  const answer = await peer.nextHeaders(1);
  assert.equal(answer.get(":status"), "201");
  assert.equal(answer.get("x-a"), "b");
  assert.equal((await peer.nextOf(Type.data, 1)).payload.toString(), "one two");
  assert.equal(seen[0].method, "POST");
  assert.equal(seen[0].path, "/v3/kv/put?x");
  assert.equal(seen[0].authority, "me");
  assert.deepEqual(seen[0].headers, [["accept", "*/*"]]);
  assert.equal(seen[0].peer.address, "127.0.0.1");
});

test("an answer to HEAD has no body", async (t) => {
  const server = await serve(t);
  const peer = await server.peer();
  peer.send(headers(1, get("/", "HEAD"), Flag.endStream));
  const answer = await peer.nextOf(Type.headers, 1);
  assert.equal(answer.flags & Flag.endStream, Flag.endStream);
  assert.notEqual(answer.fields.get("content-length"), "0");
});

test("an answer may come in pieces, within the peer's window", async (t) => {
  const server = await serve(t, {
    onPlainRequest: (request) => {
      request.begin(200, []);
      request.write("first,");
      request.write("second");
      request.finish();
      request.write("ignored");
    },
  });
  const peer = await server.peer([4, 3]);
  peer.send(headers(1, get("/"), Flag.endStream));
  await peer.nextHeaders(1);
  peer.send(windowUpdate(1, 100));
  let body = "";
  for (let ended = false; !ended; ) {
    const part = await peer.nextOf(Type.data, 1);
    body += part.payload.toString();
    ended = part.flags === Flag.endStream;
  }
  assert.equal(body, "first,second");
  assert.equal(server.grpc.streamCount, 0);
});

test("a hook hears that the client went away", async (t) => {
  const reasons: string[] = [];
  const server = await serve(t, { onPlainRequest: (request) => request.onCancel((reason) => reasons.push(reason)) });
  const peer = await server.peer();
  peer.send(headers(1, get("/"), Flag.endStream), headers(3, get("/"), Flag.endStream));
  peer.send(reset(1, Code.cancel));
  await peer.roundTrip();
  assert.deepEqual(reasons, ["cancelled"]);
  peer.socket.destroy();
  while (server.grpc.connectionCount > 0) await server.advance(250);
  assert.deepEqual(reasons, ["cancelled", "connection-lost"]);
});

test("F16, F26, LIMIT plainBodyBytesMax: a body that is too large or too slow is answered and given up", async (t) => {
  const server = await serve(t, { limits: { plainBodyBytesMax: 1_000 } });
  const peer = await server.peer();
  peer.send(headers(1, get("/", "POST")), data(1, Buffer.alloc(1_001)));
  assert.equal((await peer.nextHeaders(1)).get(":status"), "413");
  peer.send(headers(3, get("/", "POST")), data(3, Buffer.alloc(10)));
  await peer.roundTrip();
  await server.advance(11_500);
  assert.equal((await peer.nextHeaders(3)).get(":status"), "408");
  assert.equal(server.grpc.streamCount, 0);
});

test("F20: an answer in pieces is congested while the peer takes nothing, and told when it may go on", async (t) => {
  let request: PlainRequest | undefined;
  let drained = 0;
  const server = await serve(t, {
    limits: { callHighWaterBytes: 100, callLowWaterBytes: 10 },
    onPlainRequest: (plain) => {
      request = plain;
      plain.onDrain(() => drained++);
      plain.begin(200, []);
      plain.write("x".repeat(3));
    },
  });
  const peer = await server.peer([4, 3]);
  peer.send(headers(1, get("/"), Flag.endStream));
  await peer.nextOf(Type.data, 1);
  assert.deepEqual([request?.congested, request?.unsentBytes], [false, 0]);
  request?.write("y".repeat(101));
  assert.deepEqual([request?.congested, request?.unsentBytes, drained], [true, 101, 0]);
  peer.send(windowUpdate(1, 50));
  await peer.roundTrip();
  assert.deepEqual([request?.congested, drained], [true, 0]);
  peer.send(windowUpdate(1, 50));
  await peer.roundTrip();
  assert.deepEqual([request?.congested, drained], [false, 1]);
});

test("F37: a hook hears when nothing of its answer waits any more, whether it was taken or lost", async (t) => {
  const taken: string[] = [];
  const answered: PlainRequest[] = [];
  const server = await serve(t, {
    onPlainRequest: (request) => {
      request.respond(200, [], "x".repeat(10));
      request.onTaken(() => taken.push(request.path));
      answered.push(request);
    },
  });
  const peer = await server.peer([4, 3]);
  peer.send(headers(1, get("/slow"), Flag.endStream), headers(3, get("/reset"), Flag.endStream));
  await peer.roundTrip();
  assert.equal(taken.length, 0);
  peer.send(reset(3, Code.cancel));
  await peer.roundTrip();
  assert.deepEqual(taken, ["/reset"]);
  answered[1]?.onTaken(() => taken.push("at once"));
  assert.deepEqual(taken.splice(0), ["/reset", "at once"]);
  peer.send(windowUpdate(1, 7));
  await peer.roundTrip();
  assert.deepEqual(taken.splice(0), ["/slow"]);
  peer.send(headers(5, get("/lost"), Flag.endStream));
  await peer.roundTrip();
  peer.socket.destroy();
  while (server.grpc.connectionCount > 0) await server.advance(250);
  assert.deepEqual(taken, ["/lost"]);
});
