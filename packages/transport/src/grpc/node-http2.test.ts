/** Node's own HTTP/2 as the other end, both ways round. It shares no code with ours. */
import assert from "node:assert/strict";
import { once } from "node:events";
import * as http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { message } from "../testing/raw-frames.js";
import { CHAT, ECHO, STREAM, TestServer } from "../testing/test-server.js";
import { GrpcClient } from "./client.js";

interface Answer {
  readonly headers: http2.IncomingHttpHeaders;
  readonly trailers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
}

async function nodeClient(t: TestContext): Promise<{ server: TestServer; session: http2.ClientHttp2Session }> {
  const server = await TestServer.start();
  const session = http2.connect(`http://127.0.0.1:${server.port}`);
  t.after(async () => {
    session.destroy();
    await server.stop();
  });
  return { server, session };
}

function request(
  session: http2.ClientHttp2Session,
  path: string,
  extra: http2.OutgoingHttpHeaders = {},
): http2.ClientHttp2Stream {
  return session.request({
    ":method": "POST",
    ":path": path,
    te: "trailers",
    "content-type": "application/grpc",
    ...extra,
  });
}

async function answerOf(stream: http2.ClientHttp2Stream): Promise<Answer> {
  const parts: Buffer[] = [];
  let headers: http2.IncomingHttpHeaders = {};
  let trailers: http2.IncomingHttpHeaders = {};
  stream.on("response", (seen) => {
    headers = seen;
  });
  stream.on("trailers", (seen) => {
    trailers = seen;
  });
  stream.on("data", (part: Buffer) => parts.push(part));
  await once(stream, "end");
  return { headers, trailers, body: Buffer.concat(parts) };
}

test("node:http2 client: unary calls of all sizes", async (t) => {
  const { server, session } = await nodeClient(t);
  for (const size of [0, 10, 20_000, 500_000]) {
    const body = message(Buffer.alloc(size, 7));
    const stream = request(session, ECHO);
    stream.end(body);
    const answer = await answerOf(stream);
    assert.equal(answer.headers[":status"], 200);
    assert.equal(answer.headers["content-type"], "application/grpc");
    assert.equal(answer.trailers["grpc-status"], "0");
    assert.ok(body.equals(answer.body));
  }
  assert.equal(server.grpc.streamCount, 0);
});

test("node:http2 client: a hundred calls at once", async (t) => {
  const { session } = await nodeClient(t);
  const answers = Array.from({ length: 100 }, (_, n) => {
    const stream = request(session, ECHO);
    stream.end(message(String(n)));
    return answerOf(stream);
  });
  for (const [n, answer] of (await Promise.all(answers)).entries()) {
    assert.equal(answer.body.subarray(5).toString(), String(n));
  }
});

test("node:http2 client: trailers-only errors", async (t) => {
  const { session } = await nodeClient(t);
  const stream = request(session, "/no.Such/Method");
  stream.end(message("x"));
  const answer = await answerOf(stream);
  assert.equal(answer.headers["grpc-status"], "12");
  assert.equal(answer.headers["grpc-message"], "unknown service no.Such");
});

test("node:http2 client: server stream and bidi", async (t) => {
  const { server, session } = await nodeClient(t);
  const stream = request(session, STREAM);
  stream.end(message(""));
  const answer = answerOf(stream);
  const call = await server.nextHeld();
  for (let n = 0; n < 1_000; n++) call.send(Buffer.alloc(1_000, n));
  call.end({ code: 0, message: "" });
  assert.equal((await answer).body.length, 1_000 * 1_005);
  const chat = request(session, CHAT);
  const echoed = answerOf(chat);
  chat.write(message("a"));
  chat.end(message("b"));
  assert.deepEqual((await echoed).body, Buffer.concat([message("a"), message("b")]));
});

test("node:http2 client: a cancelled call and a closed session", async (t) => {
  const { server, session } = await nodeClient(t);
  const stream = request(session, STREAM);
  stream.end(message(""));
  stream.on("error", () => {});
  await server.nextHeld();
  stream.close(http2.constants.NGHTTP2_CANCEL);
  await server.untilCancelled(1);
  const second = request(session, STREAM);
  second.on("error", () => {});
  second.end(message(""));
  await server.nextHeld();
  session.destroy();
  await server.untilCancelled(2);
  assert.deepEqual(server.cancelled, ["cancelled", "connection-lost"]);
});

test("node:http2 client: an orderly end", async (t) => {
  const { server, session } = await nodeClient(t);
  const stream = request(session, STREAM);
  stream.end(message(""));
  const answer = answerOf(stream);
  const call = await server.nextHeld();
  const drained = server.grpc.drain(30_000);
  call.end({ code: 14, message: "going away" });
  assert.equal((await answer).headers["grpc-status"], "14");
  await drained;
});

test("node:http2 client: a plain GET", async (t) => {
  const { session } = await nodeClient(t);
  const answer = await answerOf(session.request({ ":path": "/health" }));
  assert.equal(answer.headers[":status"], 415);
  assert.match(answer.body.toString(), /gRPC/);
});

async function nodeServer(
  t: TestContext,
  onStream: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
  settings: http2.Settings = {},
): Promise<GrpcClient> {
  const server = http2.createServer({ settings });
  server.on("stream", onStream);
  const sessions: http2.ServerHttp2Session[] = [];
  server.on("session", (session) => {
    session.on("error", () => {});
    sessions.push(session);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = await GrpcClient.connect({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
  t.after(async () => {
    client.destroy();
    // Node's session outlives the end of its peer (F40).
    for (const session of sessions) session.destroy();
    server.close();
    await once(server, "close");
  });
  return client;
}

function echo(stream: http2.ServerHttp2Stream): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.pipe(stream);
}

test("node:http2 server: unary calls of all sizes, more at once than it lets run", async (t) => {
  const client = await nodeServer(t, echo, { maxConcurrentStreams: 5 });
  const sizes = [0, 1, 16_384, 100_000, 1_000_000, ...Array.from({ length: 50 }, (_, n) => n)];
  const results = await Promise.all(sizes.map((size) => client.unary("/a.B/C", Buffer.alloc(size, 3))));
  for (const [n, { status, message: reply }] of results.entries()) {
    assert.equal(status.code, 0, status.message);
    assert.equal(reply?.length, sizes[n]);
  }
});

test("node:http2 server: tiny windows", async (t) => {
  const client = await nodeServer(t, echo, { initialWindowSize: 10 });
  const { status, message: reply } = await client.unary("/a.B/C", Buffer.alloc(2_000, 3));
  assert.equal(status.code, 0);
  assert.equal(reply?.length, 2_000);
});

test("node:http2 server: answers that are not gRPC", async (t) => {
  const client = await nodeServer(t, (stream) => {
    stream.respond({ ":status": 503, "content-type": "text/plain" });
    stream.end("busy");
  });
  const { status } = await client.unary("/a.B/C", Buffer.from("x"));
  assert.equal(status.code, 14);
});

test("node:http2 server: no trailers, a reset, a refusal", async (t) => {
  const codes = [http2.constants.NGHTTP2_REFUSED_STREAM, http2.constants.NGHTTP2_ENHANCE_YOUR_CALM];
  const client = await nodeServer(t, (stream, headers) => {
    stream.on("error", () => {});
    if (headers[":path"] === "/a.B/NoTrailers") {
      stream.respond({ ":status": 200, "content-type": "application/grpc" });
      stream.end(message("x"));
    } else stream.close(codes.shift());
  });
  assert.equal((await client.unary("/a.B/NoTrailers", Buffer.from("x"))).status.code, 13);
  const refused = await client.unary("/a.B/Reset", Buffer.from("x"));
  assert.equal(refused.status.code, 14);
  assert.equal(refused.neverProcessed, true);
  const calm = await client.unary("/a.B/Reset", Buffer.from("x"));
  assert.equal(calm.status.code, 8);
  assert.equal(calm.neverProcessed, false);
});

test("node:http2 server: GOAWAY lets calls in flight finish and takes no new ones", async (t) => {
  const client = await nodeServer(t, (stream) => {
    stream.session?.goaway(0, stream.id);
    echo(stream);
  });
  const { status } = await client.unary("/a.B/C", Buffer.from("x"));
  assert.equal(status.code, 0);
  await client.closed;
  assert.equal((await client.unary("/a.B/C", Buffer.from("x"))).neverProcessed, true);
});
