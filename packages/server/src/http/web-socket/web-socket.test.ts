/** WebSockets on the gateway's paths (etcd-v3-wire.md 4.3). */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { createKeyValue, createRangeResponse, rangeResponseCodec } from "@holdfast/protocol";
import type { CancelReason, Method, ServerCall } from "@holdfast/transport";
import { type ClientOptions, WebSocket } from "ws";
import { until } from "../../testing/services.js";
import { HttpHarness } from "../testing/http-harness.js";

const header = '"header":{"cluster_id":"7","member_id":"8","revision":"1","raft_term":"1"}';
const watchAnything = '{"create_request":{"key":"YmFy"}}';

interface Client {
  readonly socket: WebSocket;
  readonly received: string[];
  /** Code with which the socket was closed. */
  readonly closed: Promise<number>;
}

async function open(
  t: TestContext,
  harness: HttpHarness,
  path: string,
  protocols: string[] = [],
  options: ClientOptions = {},
): Promise<Client> {
  const socket = new WebSocket(`ws://127.0.0.1:${harness.port}${path}`, protocols, options);
  t.after(() => socket.terminate());
  const received: string[] = [];
  socket.on("message", (data, isBinary) => received.push(`${isBinary ? "binary " : ""}${data}`));
  const closed = new Promise<number>((resolve) => {
    socket.once("close", resolve);
  });
  await once(socket, "open");
  return { socket, received, closed };
}

/** Status of an attempt that is not let in. */
async function refusedWith(harness: HttpHarness, path: string, options: ClientOptions = {}): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${harness.port}${path}`, options);
  socket.on("error", () => {});
  const refused = once(socket, "unexpected-response").then(([, response]) => response.statusCode as number);
  const status = await Promise.race([refused, once(socket, "open").then(() => 101)]);
  socket.terminate();
  return status;
}

/** Counts the turns of the event loop from now on. */
function countTurns(t: TestContext): { readonly count: number } {
  const turns = { count: 0 };
  let next: NodeJS.Immediate;
  const turn = (): void => {
    turns.count++;
    next = setImmediate(turn);
  };
  turn();
  t.after(() => clearImmediate(next));
  return turns;
}

test("Watch: each message is a request, each line of the answer a text message", async (t) => {
  const harness = await HttpHarness.start(t);
  const { socket, received } = await open(t, harness, "/v3/watch", [], { origin: "http://anywhere.example" });
  socket.send(watchAnything);
  await until(() => received.length === 1);
  socket.send(Buffer.from(watchAnything + watchAnything));
  await until(() => received.length === 3);
  assert.deepEqual(received.splice(0), [
    `{"result":{${header},"created":true}}`,
    `{"result":{${header},"watch_id":"1","created":true}}`,
    `{"result":{${header},"watch_id":"2","created":true}}`,
  ]);
  await harness.post("/v3/kv/put", { key: "YmFy" });
  await until(() => received.length === 3);
  socket.send('{"cancel_request":{"watch_id":"0"}}');
  await until(() => received.length === 4);
  assert.match(received[3] as string, /"canceled":true}}$/);
  socket.close();
  await until(() => harness.gateway.openCalls === 0);
  assert.equal(harness.counters.webSockets, 1);
});

test("LeaseKeepAlive ends where a message is no JSON; the end of a call closes the socket", async (t) => {
  const harness = await HttpHarness.start(t);
  const { socket, received, closed } = await open(t, harness, "/v3beta/lease/keepalive");
  socket.send('{"ID":5}');
  socket.send("");
  socket.send('{"ID":6}x');
  assert.equal(await closed, 1000);
  assert.deepEqual(received, [`{"result":{${header},"ID":"5"}}`, `{"result":{${header},"ID":"6"}}`]);
});

test("a unary call takes the first value that comes", async (t) => {
  const harness = await HttpHarness.start(t);
  const { socket, received, closed } = await open(t, harness, "/v3/kv/put");
  socket.send(" ");
  socket.send('{"key":"YQ=="}');
  socket.send('{"key":"YQ=="}');
  assert.equal(await closed, 1000);
  assert.equal(received.length, 1);
  assert.match(received[0] as string, /"revision":"2"/);
});

test("errors are messages, too", async (t) => {
  const harness = await HttpHarness.start(t);
  const unknown = await open(t, harness, "/v3/nope");
  assert.equal(await unknown.closed, 1000);
  assert.deepEqual(unknown.received, ['{"code":5,"message":"Not Found"}']);
  const unary = await open(t, harness, "/v3/kv/put");
  unary.socket.send("{}");
  await unary.closed;
  assert.deepEqual(unary.received, ['{"code":3,"message":"etcdserver: key is not provided"}']);
});

test("a path outside the gateway, a host that is not allowed and a bad handshake get an answer over HTTP", async (t) => {
  const harness = await HttpHarness.start(t, { access: { allowedHosts: ["127.0.0.1"] } });
  assert.equal(await refusedWith(harness, "/nope"), 404);
  assert.equal(await refusedWith(harness, "/v3/watch", { headers: { host: "evil.example" } }), 421);
  const client = await harness.dial();
  client.send(
    "GET /v3/watch HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n",
  );
  assert.match(await client.closed(), /^HTTP\/1\.1 400 /);
  const closed = await HttpHarness.start(t, { gateway: false });
  assert.equal(await refusedWith(closed, "/v3/watch"), 404);
});

test("tokens come in as sub-protocol or cookie; of other headers only Origin and Referer pass", async (t) => {
  const seen: [string, string][][] = [];
  const path = "/etcdserverpb.Watch/Watch";
  const watch: Method = {
    kind: "bidi",
    path,
    open: (call) => {
      seen.push([...call.metadata.entries()].filter(([name]) => !name.startsWith("x-forwarded-")));
      call.end({ code: 0, message: "" });
      return { message() {}, halfClose() {} };
    },
  };
  const harness = await HttpHarness.start(t, { methods: [watch] });
  const bearer = await open(t, harness, "/v3/watch", ["Bearer", "tok.1"]);
  assert.equal(bearer.socket.protocol, "Bearer");
  await bearer.closed;
  const headers = { cookie: "a=b; token=tok.2; c=d", authorization: "not passed", accept: "x", referer: "http://r" };
  await (await open(t, harness, "/v3/watch", ["Bearer", "tok.1"], { headers, origin: "http://o" })).closed;
  await (await open(t, harness, "/v3/watch")).closed;
  assert.deepEqual(seen.shift(), [
    ["authorization", "Bearer tok.1"],
    ["grpcgateway-authorization", "Bearer tok.1"],
  ]);
  assert.deepEqual(seen.shift()?.sort(), [
    ["authorization", "Bearer tok.2"],
    ["grpcgateway-authorization", "Bearer tok.2"],
    ["grpcgateway-origin", "http://o"],
    ["grpcgateway-referer", "http://r"],
  ]);
  assert.deepEqual(seen.shift(), []);
});

test("F44, LIMIT webSocketMessageBytesMax: a message above the limit closes the socket with 1009, and cancels the call", async (t) => {
  const harness = await HttpHarness.start(t, { httpLimits: { webSocketMessageBytesMax: 1_000 } });
  const { socket, closed } = await open(t, harness, "/v3/watch");
  await until(() => harness.gateway.openCalls === 1);
  socket.send(" ".repeat(1_001));
  assert.equal(await closed, 1009);
  await until(() => harness.gateway.openCalls === 0);
});

test("a client that goes away cancels its call; a server that closes cuts it off", async (t) => {
  const harness = await HttpHarness.start(t);
  const gone = await open(t, harness, "/v3/watch");
  gone.socket.send(watchAnything);
  await until(() => gone.received.length === 1);
  gone.socket.terminate();
  await until(() => harness.services.context.openCalls.size === 0);
  const cut = await open(t, harness, "/v3/watch");
  harness.http1.closeAll();
  assert.equal(await cut.closed, 1006);
  await until(() => harness.gateway.openCalls === 0);
});

test("F20: a socket that its client does not read holds the stream back, and is closed if that lasts", async (t) => {
  const reasons: CancelReason[] = [];
  const message = Buffer.concat([Buffer.from([0x12, 0x80, 0x80, 0x01, 0x2a, 0xfc, 0xff, 0x00]), Buffer.alloc(16_380)]);
  let mostUnsent = 0;
  let sent = 0;
  const handle = (_request: Uint8Array, call: ServerCall): void => {
    const go = (): void => {
      while (!call.congested && !call.ended && sent < 5_000) {
        call.send(message);
        sent++;
        mostUnsent = Math.max(mostUnsent, call.unsentBytes);
      }
    };
    call.onDrain(go);
    call.onCancel((reason) => reasons.push(reason));
    go();
  };
  const observe: Method = { kind: "serverStream", path: "/v3electionpb.Election/Observe", handle };
  const harness = await HttpHarness.start(t, { methods: [observe] });
  const { socket, received } = await open(t, harness, "/v3/election/observe");
  socket.pause();
  socket.send("{}");
  let before = -1;
  while (sent === 0 || sent !== before) {
    before = sent;
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(sent < 5_000);
  socket.resume();
  await until(() => received.length > before);
  assert.ok(mostUnsent < 600 * 1024, String(mostUnsent));
  socket.pause();
  for (before = -1; sent !== before; ) {
    before = sent;
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  harness.clock.advance(200_000);
  await until(() => reasons.length === 1);
  assert.equal(harness.counters.stalledAnswers, 1);
});

test("a stream that pauses its input is not fed more until it resumes", async (t) => {
  const texts: number[] = [];
  let paused: ServerCall | undefined;
  const open_ = (call: ServerCall): { message(bytes: Uint8Array): void; halfClose(): void } => {
    paused = call;
    return {
      message(bytes) {
        texts.push(bytes.length);
        call.pause();
      },
      halfClose() {},
    };
  };
  const watch: Method = { kind: "bidi", path: "/etcdserverpb.Watch/Watch", open: open_ };
  const harness = await HttpHarness.start(t, { methods: [watch] });
  const { socket } = await open(t, harness, "/v3/watch");
  socket.send("{}{}");
  socket.send("{}");
  for (let count = 1; count <= 3; count++) {
    await until(() => texts.length === count);
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(texts.length, count);
    paused?.resume();
  }
});

test("F44: messages that come in one piece are handled in turns of their own, so that others have theirs between", async (t) => {
  const turns = countTurns(t);
  const handledIn: number[] = [];
  const open_ = (): { message(): void; halfClose(): void } => ({
    message: () => handledIn.push(turns.count),
    halfClose() {},
  });
  const watch: Method = { kind: "bidi", path: "/etcdserverpb.Watch/Watch", open: open_ };
  const harness = await HttpHarness.start(t, { methods: [watch] });
  const client = await harness.dial();
  client.send(
    "GET /v3/watch HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
  );
  await client.until(/\r\n\r\n/);
  // A text message of two bytes behind a mask of zeros, many times over.
  client.send("\x81\x82\0\0\0\0{}".repeat(50));
  await until(() => handledIn.length === 50);
  assert.equal(new Set(handledIn).size, 50);
});

test("with a list of origins, pages of others get no WebSocket; programs, which have none, do", async (t) => {
  const harness = await HttpHarness.start(t, { access: { corsOrigins: ["http://good.example"] } });
  await open(t, harness, "/v3/watch", [], { origin: "http://good.example" });
  await open(t, harness, "/v3/watch");
  assert.equal(await refusedWith(harness, "/v3/watch", { origin: "http://evil.example" }), 403);
  assert.equal(await refusedWith(harness, "/v3/watch", { origin: "null" }), 403);
  assert.deepEqual([harness.counters.webSockets, harness.counters.originsRefused], [2, 2]);
});

test("F37: a large answer over a WebSocket is counted until the WebSocket is gone", async (t) => {
  const bytes = 20_000_000;
  const path = "/etcdserverpb.KV/Range";
  const big: Method = {
    kind: "unary",
    path,
    handle: (_request, call) => call.reply(rangeResponseCodec.encode(createRangeResponse({ kvs: [bigPair] }))),
  };
  const bigPair = createKeyValue({ value: new Uint8Array(bytes) });
  const harness = await HttpHarness.start(t, { methods: [big] });
  const { socket } = await open(t, harness, "/v3/kv/range");
  socket.pause();
  socket.send("{}");
  await until(() => harness.http1.answerBytes > bytes);
  socket.terminate();
  await until(() => harness.http1.answerBytes === 0);
});
