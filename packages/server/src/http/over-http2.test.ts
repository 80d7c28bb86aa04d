/** The same front for requests that came over HTTP/2 to the gRPC transport. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { type AddressInfo, createServer } from "node:net";
import { type TestContext, test } from "node:test";
import { GrpcServer, type Method, type ServerCall } from "@holdfast/transport";
import type { Route } from "../ops/route.js";
import { until } from "../testing/services.js";
import { clearDoor, type HarnessOptions, HttpHarness } from "./testing/http-harness.js";

async function connectTo(t: TestContext, harness: HttpHarness, certificateName?: string): Promise<ClientHttp2Session> {
  const grpc = new GrpcServer({
    methods: [],
    onPlainRequest: (request) => harness.http1.handlePlain(request, clearDoor),
  });
  const listener = createServer((socket) => grpc.handleConnection(socket, undefined, { certificateName })).listen(
    0,
    "127.0.0.1",
  );
  await once(listener, "listening");
  const session = connect(`http://127.0.0.1:${(listener.address() as AddressInfo).port}`);
  t.after(async () => {
    session.destroy();
    grpc.close();
    listener.close();
    await once(listener, "close");
  });
  return session;
}

async function startBoth(
  t: TestContext,
  options: HarnessOptions = {},
  certificateName?: string,
): Promise<{ harness: HttpHarness; session: ClientHttp2Session }> {
  const harness = await HttpHarness.start(t, options);
  return { harness, session: await connectTo(t, harness, certificateName) };
}

function post(session: ClientHttp2Session, path: string, body: string): ClientHttp2Stream {
  return session.request({ ":method": "POST", ":path": path, "content-type": "application/json" }).end(body);
}

async function textOf(stream: ClientHttp2Stream): Promise<string> {
  let text = "";
  stream.setEncoding("utf8");
  for await (const chunk of stream) text += chunk;
  return text;
}

test("unary calls, errors, and paths that nobody serves", async (t) => {
  const { session } = await startBoth(t);
  const put = post(session, "/v3/kv/put", '{"key":"YQ=="}');
  const [headers] = await once(put, "response");
  assert.equal(headers[":status"], 200);
  assert.equal(headers["content-type"], "application/json");
  assert.equal(headers["access-control-allow-origin"], "*");
  assert.equal(await textOf(put), '{"header":{"cluster_id":"7","member_id":"8","revision":"2","raft_term":"1"}}');
  const bad = post(session, "/v3/kv/put", "{");
  assert.equal((await once(bad, "response"))[0][":status"], 400);
  assert.equal(await textOf(bad), '{"code":3,"message":"unexpected EOF"}');
  assert.equal(await textOf(post(session, "/nope", "")), "404 page not found\n");
});

test("a body may be larger than a message, which grows by a third in base64", async (t) => {
  const { session } = await startBoth(t);
  const text = await textOf(post(session, "/v3/kv/put", `${" ".repeat(3_000_000)}{"key":"YQ=="}`));
  assert.match(text, /"revision":"2"/);
});

test("a stream is cancelled with its HTTP/2 stream", async (t) => {
  const { harness, session } = await startBoth(t);
  const watch = post(session, "/v3/watch", '{"create_request":{"key":"YQ=="}}');
  const [line] = await once(watch.setEncoding("utf8"), "data");
  assert.match(line as string, /^{"result":{"header":{.*},"created":true}}\n$/);
  assert.equal(harness.gateway.openCalls, 1);
  watch.close();
  await until(() => harness.gateway.openCalls === 0);
  assert.equal(harness.services.context.openCalls.size, 0);
});

for (const certificateName of [undefined, "gateway"]) {
  const whose = certificateName === undefined ? "" : " that has shown a certificate";
  test(`F16, LIMIT watchersPerConnection: it holds for all calls of a connection${whose}`, async (t) => {
    const options = { serviceLimits: { watchersPerConnection: 2 } };
    const { harness, session } = await startBoth(t, options, certificateName);
    const create = async (on: ClientHttp2Session): Promise<string> => {
      const watch = post(on, "/v3/watch", '{"create_request":{"key":"YQ=="}}');
      return (await once(watch.setEncoding("utf8"), "data"))[0] as string;
    };
    for (let n = 0; n < 2; n++) assert.match(await create(session), /"created":true}}\n$/);
    assert.match(await create(session), /too many watchers on one connection/);
    assert.equal(harness.services.context.watchers.connections, 1);
    assert.match(await create(await connectTo(t, harness)), /"created":true}}\n$/);
  });
}

test("F20: a stream that is not read holds back, and goes on when it is read", async (t) => {
  const message = Buffer.concat([Buffer.from([0x12, 0x80, 0x80, 0x01, 0x2a, 0xfc, 0xff, 0x00]), Buffer.alloc(16_380)]);
  const total = 200;
  let sent = 0;
  let mostUnsent = 0;
  const handle = (_request: Uint8Array, call: ServerCall): void => {
    const go = (): void => {
      while (sent < total && !call.congested) {
        call.send(message);
        sent++;
        mostUnsent = Math.max(mostUnsent, call.unsentBytes);
      }
      if (sent === total) call.end({ code: 0, message: "" });
    };
    call.onDrain(go);
    go();
  };
  const observe: Method = { kind: "serverStream", path: "/v3electionpb.Election/Observe", handle };
  const { session } = await startBoth(t, { methods: [observe] });
  const stream = post(session, "/v3/election/observe", "{}");
  await once(stream, "response");
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(sent < total);
  const text = await textOf(stream);
  assert.equal(text.split('{"result":').length - 1, total);
  assert.ok(mostUnsent < 600 * 1024, String(mostUnsent));
});

test("F37: answers that wait for their clients are bounded together with those over HTTP/1.1", async (t) => {
  const bytes = 1_000_000;
  const httpLimits = { answerBytesTotalMax: bytes * 1.5, smallAnswerBytesMax: 1_000 };
  const route: Route = (request) => {
    request.respond(200, [], Buffer.alloc(bytes, "x"));
    return true;
  };
  const { harness, session } = await startBoth(t, { httpLimits, routes: [route] });
  const unread = session.request({ ":path": "/" });
  await until(() => harness.http1.answerBytes === bytes);
  const second = session.request({ ":path": "/" });
  assert.equal((await once(second, "response"))[0][":status"], 503);
  assert.match(await textOf(second), /^\{"code":14,/);
  assert.equal((await fetch(`${harness.origin}/`)).status, 503);
  assert.equal(harness.counters.answersRefused, 2);
  unread.close(constants.NGHTTP2_CANCEL);
  await until(() => harness.http1.answerBytes === 0);
  assert.equal((await textOf(session.request({ ":path": "/" }))).length, bytes);
  await until(() => harness.http1.answerBytes === 0);
});
