/** HTTP/1.1 within its limits (fault-model F16, F20, F25, F26, F31, F32, F37). */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { PlainRequest } from "@holdfast/transport";
import type { Route } from "../../ops/route.js";
import { until } from "../../testing/services.js";
import { type HarnessOptions, HttpHarness } from "../testing/http-harness.js";

/** A route that leaves its requests to the test. */
class Held {
  readonly requests: PlainRequest[] = [];
  readonly route: Route = (request) => {
    this.requests.push(request);
    return true;
  };
}

const echo: Route = (request) => {
  request.respond(200, [["x-path", request.path]], request.body);
  return true;
};

const get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

function startWith(
  t: Parameters<typeof HttpHarness.start>[0],
  route: Route,
  options: HarnessOptions = {},
): Promise<HttpHarness> {
  return HttpHarness.start(t, { routes: [route], ...options });
}

test("a connection serves one request after the other, bodies in any shape", async (t) => {
  const harness = await startWith(t, echo);
  const client = await harness.dial();
  client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello");
  await client.until(/hello/);
  client.send("POST /b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nfoo\r\n");
  client.send("4\r\nbarr\r\n0\r\n\r\n");
  await client.until(/foobarr/);
  client.send("POST /c HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  await client.until(/100 Continue/);
  client.send("end");
  await client.until(/\r\n\r\nend/);
  client.send("GET /d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const all = await client.closed();
  assert.deepEqual(all.match(/x-path: .*/g), ["x-path: /a", "x-path: /b", "x-path: /c", "x-path: /d"]);
  assert.equal(harness.http1.bodyBytes, 0);
  assert.equal(harness.counters.requests, 4);
});

test("an answer to HEAD has no body, one to HTTP/1.0 ends the connection", async (t) => {
  const harness = await startWith(t, (request) => {
    request.respond(200, [], "four");
    return true;
  });
  const client = await harness.dial();
  client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  assert.match(await client.until(/\r\n\r\n/), /content-length: 4\r\n[\s\S]*\r\n\r\n$/);
  const old = await harness.dial();
  old.send("GET / HTTP/1.0\r\n\r\n");
  assert.match(await old.closed(), /\r\n\r\nfour$/);
});

test("an answer in pieces is sent as it comes", async (t) => {
  const held = new Held();
  const harness = await startWith(t, held.route);
  const client = await harness.dial();
  client.send(get);
  await until(() => held.requests.length === 1);
  const [request] = held.requests as [PlainRequest];
  request.begin(201, [["x-a", "b"]]);
  assert.match(await client.until(/\r\n\r\n/), /^HTTP\/1\.1 201 [\s\S]*x-a: b\r\n[\s\S]*transfer-encoding: chunked/i);
  const shared = Buffer.from("one");
  request.write(shared);
  shared.fill("x");
  await client.until(/one/);
  request.write("two");
  await client.until(/two/);
  request.finish();
  request.write("ignored");
  await client.until(/\r\n0\r\n\r\n$/);
});

test("requests sent at once are handled one at a time, in order", async (t) => {
  const held = new Held();
  const harness = await startWith(t, held.route);
  const client = await harness.dial();
  client.send(["/1", "/2", "/3"].map((path) => get.replace("/a", path)).join(""));
  for (let count = 1; count <= 3; count++) {
    await until(() => held.requests.length === count);
    held.requests.at(-1)?.respond(200, [], `done${count}`);
    await client.until(new RegExp(`done${count}`));
    assert.equal(held.requests.length <= count + 1, true);
  }
  assert.deepEqual(
    held.requests.map(({ path }) => path),
    ["/1", "/2", "/3"],
  );
});

test("F37, LIMIT pipelinedRequestsMax: a connection on which too many requests wait behind one another is closed", async (t) => {
  const held = new Held();
  const harness = await startWith(t, held.route, { httpLimits: { pipelinedRequestsMax: 3 } });
  const client = await harness.dial();
  client.send(get.repeat(5));
  await client.closed();
  assert.equal(harness.counters.pipelinesExceeded, 1);
  assert.equal(held.requests.length, 1);
});

test("F26, LIMIT headMs: a head that does not come in time closes the connection, also a later one that trickles", async (t) => {
  const harness = await startWith(t, echo, { httpLimits: { headMs: 5_000, idleMs: 60_000 } });
  const silent = await harness.dial();
  const partial = await harness.dial();
  partial.send("GET / HTTP/1.1\r\nHost");
  const later = await harness.dial();
  later.send(get);
  await later.until(/x-path/);
  await until(() => harness.http1.connectionCount === 3);
  harness.clock.advance(6_000);
  assert.equal(await silent.closed(), "");
  assert.equal(await partial.closed(), "");
  assert.equal(harness.counters.headTimeouts, 2);
  later.send("GET / HTTP/1.1\r\nX: ");
  for (let step = 0; step < 12 && !later.socket.closed; step++) {
    later.send("x");
    await new Promise((resolve) => setImmediate(resolve));
    harness.clock.advance(1_000);
  }
  await later.closed();
  assert.equal(harness.counters.headTimeouts, 3);
});

test("F25, LIMIT idleMs: an idle connection is closed in the end", async (t) => {
  const harness = await startWith(t, echo, { httpLimits: { idleMs: 60_000 } });
  const client = await harness.dial();
  client.send(get);
  await client.until(/x-path/);
  harness.clock.advance(59_000);
  client.send(get);
  await client.until(/x-path[\s\S]*x-path/);
  harness.clock.advance(61_000);
  await client.closed();
  assert.equal(harness.counters.idleTimeouts, 1);
  assert.equal(harness.clock.timerCount, 0);
});

test("F26, LIMIT bodyMs: a body that does not come in time is answered 408", async (t) => {
  const harness = await startWith(t, echo, { httpLimits: { bodyMs: 5_000 } });
  const client = await harness.dial();
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345");
  await until(() => harness.http1.bodyBytes === 5);
  harness.clock.advance(6_000);
  assert.match(await client.closed(), /^HTTP\/1\.1 408 [\s\S]*connection: close[\s\S]*request not received in time\n$/);
  assert.equal(harness.counters.bodyTimeouts, 1);
  await until(() => harness.http1.bodyBytes === 0);
});

test("F44, LIMIT bodyBytesMax: a body above the limit is answered 413, and the answer arrives although more is sent", async (t) => {
  const harness = await startWith(t, echo, { httpLimits: { bodyBytesMax: 1_000 } });
  const client = await harness.dial();
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n");
  client.send("x".repeat(1_000_000));
  assert.match(await client.closed(), /^HTTP\/1\.1 413 [\s\S]*request too large\n$/);
  const exact = await harness.dial();
  exact.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n${"y".repeat(1_000)}`);
  await exact.until(/y{1000}$/);
  assert.equal(harness.counters.bodiesTooLarge, 1);
  await until(() => harness.http1.bodyBytes === 0);
});

test("F44, LIMIT forgottenBodyBytesMax: a body without end is answered 413 nevertheless, and its connection closed", async (t) => {
  const harness = await startWith(t, echo, { httpLimits: { bodyBytesMax: 1_000, forgottenBodyBytesMax: 100_000 } });
  const client = await harness.dial();
  client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send(`${(300_000).toString(16)}\r\n${"x".repeat(300_000)}`);
  assert.match(await client.closed(), /^HTTP\/1\.1 413 [\s\S]*request too large\n$/);
  assert.equal(harness.counters.bodiesTooLarge, 1);
});

test("F16, LIMIT bodyBytesTotalMax: bodies above what all may take together are answered 503", async (t) => {
  const held = new Held();
  const harness = await startWith(t, held.route, { httpLimits: { bodyBytesTotalMax: 1_000 } });
  const post = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 600\r\n\r\n${"x".repeat(600)}`;
  const first = await harness.dial();
  first.send(post);
  await until(() => held.requests.length === 1);
  const second = await harness.dial();
  second.send(post);
  assert.match(await second.closed(), /^HTTP\/1\.1 503 /);
  held.requests[0]?.respond(200, [], "ok");
  await first.until(/ok$/);
  await until(() => harness.http1.bodyBytes === 0);
});

test("a body in the smallest pieces takes no more memory than it has bytes", async (t) => {
  const harness = await startWith(t, echo);
  const client = await harness.dial();
  client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  client.send("1\r\nx\r\n".repeat(10_000));
  await until(() => harness.http1.bodyBytes >= 10_000);
  assert.ok(harness.http1.bodyBytes < 20_000);
  client.send("0\r\n\r\n");
  await client.until(/x{10000}$/);
});

test("F31, LIMIT headBytesMax: a head that is too large is answered 431", async (t) => {
  const harness = await startWith(t, echo, { httpLimits: { headBytesMax: 1_000 } });
  const client = await harness.dial();
  client.send(`GET / HTTP/1.1\r\nHost: x\r\nX: ${"x".repeat(2_000)}`);
  assert.match(await client.closed(), /^HTTP\/1\.1 431 /);
  assert.equal(harness.counters.malformedRequests, 1);
});

test("what is no HTTP gets no answer, what is malformed HTTP gets 400", async (t) => {
  const harness = await startWith(t, echo);
  for (const text of ["\x16\x03\x01\x02 hello\r\n\r\n", "garbage\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]) {
    const client = await harness.dial();
    client.send(text);
    assert.equal(await client.closed(), "", text);
  }
  const malformed = [
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x",
    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n",
  ];
  for (const text of malformed) {
    const client = await harness.dial();
    client.send(text);
    assert.match(await client.closed(), /^HTTP\/1\.1 400 /, text);
  }
});

test("a wish for another protocol that we do not speak is ignored, also with a body", async (t) => {
  const harness = await startWith(t, echo);
  const upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
  const client = await harness.dial();
  client.send(`POST /h2c HTTP/1.1\r\nHost: x\r\n${upgrade}Content-Length: 5\r\n\r\nhel`);
  await new Promise((resolve) => setImmediate(resolve));
  client.send("lo");
  await client.until(/x-path: \/h2c[\s\S]*hello$/);
  client.send(get);
  await client.until(/x-path: \/a/);
  client.send(`GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n`);
  assert.match(await client.closed(), /x-path: \/ws/);
});

test("F32, LIMIT stalledAnswerMs: an answer of which the client takes nothing is cut off; one that is not made yet may last", async (t) => {
  const held = new Held();
  const harness = await startWith(t, held.route, { httpLimits: { stalledAnswerMs: 30_000 } });
  const client = await harness.dial();
  client.send(get);
  await until(() => held.requests.length === 1);
  harness.clock.advance(600_000);
  assert.equal(harness.http1.connectionCount, 1);
  client.socket.pause();
  held.requests[0]?.respond(200, [], "x".repeat(50_000_000));
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  harness.clock.advance(29_000);
  assert.equal(harness.http1.connectionCount, 1);
  // What the system took at first counts as moved.
  harness.clock.advance(62_000);
  await until(() => harness.http1.connectionCount === 0);
  assert.equal(harness.counters.stalledAnswers, 1);
});

test("F37, LIMIT unsentBytesMax: an answer that heeds no congestion is cut off", async (t) => {
  const held = new Held();
  const reasons: string[] = [];
  const harness = await startWith(t, held.route, { httpLimits: { unsentBytesMax: 1_000_000 } });
  const client = await harness.dial();
  client.socket.pause();
  client.send(get);
  await until(() => held.requests.length === 1);
  const [request] = held.requests as [PlainRequest];
  request.onCancel((reason) => reasons.push(reason));
  request.begin(200, []);
  for (let piece = 0; piece < 200 && reasons.length === 0; piece++) {
    request.write("x".repeat(100_000));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => reasons.length === 1);
  assert.deepEqual(reasons, ["connection-lost"]);
  assert.equal(harness.counters.stalledAnswers, 1);
});

test("drain closes idle connections at once, busy ones behind their answers, and the rest at the deadline", async (t) => {
  const held = new Held();
  const harness = await startWith(t, held.route);
  const [idle, busy, streaming, stuck] = await Promise.all([
    harness.dial(),
    harness.dial(),
    harness.dial(),
    harness.dial(),
  ]);
  for (const [index, client] of [busy, streaming, stuck].entries()) {
    client.send(get);
    await until(() => held.requests.length === index + 1);
  }
  held.requests[1]?.begin(200, []);
  await streaming.until(/200 OK/);
  await until(() => harness.http1.connectionCount === 4);
  let isDrained = false;
  const drained = harness.http1.drain(5_000).then(() => {
    isDrained = true;
  });
  assert.equal(await idle.closed(), "");
  held.requests[0]?.respond(200, [], "answer");
  assert.match(await busy.closed(), /connection: close[\s\S]*answer$/);
  held.requests[1]?.finish();
  assert.match(await streaming.closed(), /\r\n0\r\n\r\n$/);
  assert.equal(isDrained, false);
  harness.clock.advance(5_000);
  await drained;
  assert.equal(await stuck.closed(), "");
  assert.equal(harness.http1.connectionCount, 0);
  await harness.http1.drain(5_000);
});

test("F37, LIMIT answerBytesTotalMax: answers that wait for their clients are bounded in all: 503 instead of one more, small ones excepted", async (t) => {
  const bytes = 20_000_000;
  const httpLimits = { answerBytesTotalMax: bytes * 1.5, smallAnswerBytesMax: 1_000 };
  const route: Route = (request) => {
    request.respond(200, [], request.path === "/a" ? Buffer.alloc(bytes, "x") : "small");
    return true;
  };
  const harness = await startWith(t, route, { httpLimits });
  const slow = await harness.dial();
  slow.socket.pause();
  slow.send(get);
  await until(() => harness.http1.answerBytes === bytes);
  const second = await harness.dial();
  second.send(get);
  const refusal = await second.until(/\}$/);
  assert.match(
    refusal,
    /^HTTP\/1\.1 503 [\s\S]*access-control-allow-origin: \*[\s\S]*\{"code":14,"message":"[^"]+"\}$/,
  );
  assert.equal(harness.counters.answersRefused, 1);
  second.send(get.replace("/a", "/b"));
  await second.until(/small$/);
  slow.socket.resume();
  await until(() => harness.http1.answerBytes === 0);
  second.send(get);
  await second.until(/x{1000}/);
  second.socket.destroy();
  await until(() => harness.http1.answerBytes === 0);
  assert.equal(harness.counters.answersRefused, 1);
});

test("F37: a single answer may be larger than all together, while nothing else waits", async (t) => {
  const httpLimits = { answerBytesTotalMax: 10, smallAnswerBytesMax: 1 };
  const harness = await startWith(t, echo, { httpLimits });
  assert.equal((await harness.post("/a", "much more than that")).text, "much more than that");
});

test("a request that expects what HTTP does not know is 417, behind the checks of every other", async (t) => {
  const harness = await startWith(t, echo, { access: { allowedHosts: ["x"] } });
  const ask = (host: string): string =>
    `POST /a HTTP/1.1\r\nHost: ${host}\r\nExpect: tea\r\nContent-Length: 2\r\n\r\n{}`;
  const client = await harness.dial();
  client.send(ask("x") + ask("evil") + get);
  const all = await client.until(/x-path/);
  assert.deepEqual(all.match(/^HTTP\S* \d+/gm), ["HTTP/1.1 417", "HTTP/1.1 421", "HTTP/1.1 200"]);
  assert.match(all, /417 [\s\S]*?access-control-allow-origin: \*[\s\S]*?417 Expectation Failed\n/);
  assert.deepEqual([harness.counters.requests, harness.counters.hostsRefused], [3, 1]);
});

const forAnotherProtocol = get.replace("\r\n\r\n", "\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n");

test("a request for a protocol that is not spoken here is answered as if it had not asked", async (t) => {
  const held = new Held();
  const harness = await startWith(t, held.route);
  const client = await harness.dial();
  for (let count = 1; count <= 3; count++) {
    client.send(count === 2 ? get : forAnotherProtocol);
    await until(() => held.requests.length === count);
    held.requests[count - 1]?.respond(200, [], `answer ${count}`);
    await client.until(new RegExp(`answer ${count}`));
  }
});

/** Releases that ask before they take a request for an upgrade read nothing further behind one that was declined. */
const readsNothingBehindDeclined = Number(process.versions.node.split(".")[0]) >= 24;

test("requests for a protocol that is not spoken here are answered behind one another, too", {
  skip: readsNothingBehindDeclined && "Node.js stops reading behind them",
}, async (t) => {
  const held = new Held();
  const harness = await startWith(t, held.route);
  const client = await harness.dial();
  client.send(get + forAnotherProtocol + forAnotherProtocol + get);
  for (let count = 1; count <= 4; count++) {
    await until(() => held.requests.length === count);
    held.requests[count - 1]?.respond(200, [], `answer ${count}`);
  }
  const all = await client.until(/answer 4/);
  assert.deepEqual(all.match(/answer \d/g), ["answer 1", "answer 2", "answer 3", "answer 4"]);
});
