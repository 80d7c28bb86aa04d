/** The client against a real server: endpoints, TLS, logins, streams. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import {
  authService,
  byteStringFromText,
  etcdErrors,
  kvService,
  leaseService,
  lockService,
  maintenanceService,
  StatusCode,
} from "@holdfast/protocol";
import { type RunningServer, type ServerOptions, startServer } from "@holdfast/server";
import { type Connection, connect } from "./connection.js";
import { ClientOptionError, ConnectError, EtcdError } from "./errors.js";
import type { ConnectOptions } from "./options.js";

const { put, range } = kvService.methods;
const { userAdd, userGrantRole, authEnable, authDisable } = authService.methods;
const folder = mkdtempSync(join(tmpdir(), "holdfast-client-"));
after(() => rmSync(folder, { recursive: true, force: true }));

async function serve(t: TestContext, options: ServerOptions = {}): Promise<RunningServer> {
  const server = await startServer({ listen: "127.0.0.1:0", auth: { passwordCost: 4 }, ...options });
  t.after(() => server.close());
  return server;
}

async function open(t: TestContext, options: ConnectOptions): Promise<Connection> {
  const connection = await connect(options);
  t.after(() => connection.close());
  return connection;
}

async function putText(connection: Connection, key: string, value: string): Promise<void> {
  await connection.call(put, { key: byteStringFromText(key), value: Buffer.from(value) });
}

async function getText(connection: Connection, key: string): Promise<string | undefined> {
  const { kvs } = await connection.call(range, { key: byteStringFromText(key) });
  return kvs[0] === undefined ? undefined : Buffer.from(kvs[0].value).toString();
}

/** An endpoint at which nobody listens. */
async function deadEndpoint(): Promise<string> {
  const listener = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  return `http://127.0.0.1:${port}`;
}

test("a unary call over TCP and over a Unix socket", async (t) => {
  const socket = join(folder, "plain.sock");
  const server = await serve(t, { listen: ["127.0.0.1:0", `unix:${socket}`] });
  for (const endpoints of [server.addresses[0] as string, `http://${server.addresses[0]}`, `unix:${socket}`]) {
    const connection = await open(t, { endpoints });
    assert.equal(connection.endpoint, endpoints);
    await putText(connection, "a", endpoints);
    assert.equal(await getText(connection, "a"), endpoints);
  }
});

test("endpoints are tried in order; when none answers, the error says of each why", async (t) => {
  const server = await serve(t);
  const dead = await deadEndpoint();
  const connection = await open(t, { endpoints: `${dead}, ${server.endpoint}` });
  assert.equal(connection.endpoint, server.endpoint);
  const other = await deadEndpoint();
  await assert.rejects(connect({ endpoints: [dead, other] }), (error) => {
    assert.ok(error instanceof ConnectError);
    assert.ok(error.message.includes(`${dead}: connect ECONNREFUSED`), error.message);
    assert.ok(error.message.includes(`${other}: connect ECONNREFUSED`), error.message);
    return true;
  });
  await assert.rejects(connect({ endpoints: [] }), ClientOptionError);
  await assert.rejects(connect({ endpoints: "nowhere" }), ClientOptionError);
});

test("an endpoint that takes connections and does not answer TLS is given up in time", async (t) => {
  const silent = createServer(() => {}).listen(0, "127.0.0.1");
  await new Promise((resolve) => silent.once("listening", resolve));
  t.after(() => silent.close());
  const { port } = silent.address() as AddressInfo;
  const endpoints = `https://127.0.0.1:${port}`;
  await assert.rejects(connect({ endpoints, limits: { connectMs: 50 } }), /no answer within 50 ms/);
});

test("a refused call carries code and text, and the connection goes on", async (t) => {
  const connection = await open(t, { endpoints: (await serve(t)).endpoint });
  await assert.rejects(connection.call(put), (error) => {
    assert.ok(error instanceof EtcdError);
    assert.deepEqual([error.code, error.text], [StatusCode.invalidArgument, "etcdserver: key is not provided"]);
    assert.equal(error.path, "/etcdserverpb.KV/Put");
    assert.ok(error.is(etcdErrors.emptyKey) && !error.is(etcdErrors.compacted));
    return true;
  });
  assert.equal(await getText(connection, "a"), undefined);
});

test("a deadline and a signal end a call", async (t) => {
  const connection = await open(t, { endpoints: (await serve(t)).endpoint });
  const name = byteStringFromText("held");
  await connection.call(lockService.methods.lock, { name });
  const late = connection.call(lockService.methods.lock, { name }, { deadlineMs: 20 });
  await assert.rejects(late, { code: StatusCode.deadlineExceeded });
  const controller = new AbortController();
  const cancelled = connection.call(lockService.methods.lock, { name }, { signal: controller.signal });
  controller.abort();
  await assert.rejects(cancelled, { code: StatusCode.cancelled });
});

test("a connection that was lost is made anew by the next call, at the first endpoint that answers", async (t) => {
  const first = await serve(t);
  const second = await serve(t);
  const connection = await open(t, { endpoints: [first.endpoint, second.endpoint] });
  await putText(connection, "a", "1");
  await first.close();
  assert.equal(await getText(connection, "a"), undefined);
  assert.equal(connection.endpoint, second.endpoint);
  await second.close();
  await assert.rejects(getText(connection, "a"), ConnectError);
  connection.close();
  await assert.rejects(getText(connection, "a"), /was closed here/);
});

test("CLI-12: an answer may be larger than a request", async (t) => {
  const connection = await open(t, { endpoints: (await serve(t)).endpoint });
  const value = "x".repeat(1_000_000);
  for (let n = 0; n < 40; n++) await putText(connection, `big${n}`, value);
  const all = { key: byteStringFromText("big"), rangeEnd: byteStringFromText("bih") };
  const { kvs } = await connection.call(range, all);
  assert.equal(kvs.length, 40);
  await assert.rejects(
    (await open(t, { endpoints: connection.endpoint as string, limits: { answerBytesMax: 1_000_000 } })).call(
      range,
      all,
    ),
    /received message larger than max/,
  );
});

async function secure(t: TestContext, tokenTtlSeconds = 300): Promise<RunningServer> {
  const server = await serve(t, { auth: { passwordCost: 4, tokenTtlSeconds } });
  const connection = await open(t, { endpoints: server.endpoint });
  await connection.call(userAdd, { name: "root", password: "pass:word" });
  await connection.call(userGrantRole, { user: "root", role: "root" });
  await connection.call(authEnable);
  return server;
}

const credentials = { user: "root", password: "pass:word" };

test("AUTH-12: with credentials, calls of every kind carry a token", async (t) => {
  const { endpoint } = await secure(t);
  await assert.rejects(getText(await open(t, { endpoints: endpoint }), "a"), /user name is empty/);
  const connection = await open(t, { endpoints: endpoint, credentials });
  await putText(connection, "a", "1");
  let bytes = 0;
  for await (const { blob } of connection.stream(maintenanceService.methods.snapshot)) bytes += blob.length;
  assert.ok(bytes > 500);
  const wrong = connect({ endpoints: endpoint, credentials: { user: "root", password: "no" } });
  await assert.rejects(wrong, (error) => error instanceof EtcdError && error.is(etcdErrors.authFailed));
});

test("CLI-4: where authentication is off, calls are made without a token", async (t) => {
  const { endpoint } = await serve(t);
  const connection = await open(t, { endpoints: endpoint, credentials });
  await putText(connection, "a", "1");
  assert.equal(await getText(connection, "a"), "1");
});

test("CLI-4: a token that is not taken any more is had again once, for calls and for streams", async (t) => {
  const dataDir = join(folder, "tokens");
  const first = await serve(t, { dataDir });
  const setUp = await open(t, { endpoints: first.endpoint });
  await setUp.call(userAdd, { name: "root", password: "pass:word" });
  await setUp.call(userGrantRole, { user: "root", role: "root" });
  await setUp.call(authEnable);
  const connection = await open(t, { endpoints: first.endpoint, credentials });
  await putText(connection, "a", "1");
  const streaming = await open(t, { endpoints: first.endpoint, credentials });
  await first.close();
  // Simple tokens do not outlive the server (AUTH-9).
  const again = await serve(t, { dataDir, listen: first.endpoint });
  assert.equal(again.endpoint, first.endpoint);
  assert.equal(await getText(connection, "a"), "1");
  let messages = 0;
  for await (const _message of streaming.stream(maintenanceService.methods.snapshot)) messages += 1;
  assert.ok(messages >= 2);
});

test("CLI-4: authentication that is switched on later is met with a login, and only one", async (t) => {
  const server = await serve(t);
  const setUp = await open(t, { endpoints: server.endpoint });
  const connection = await open(t, { endpoints: server.endpoint, credentials });
  await putText(connection, "a", "1");
  await setUp.call(userAdd, { name: "root", password: "pass:word" });
  await setUp.call(userGrantRole, { user: "root", role: "root" });
  await setUp.call(authEnable);
  assert.equal(await getText(connection, "a"), "1");
  await connection.call(authDisable);
  await setUp.call(authService.methods.userChangePassword, { name: "root", password: "other" });
  await setUp.call(authEnable);
  // The old token is gone, and so is the password.
  await assert.rejects(getText(connection, "a"), (error) => error instanceof EtcdError);
});

test("F20: a stream that is not read makes the server wait, and arrives whole when it is", async (t) => {
  const server = await serve(t, { serviceLimits: { snapshotsAtOnce: 1 } });
  const limits = { streamWaitingBytes: 64 * 1024 };
  const connection = await open(t, { endpoints: server.endpoint, limits });
  const value = "x".repeat(1_000_000);
  for (let n = 0; n < 20; n++) await putText(connection, `big${n}`, value);
  const stream = connection.stream(maintenanceService.methods.snapshot);
  const first = await stream.next();
  assert.ok(first.done !== true);
  // Other calls go on beside it, so the wait is the stream's own; and it is one, for the server is still at it.
  for (let n = 0; n < 200; n++) await getText(connection, "a");
  await assert.rejects(connection.stream(maintenanceService.methods.snapshot).next(), /too many requests/);
  let bytes = first.value.blob.length;
  for await (const { blob } of stream) bytes += blob.length;
  assert.equal(bytes, first.value.blob.length + first.value.remainingBytes + 32);
  assert.equal((await connection.stream(maintenanceService.methods.snapshot).next()).done, false);
});

test("leaving a stream early cancels its call", async (t) => {
  const server = await serve(t, { serviceLimits: { snapshotsAtOnce: 1 } });
  const connection = await open(t, { endpoints: server.endpoint });
  const value = "x".repeat(1_000_000);
  for (let n = 0; n < 20; n++) await putText(connection, `big${n}`, value);
  for (let round = 0; round < 5; round++) {
    for await (const { blob } of connection.stream(maintenanceService.methods.snapshot)) {
      assert.ok(blob.length > 0);
      break;
    }
  }
});

test("a stream either way", async (t) => {
  const connection = await open(t, { endpoints: (await serve(t)).endpoint });
  await connection.call(leaseService.methods.leaseGrant, { id: 5n, ttl: 60 });
  const stream = await connection.open(leaseService.methods.leaseKeepAlive);
  for (const id of [5n, 6n, 5n]) stream.send({ id });
  stream.halfClose();
  const answers: string[] = [];
  for await (const { id, ttl } of stream) answers.push(`${id} ${ttl}`);
  assert.deepEqual(answers, ["5 60", "6 0", "5 60"]);
  const other = await connection.open(leaseService.methods.leaseKeepAlive);
  other.cancel();
  await assert.rejects(
    async () => {
      for await (const _answer of other);
    },
    { code: StatusCode.cancelled },
  );
});

test("TLS: the server's certificate is checked against the authorities and the name, unless that is switched off", async (t) => {
  const dataDir = join(folder, "tls");
  const socket = join(folder, "tls.sock");
  const tls = { autoTls: true };
  const server = await serve(t, { listen: ["https://127.0.0.1:0", `unixs:${socket}`], dataDir, tls });
  const caFile = join(dataDir, "fixtures", "client", "cert.pem");
  const endpoints = server.endpoint;
  const trusting = await open(t, { endpoints, tls: { caFile } });
  await putText(trusting, "a", "1");
  const bare = endpoints.replace("https://", "");
  assert.equal(await getText(await open(t, { endpoints: bare, tls: { caFile } }), "a"), "1");
  const named = { caFile, serverName: "127.0.0.1" };
  assert.equal(await getText(await open(t, { endpoints: `unixs:${socket}`, tls: named }), "a"), "1");
  assert.equal(await getText(await open(t, { endpoints, tls: { insecureSkipVerify: true } }), "a"), "1");

  await assert.rejects(connect({ endpoints }), /self-signed certificate/);
  await assert.rejects(connect({ endpoints, tls: { caFile, serverName: "other.example" } }), /other\.example/);
  await assert.rejects(
    connect({ endpoints: `http://${bare}`, limits: { connectMs: 500 } }).then((c) => getText(c, "a")),
  );
  await assert.rejects(connect({ endpoints, tls: { caFile: join(folder, "none") } }), /cannot read .*none: ENOENT/);
  await assert.rejects(connect({ endpoints, tls: { certFile: caFile } }), ClientOptionError);
});
