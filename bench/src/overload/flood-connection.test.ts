import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { echoPath, holdPath, refusePath, TestingServer } from "../driver/testing-server.js";
import { FloodConnection, type FloodCounts } from "./flood-connection.js";

const message = Buffer.from("message");

interface Scene {
  readonly server: TestingServer;
  readonly connection: FloodConnection;
  readonly counts: FloodCounts;
}

async function open(t: TestContext, limits?: Parameters<typeof TestingServer.start>[0]): Promise<Scene> {
  const server = await TestingServer.start(limits);
  const counts = { answered: 0, refused: 0, closed: 0 };
  const connection = await FloodConnection.connect({ port: server.port }, counts);
  t.after(() => server.stop());
  assert.ok(connection !== undefined);
  t.after(() => connection.close());
  return { server, connection, counts };
}

/** Looks again after every turn of the event loop; the test's own time limit ends a wait for nothing. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

test("each call is followed by the next, whether it was answered or refused", async (t) => {
  const { connection, counts } = await open(t);
  const requests = [echoPath, refusePath].map((path) => ({ path, message }));
  connection.follow({ callsInFlight: 3, requests, reads: true });
  await until(() => counts.answered >= 50 && counts.refused >= 50);
  assert.equal(counts.closed, 0);
});

test("no more calls are in flight than was said, and none begins without a plan", async (t) => {
  const { server, connection, counts } = await open(t);
  connection.follow({ callsInFlight: 4, requests: [{ path: holdPath, message }], reads: true });
  await until(() => server.held.length === 4);
  connection.follow(undefined);
  for (const call of server.held.splice(0)) call.reply(message);
  await until(() => counts.answered === 4);
  connection.follow({ callsInFlight: 1, requests: [{ path: echoPath, message }], reads: true });
  await until(() => counts.answered > 4);
  assert.equal(server.held.length, 0);
});

test("calls beyond what the server allows are counted as refused", async (t) => {
  const { connection, counts } = await open(t, { streamsPerConnectionMax: 2 });
  connection.follow({ callsInFlight: 5, requests: [{ path: holdPath, message }], reads: true });
  await until(() => counts.refused >= 3);
});

test("who does not read gets no answers, and goes on when it reads again", async (t) => {
  const { server, connection, counts } = await open(t);
  connection.follow({ callsInFlight: 2, requests: [{ path: holdPath, message }], reads: false });
  await until(() => server.held.length === 2);
  for (const call of server.held.splice(0)) call.reply(message);
  assert.equal(counts.answered, 0);
  connection.follow({ callsInFlight: 2, requests: [{ path: echoPath, message }], reads: true });
  await until(() => counts.answered > 2);
});

test("a connection that the server closes is counted, and nothing else happens", async (t) => {
  const { server, connection, counts } = await open(t);
  connection.follow({ callsInFlight: 2, requests: [{ path: holdPath, message }], reads: true });
  server.cut();
  await until(() => counts.closed === 1);
  connection.follow({ callsInFlight: 2, requests: [{ path: echoPath, message }], reads: true });
});

test("nobody listening means no connection", async () => {
  const server = await TestingServer.start();
  const { port } = server;
  await server.stop();
  assert.equal(await FloodConnection.connect({ port }, { answered: 0, refused: 0, closed: 0 }), undefined);
});
