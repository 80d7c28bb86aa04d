/** The JSON gateway over HTTP/1.1 (etcd-v3-wire.md 4.2 to 4.5, HTTP-4). Answers are those of etcd 3.7.1, but for spaces. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { methodsByPath } from "@holdfast/protocol";
import type { CancelReason, MessageSink, Method, PlainRequest, ServerCall } from "@holdfast/transport";
import { until } from "../../testing/services.js";
import { newHttpCounters } from "../counters.js";
import { HttpHarness } from "../testing/http-harness.js";
import { Gateway } from "./gateway.js";

const header = '"header":{"cluster_id":"7","member_id":"8","revision":"1","raft_term":"1"}';
const watchAnything = '{"create_request":{"key":"YmFy"}}';

/** Whole lines of a streamed answer; the rest waits. */
class Lines {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #text = "";

  constructor(response: Response) {
    assert.ok(response.body);
    this.#reader = response.body.getReader();
  }

  /** The next line, or undefined at the end. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        return line;
      }
      const { value, done } = await this.#reader.read();
      if (done) return undefined;
      this.#text += Buffer.from(value).toString();
    }
  }

  cancel(): Promise<void> {
    return this.#reader.cancel();
  }
}

function method(
  path: string,
  handle: (call: ServerCall, request: Uint8Array) => void,
  kind: "unary" | "serverStream" = "unary",
): Method {
  return { kind, path, handle: (request, call) => handle(call, request) };
}

test("a unary call: JSON in, JSON out, without a newline", async (t) => {
  const harness = await HttpHarness.start(t);
  const put = await harness.post("/v3/kv/put", { key: "Zm9v", value: "YmFy" });
  assert.equal(put.text, '{"header":{"cluster_id":"7","member_id":"8","revision":"2","raft_term":"1"}}');
  assert.equal(put.status, 200);
  assert.equal(put.headers.get("content-type"), "application/json");
  assert.equal(put.headers.get("grpc-metadata-content-type"), "application/grpc");
  assert.equal(put.headers.get("content-length"), String(put.text.length));
  const range = await harness.post(
    "/v3beta/kv/range?ignored",
    { key: "Zm9v" },
    { "content-type": "application/x-www-form-urlencoded" },
  );
  assert.deepEqual(JSON.parse(range.text), {
    header: { cluster_id: "7", member_id: "8", revision: "2", raft_term: "1" },
    kvs: [{ key: "Zm9v", create_revision: "2", mod_revision: "2", version: "1", value: "YmFy" }],
    count: "1",
  });
});

test("every path of every method leads to it", async (t) => {
  const called: string[] = [];
  const methods = [...methodsByPath.values()].map((descriptor): Method => {
    const { path, kind, response } = descriptor;
    const answer = response.encode(response.create());
    const reply = (call: ServerCall): void => {
      called.push(path);
      call.reply(answer);
    };
    if (kind === "bidi") return { kind, path, open: (call) => ({ message: () => {}, halfClose: () => reply(call) }) };
    return method(path, reply, kind === "unary" ? "unary" : "serverStream");
  });
  const harness = await HttpHarness.start(t, { methods });
  const paths = [...methodsByPath.values()].flatMap(({ httpPaths, path, kind }) =>
    httpPaths.map((httpPath) => ({ httpPath, path, kind })),
  );
  assert.equal(new Set(paths.map(({ httpPath }) => httpPath)).size, paths.length);
  for (const { httpPath, path, kind } of paths) {
    called.length = 0;
    const { status, text } = await harness.post(httpPath, "{}");
    assert.deepEqual([status, text, called], [200, kind === "unary" ? "{}" : '{"result":{}}\n', [path]], httpPath);
  }
});

test("paths and verbs that lead nowhere are told in JSON", async (t) => {
  const harness = await HttpHarness.start(t);
  for (const path of ["/v3/nope", "/v3/", "/v3/kv/put/", "/v3/kv/put:verb", "/v3/KV/put", "/v3/kv/range_stream"]) {
    const { status, text } = await harness.post(path, "{}");
    assert.deepEqual([status, text], [404, '{"code":5,"message":"Not Found"}'], path);
  }
  for (const verb of ["GET", "PUT", "DELETE", "PATCH"]) {
    const response = await fetch(`${harness.origin}/v3/kv/put`, { method: verb });
    assert.deepEqual(
      [response.status, await response.text()],
      [501, '{"code":12,"message":"Method Not Allowed"}'],
      verb,
    );
    assert.equal(response.headers.get("content-type"), "application/json");
  }
  const form = { "content-type": "application/x-www-form-urlencoded", "x-http-method-override": "GET" };
  assert.equal((await harness.post("/v3/kv/put", "{}", form)).status, 501);
  assert.equal((await harness.post("/v3/kv/put", "{}", { "x-http-method-override": "GET" })).status, 400);
});

test("a method that the server does not offer is UNIMPLEMENTED", () => {
  const gateway = new Gateway({ methods: [], counters: newHttpCounters() });
  const answers: unknown[] = [];
  const request = {
    method: "POST",
    headers: [],
    body: new Uint8Array(0),
    peer: { address: "", port: 0 },
    onCancel: () => {},
    begin: (status: number) => answers.push(status),
    write: (text: string) => answers.push(text),
    finish: () => {},
    respond: (status: number, _headers: unknown, body: string) => answers.push(status, body),
  };
  for (const path of ["/v3/kv/put", "/v3/watch"]) gateway.handle({ ...request, path } as unknown as PlainRequest);
  assert.deepEqual(answers, [
    501,
    '{"code":12,"message":"unknown service etcdserverpb.KV"}',
    501,
    '{"error":{"code":12,"message":"unknown service etcdserverpb.Watch"}}\n',
  ]);
  assert.equal(gateway.openCalls, 0);
});

test("errors have etcd's code and text, and HTTP's status for the code", async (t) => {
  const harness = await HttpHarness.start(t);
  const cases: [string, string, number, string][] = [
    ["/v3/kv/put", "", 400, '{"code":3,"message":"etcdserver: key is not provided"}'],
    ["/v3/lease/revoke", '{"ID":12345}', 404, '{"code":5,"message":"etcdserver: requested lease not found"}'],
    [
      "/v3/kv/range",
      '{"key":"YQ==","revision":99}',
      400,
      '{"code":11,"message":"etcdserver: mvcc: required revision is a future revision"}',
    ],
    ["/v3/election/proclaim", "{}", 500, '{"code":2,"message":"\\"leader\\" field must be provided"}'],
    ["/v3/kv/put", '{"key":', 400, '{"code":3,"message":"unexpected EOF"}'],
    ["/v3/election/observe", "x", 400, `{"code":3,"message":"invalid character 'x' looking for beginning of value"}`],
  ];
  for (const [path, body, status, text] of cases) {
    const got = await harness.post(path, body);
    assert.deepEqual([got.status, got.text], [status, text]);
    assert.equal(got.headers.get("grpc-metadata-content-type"), null);
  }
});

test("every code has its HTTP status; UNAUTHENTICATED also says so in a header", async (t) => {
  let code = 0;
  const path = "/etcdserverpb.KV/Put";
  const harness = await HttpHarness.start(t, {
    methods: [method(path, (call) => call.end({ code, message: "a \u00e9\n<&>" }))],
  });
  const statuses = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401, 500];
  for (code = 1; code < statuses.length; code++) {
    const got = await harness.post("/v3/kv/put", "{}");
    assert.deepEqual([got.status, got.text], [statuses[code], `{"code":${code},"message":"a \u00e9\\n<&>"}`]);
    assert.equal(got.headers.get("www-authenticate"), code === 16 ? "a   <&>" : null);
  }
});

test("authentication: tokens come in as an authorization header, with or without Bearer, or as Grpc-Metadata-Token", async (t) => {
  const harness = await HttpHarness.start(t);
  const admin: [string, unknown][] = [
    ["user/add", { name: "root", password: "r" }],
    ["role/add", { name: "root" }],
    ["user/grant", { user: "root", role: "root" }],
    ["enable", {}],
  ];
  for (const [path, body] of admin) assert.equal((await harness.post(`/v3/auth/${path}`, body)).status, 200, path);
  const { token } = JSON.parse((await harness.post("/v3/auth/authenticate", { name: "root", password: "r" })).text);
  const get = (headers: Record<string, string>): Promise<{ status: number; text: string }> =>
    harness.post("/v3/kv/range", { key: "YQ==" }, headers);
  const good: Record<string, string>[] = [
    { authorization: token },
    { authorization: `Bearer ${token}` },
    { "grpc-metadata-token": token },
  ];
  for (const headers of good) {
    assert.equal((await get(headers)).status, 200, JSON.stringify(headers));
  }
  assert.equal((await get({})).text, '{"code":3,"message":"etcdserver: user name is empty"}');
  assert.equal((await get({ token })).status, 400);
  const bad = await harness.post("/v3/kv/range", { key: "YQ==" }, { authorization: "bad" });
  assert.equal(bad.status, 401);
  assert.equal(bad.headers.get("www-authenticate"), "etcdserver: invalid auth token");
  const stream = await harness.post("/v3/lease/keepalive", { ID: 1 }, { authorization: "bad" });
  assert.deepEqual(
    [stream.status, stream.text],
    [401, '{"error":{"code":16,"message":"etcdserver: invalid auth token"}}\n'],
  );
});

test("a call is made without the name in the client's certificate", async (t) => {
  const peers: unknown[] = [];
  const path = "/etcdserverpb.KV/Put";
  const end = (call: ServerCall): void => {
    peers.push(call.peer);
    call.end({ code: 3, message: "" });
  };
  const methods = [method(path, end)];
  const harness = await HttpHarness.start(t, { certificateName: "alice", methods });
  assert.equal((await harness.post("/v3/kv/put", "{}")).text, '{"code":3}');
  assert.equal((peers[0] as { address: string }).address, "127.0.0.1");
  assert.equal("certificateName" in (peers[0] as object), false);
});

test("F44, LIMIT messageBytesMax: a request message above the limit is refused as over gRPC, a body above its limit with 413", async (t) => {
  const harness = await HttpHarness.start(t, { httpLimits: { messageBytesMax: 1_000, bodyBytesMax: 10_000 } });
  const value = Buffer.alloc(1_000).toString("base64");
  const large = await harness.post("/v3/kv/put", { key: "YQ==", value });
  assert.deepEqual(
    [large.status, large.text],
    [429, '{"code":8,"message":"grpc: received message larger than max (1006 vs. 1000)"}'],
  );
  const padded = await harness.post("/v3/kv/put", `${" ".repeat(9_900)}{"key":"YQ=="}`);
  assert.equal(padded.status, 200);
  const beyond = await harness.post("/v3/kv/put", " ".repeat(10_001));
  assert.deepEqual([beyond.status, beyond.text], [413, "request too large\n"]);
  assert.equal(harness.counters.bodiesTooLarge, 1);
});

test("a body that is no UTF-8 is refused", async (t) => {
  const harness = await HttpHarness.start(t);
  const body = Buffer.from('{"key":"YQ==","x":"\xff"}', "latin1");
  const response = await fetch(`${harness.origin}/v3/kv/put`, { method: "POST", body });
  assert.deepEqual([response.status, await response.json()], [400, { code: 3, message: "invalid UTF-8" }]);
});

test("LeaseKeepAlive: one line for each request, and the end when the body ends", async (t) => {
  const harness = await HttpHarness.start(t);
  await harness.post("/v3/lease/grant", { ID: 5, TTL: 100 });
  const { status, text, headers } = await harness.post("/v3/lease/keepalive", '{"ID":"5"}{"ID":6} ');
  assert.equal(status, 200);
  assert.equal(text, `{"result":{${header},"ID":"5","TTL":"100"}}\n{"result":{${header},"ID":"6"}}\n`);
  assert.equal(headers.get("content-type"), "application/json");
  assert.equal(headers.get("grpc-metadata-content-type"), "application/grpc");
});

test("a stream's request ends where it is no JSON any more; nothing asked is nothing answered", async (t) => {
  const harness = await HttpHarness.start(t);
  const one = `{"result":{${header},"ID":"5"}}\n`;
  const cases: [string, string][] = [
    ['{"ID":5}x', one],
    ['{"ID":5} {"ID":{}} {"ID":5}', one],
    ['{"ID":5},{"ID":5}', one],
    ["", ""],
    ["[]", ""],
    ["\xff", ""],
  ];
  for (const [body, text] of cases) {
    const got = await harness.post("/v3/lease/keepalive", body);
    assert.deepEqual([got.status, got.text], [200, text], body);
    if (text === "") assert.equal(got.headers.get("content-type"), null);
  }
});

test("many values in one body are fed in turns, and all are answered", async (t) => {
  const harness = await HttpHarness.start(t, { httpLimits: { messagesPerTurn: 10 } });
  const { text } = await harness.post("/v3/lease/keepalive", '{"ID":5}'.repeat(2_345));
  assert.equal(text.split("\n").length - 1, 2_345);
});

test("a turn ends also after so many characters, however few values they are", async (t) => {
  let turns = 0;
  let received = 0;
  let isNewTurn = true;
  const open = (call: ServerCall): MessageSink => ({
    message: () => {
      received++;
      if (!isNewTurn) return;
      isNewTurn = false;
      turns++;
      setImmediate(() => {
        isNewTurn = true;
      });
    },
    halfClose: () => call.end({ code: 0, message: "" }),
  });
  const bulky: Method = { kind: "bidi", path: "/etcdserverpb.Lease/LeaseKeepAlive", open };
  const harness = await HttpHarness.start(t, { methods: [bulky], httpLimits: { jsonCharactersPerTurn: 20 } });
  await harness.post("/v3/lease/keepalive", '{"ID":56789}'.repeat(10));
  assert.deepEqual([received, turns], [10, 5]);
});

test("F44: a body of very many small values is no request", async (t) => {
  const harness = await HttpHarness.start(t);
  const { status, text } = await harness.post("/v3/kv/txn", `{"compare":[${"{},".repeat(100_000)}{}]}`);
  assert.deepEqual([status, JSON.parse(text).code], [400, 3]);
  assert.match(text, /more than \d+ members and elements/);
});

test("Watch: a line for the creation, one for each event, until the client goes", async (t) => {
  const harness = await HttpHarness.start(t);
  const body = `${watchAnything}{"create_request":{"key":"YmF6"}}`;
  const lines = new Lines(await fetch(`${harness.origin}/v3/watch`, { method: "POST", body }));
  assert.equal(await lines.next(), `{"result":{${header},"created":true}}`);
  assert.equal(await lines.next(), `{"result":{${header},"watch_id":"1","created":true}}`);
  await harness.post("/v3/kv/put", { key: "YmFy", value: "MQ==" });
  const { result } = JSON.parse((await lines.next()) as string);
  assert.deepEqual(result.events, [
    { kv: { key: "YmFy", create_revision: "2", mod_revision: "2", version: "1", value: "MQ==" } },
  ]);
  assert.equal(harness.gateway.openCalls, 1);
  await lines.cancel();
  await until(() => harness.gateway.openCalls === 0);
  assert.equal(harness.services.context.openCalls.size, 0);
});

test("a stream that fails before its first line has the status of the failure, one that fails later a last line", async (t) => {
  const path = "/v3electionpb.Election/Observe";
  let lines = 0;
  const observe = method(
    path,
    (call) => {
      for (let line = 0; line < lines; line++) call.send(new Uint8Array(0));
      call.end({ code: 14, message: 'a "<&>\u2028' });
    },
    "serverStream",
  );
  const harness = await HttpHarness.start(t, { methods: [observe] });
  const last = '{"error":{"code":14,"message":"a \\"\\u003c\\u0026\\u003e\\u2028"}}\n';
  const early = await harness.post("/v3/election/observe", "{}");
  assert.deepEqual([early.status, early.text], [503, last]);
  assert.equal(early.headers.get("content-type"), "application/json");
  assert.equal(early.headers.get("grpc-metadata-content-type"), null);
  lines = 2;
  const late = await harness.post("/v3/election/observe", "{}");
  assert.deepEqual([late.status, late.text], [200, `{"result":{}}\n{"result":{}}\n${last}`]);
});

test("a server that stops ends its streams", async (t) => {
  const harness = await HttpHarness.start(t);
  const lines = new Lines(await fetch(`${harness.origin}/v3/watch`, { method: "POST", body: watchAnything }));
  await lines.next();
  harness.services.context.openCalls.stop();
  assert.equal(await lines.next(), '{"error":{"code":14,"message":"etcdserver: server stopped"}}');
  assert.equal(await lines.next(), undefined);
});

test("Grpc-Timeout ends the call, and its method hears of it", async (t) => {
  const reasons: CancelReason[] = [];
  const wait = (call: ServerCall): void => call.onCancel((reason) => reasons.push(reason));
  const methods = [
    method("/etcdserverpb.KV/Put", wait),
    method("/v3electionpb.Election/Observe", wait, "serverStream"),
  ];
  const harness = await HttpHarness.start(t, { methods });
  const timeout = { "grpc-timeout": "50m" };
  const calls = [harness.post("/v3/kv/put", "{}", timeout), harness.post("/v3/election/observe", "{}", timeout)];
  await until(() => harness.gateway.openCalls === 2);
  harness.clock.advance(50);
  const [unary, stream] = await Promise.all(calls);
  assert.deepEqual([unary?.status, unary?.text], [504, '{"code":4,"message":"context deadline exceeded"}']);
  assert.deepEqual(
    [stream?.status, stream?.text],
    [504, '{"error":{"code":4,"message":"context deadline exceeded"}}\n'],
  );
  assert.deepEqual(reasons, ["deadline-exceeded", "deadline-exceeded"]);
  for (const path of ["/v3/kv/put", "/v3/election/observe"]) {
    const passed = await harness.post(path, "{}", { "grpc-timeout": "1n" });
    assert.deepEqual([passed.status, passed.text], [504, '{"code":4,"message":"context deadline exceeded"}']);
  }
  const malformed = await harness.post("/v3/watch", watchAnything, { "grpc-timeout": "x" });
  assert.deepEqual([malformed.status, malformed.text], [400, '{"code":3,"message":"invalid grpc-timeout: x"}']);
});

test("a client that goes away cancels its call", async (t) => {
  const reasons: CancelReason[] = [];
  const methods = [method("/v3lockpb.Lock/Lock", (call) => call.onCancel((reason) => reasons.push(reason)))];
  const harness = await HttpHarness.start(t, { methods });
  const client = await harness.dial();
  client.send("POST /v3/lock/lock HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}");
  await until(() => harness.gateway.openCalls === 1);
  client.socket.destroy();
  await until(() => reasons.length === 1);
  assert.deepEqual(reasons, ["connection-lost"]);
  assert.equal(harness.gateway.openCalls, 0);
});

test("a method that throws is a bug: INTERNAL, and somebody is told", async (t) => {
  const bug = new Error("bug");
  const fail = (): never => {
    throw bug;
  };
  const open: Method = {
    kind: "bidi",
    path: "/etcdserverpb.Watch/Watch",
    open: () => ({ message: fail, halfClose: () => {} }),
  };
  const harness = await HttpHarness.start(t, { methods: [method("/etcdserverpb.KV/Put", fail), open] });
  assert.equal((await harness.post("/v3/kv/put", "{}")).text, '{"code":13,"message":"internal error"}');
  assert.equal((await harness.post("/v3/watch", "{}")).text, '{"error":{"code":13,"message":"internal error"}}\n');
  assert.deepEqual(harness.errors, [bug, bug]);
  assert.equal(harness.gateway.openCalls, 0);
});

test("F38, LIMIT openCallsMax: calls above the limit are refused", async (t) => {
  const harness = await HttpHarness.start(t, { httpLimits: { openCallsMax: 2 } });
  const streams = [1, 2].map(
    async () => new Lines(await fetch(`${harness.origin}/v3/watch`, { method: "POST", body: watchAnything })),
  );
  const [first] = await Promise.all(streams);
  for (const path of ["/v3/watch", "/v3/kv/range"]) {
    const { status, text } = await harness.post(path, "{}");
    assert.deepEqual([status, text], [429, '{"code":8,"message":"too many calls are open"}']);
  }
  assert.equal(harness.counters.callsRefused, 2);
  await first?.cancel();
  await until(() => harness.gateway.openCalls === 1);
  assert.equal((await harness.post("/v3/kv/range", { key: "YQ==" })).status, 200);
});

test("F20: a stream that its client does not read holds back, keeps little in memory, and goes on when it is read", async (t) => {
  const path = "/v3electionpb.Election/Observe";
  const message = Buffer.concat([Buffer.from([0x12, 0x80, 0x80, 0x01, 0x2a, 0xfc, 0xff, 0x00]), Buffer.alloc(16_380)]);
  const total = 2_000;
  let sent = 0;
  let mostUnsent = 0;
  const observe = method(
    path,
    (call) => {
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
    },
    "serverStream",
  );
  const harness = await HttpHarness.start(t, { methods: [observe] });
  const client = await harness.dial();
  client.socket.pause();
  client.send("POST /v3/election/observe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  let before = -1;
  while (sent === 0 || sent !== before) {
    before = sent;
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(sent < total, "held back");
  client.socket.resume();
  const received = await client.closed();
  assert.equal(received.split('{"result":').length - 1, total);
  assert.ok(mostUnsent < 600 * 1024, String(mostUnsent));
});
