import assert from "node:assert/strict";
import { once } from "node:events";
import { get } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { LogFolderLockedError } from "@holdfast/log";
import { electionService, etcdErrors, leaseService, StatusCode } from "@holdfast/protocol";
import { InvalidAddressError } from "./net/address.js";
import { ListenError } from "./net/listener.js";
import { startServer } from "./start-server.js";
import { activeResources, leftBehind, TimerWatch } from "./testing/resources.js";
import { rejectsAs, type StatusError } from "./testing/status-error.js";
import { temporaryFolder } from "./testing/temporary-folder.js";
import { byteString, TestClient } from "./testing/test-client.js";
import { portOf, start } from "./testing/test-server.js";
import { create, openWatch } from "./testing/watching.js";

const listen = "127.0.0.1:0";
const stopped = { code: etcdErrors.stopped.wireCode, message: etcdErrors.stopped.wireMessage };

test("a stopped server leaves nothing behind: no handle, no port, no locked folder", async () => {
  const dataDir = temporaryFolder();
  const before = activeResources();
  for (let round = 0; round < 3; round++) {
    const server = await startServer({ listen, dataDir });
    const client = await TestClient.connect(portOf(server.endpoint));
    await client.put("a");
    const watch = await client.watch({ key: byteString("a"), progressNotify: true });
    await server.close();
    assert.deepEqual(await watch.ended(), stopped);
    client.grpc.destroy();
    assert.deepEqual(await leftBehind(before), []);
    const next = await startServer({ listen: server.endpoint, dataDir });
    assert.equal(next.endpoint, server.endpoint);
    await next.close();
  }
});

test("no threads are started for sockets unless they are asked for", async (t) => {
  let workers = 0;
  const count = (): number => workers++;
  process.on("worker", count);
  t.after(() => process.off("worker", count));
  const server = await startServer({ listen, netLimits: { socketThreadsFrom: 1 } });
  const client = await TestClient.connect(portOf(server.endpoint));
  await client.put("a");
  assert.equal(workers, 0);
  client.grpc.destroy();
  await server.close();
});

test("a stopped server leaves no timer running, not even one that would let the process end", async () => {
  const timers = new TimerWatch();
  const server = await startServer({ listen, dataDir: temporaryFolder() });
  const client = await TestClient.connect(portOf(server.endpoint));
  await client.grant(1n, 2);
  await client.watch({ key: byteString("a"), progressNotify: true });
  const waiting = client.call(leaseService.methods.leaseGrant, {}, { deadlineMs: 60_000 });
  await waiting;
  await server.close();
  client.grpc.destroy();
  assert.equal(await timers.left(), 0);
});

test("F63: a server that stops ends open calls as Unavailable, at once, and leaves the keys of those that wait", async (t) => {
  const dataDir = temporaryFolder();
  const { client, server } = await start(t, { dataDir });
  for (const id of [1n, 2n, 3n]) await client.grant(id);
  await client.lock("n", 1n);
  const watch = openWatch(client);
  await create(watch, "n/", { rangeEnd: "n0" });
  const keepAlive = client.open(leaseService.methods.leaseKeepAlive);
  keepAlive.send({ id: 1n });
  await keepAlive.next();
  const observe = client.stream(electionService.methods.observe, { name: byteString("nobody") });
  await observe.opened();
  const lock = client.lock("n", 2n);
  const campaign = client.call(electionService.methods.campaign, { name: byteString("n"), lease: 3n });
  await watch.take(2);
  const closed = server.running.close();
  await Promise.all([rejectsAs(lock, etcdErrors.stopped), rejectsAs(campaign, etcdErrors.stopped)]);
  for (const stream of [watch, keepAlive, observe]) assert.deepEqual(await stream.ended(), stopped);
  await closed;
  // The client may come back for its place: only its lease decides.
  const again = await start(t, { dataDir });
  assert.deepEqual(await again.client.keys("n/"), ["n/1", "n/2", "n/3"]);
  const resumed = again.client.lock("n", 2n);
  await again.client.unlock("n/1");
  assert.equal(await resumed, "n/2");
});

test("F63, I1: what was acknowledged before or during the stop is there after it", async (t) => {
  const dataDir = temporaryFolder();
  const { client, server } = await start(t, { dataDir });
  const calls = Array.from({ length: 500 }, (_, i) => client.put(`k${i}`).then(() => `k${i}`));
  const settled = Promise.allSettled(calls);
  await calls[0];
  await server.running.close();
  const acknowledged: string[] = [];
  for (const result of await settled) {
    if (result.status === "fulfilled") acknowledged.push(result.value);
    else assert.equal((result.reason as StatusError).code, StatusCode.unavailable);
  }
  const again = await start(t, { dataDir });
  const keys = new Set(await again.client.keys("k"));
  assert.ok(acknowledged.every((key) => keys.has(key)));
  assert.ok(acknowledged.length > 0);
});

test("closing twice is closing once, and idle, silent and half-open connections do not hold it up", async () => {
  const before = activeResources();
  const server = await startServer({ listen });
  const port = portOf(server.endpoint);
  const idle = await TestClient.connect(port);
  await idle.put("a");
  const silent = connect(port, "127.0.0.1");
  const half = connect(port, "127.0.0.1");
  await Promise.all([once(silent, "connect"), once(half, "connect")]);
  half.write("PRI * HTTP/2");
  await idle.put("a");
  const gone = Promise.all([once(silent, "close"), once(half, "close"), idle.grpc.closed]);
  await Promise.all([server.close(), server.close()]);
  await server.close();
  await gone;
  assert.deepEqual(await leftBehind(before), []);
});

test("two servers of one process have nothing to do with each other", async (t) => {
  const one = await start(t, { dataDir: temporaryFolder() });
  const two = await start(t, { dataDir: temporaryFolder() });
  const three = await start(t);
  await one.client.put("a", "one");
  await one.client.grant(7n);
  assert.deepEqual([await two.client.keys(""), await three.client.keys("")], [[], []]);
  await two.client.grant(7n);
  const ids = [one, two, three].flatMap(({ server }) => [server.running.clusterId, server.running.memberId]);
  assert.equal(new Set(ids).size, 6);
  await one.server.stop();
  await two.client.put("b");
  await three.client.put("c");
});

test("a second server on the same folder is refused, and leaves the first alone", async (t) => {
  const dataDir = temporaryFolder();
  const { client } = await start(t, { dataDir });
  await client.put("a", "1");
  const before = activeResources();
  await assert.rejects(startServer({ listen, dataDir }), LogFolderLockedError);
  assert.deepEqual(await leftBehind(before), []);
  await client.put("a", "2");
  assert.equal((await client.get("a"))?.version, 2);
});

test("an address in use is refused by name, and nothing is left behind", async (t) => {
  const dataDir = temporaryFolder();
  const { server } = await start(t);
  const before = activeResources();
  const failing = startServer({ listen: [listen, server.running.endpoint], dataDir });
  await assert.rejects(failing, (error) => error instanceof ListenError && error.code === "EADDRINUSE");
  assert.deepEqual(await leftBehind(before), []);
  const { client } = await start(t, { dataDir });
  await client.put("a");
});

test("an address nobody can listen on is refused before anything is opened", async () => {
  await assert.rejects(startServer({ listen: "nowhere" }), InvalidAddressError);
  await assert.rejects(startServer({ listen: "192.0.2.1:0", allowInsecureListen: true }), ListenError);
});

test("a server listens on every address it is given, unix sockets too", async (t) => {
  const path = `${temporaryFolder()}/holdfast.sock`;
  const { server, client } = await start(t, { listen: [listen, listen, `unix:${path}`] });
  const { addresses } = server.running;
  assert.equal(new Set(addresses).size, 3);
  assert.equal(addresses[2], `unix:${path}`);
  await client.put("a", "everywhere");
  const second = await TestClient.connect(portOf(addresses[1] as string));
  assert.equal((await second.get("a"))?.version, 1);
  const socket = connect(path);
  await once(socket, "connect");
  const third = TestClient.on(socket);
  assert.equal((await third.get("a"))?.version, 1);
  for (const { grpc } of [second, third]) grpc.destroy();
});

test("the preface may come in pieces", async (t) => {
  const { server } = await start(t);
  const socket = connect(server.port, "127.0.0.1");
  await once(socket, "connect");
  socket.setNoDelay(true);
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  for (const byte of Buffer.concat([preface, settings])) {
    await new Promise((resolve) => socket.write(Buffer.of(byte), resolve));
  }
  const [answer] = (await once(socket, "data")) as [Buffer];
  // The first frame of a server is SETTINGS.
  assert.equal(answer[3], 4);
  socket.destroy();
});

test("HTTP/1.1 on the same port is answered as HTTP/1.1", async (t) => {
  const { server } = await start(t);
  const request = get({ port: server.port, host: "127.0.0.1", path: "/no/such/page", agent: false });
  const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
  assert.equal(response.statusCode, 404);
  response.resume();
  await once(response, "end");
});
