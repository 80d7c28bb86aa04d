import assert from "node:assert/strict";
import { test } from "node:test";
import { DriverConnection } from "./driver-connection.js";
import { Failures } from "./failures.js";
import { chatPath, echoPath, holdPath, refusePath, TestingServer } from "./testing-server.js";

type Limits = Parameters<typeof TestingServer.start>[0];

/** Runs `use` on a connection; `failures` are what the connection reports. */
async function onConnection(
  use: (connection: DriverConnection, failures: Failures, server: TestingServer) => Promise<void>,
  limits?: Limits,
): Promise<void> {
  const server = await TestingServer.start(limits);
  const failures = new Failures();
  const connection = await DriverConnection.connect({ port: server.port }, failures.report);
  try {
    await use(connection, failures, server);
  } finally {
    connection.close();
    await server.stop();
  }
}

function echo(connection: DriverConnection, message: Uint8Array): Promise<Buffer> {
  return new Promise((resolve) => {
    let answer = Buffer.alloc(0);
    connection.unary(echoPath, message, {
      message: (chunk, from, to) => {
        answer = Buffer.from(chunk.subarray(from, to));
      },
      end: () => resolve(answer),
    });
  });
}

const never = new Promise<never>(() => {});
const quiet = { message: () => {}, end: () => {} };

test("every unary call gets its own answer, many at a time", () =>
  onConnection(async (connection, failures) => {
    const messages = Array.from({ length: 500 }, (_, number) => Buffer.from(`message ${number}`));
    const answers = await failures.during(Promise.all(messages.map((message) => echo(connection, message))));
    assert.deepEqual(answers.map(String), messages.map(String));
    assert.equal(connection.openCalls, 0);
  }));

test("messages larger than frames and windows pass in both directions, in order", () =>
  onConnection(
    async (connection, failures) => {
      const messages = [700_000, 1, 70_000, 0].map((length, at) => Buffer.alloc(length, at + 1));
      const answers = await failures.during(Promise.all(messages.map((message) => echo(connection, message))));
      for (const [at, message] of messages.entries()) assert.ok(answers[at]?.equals(message));
    },
    { streamReceiveWindowBytes: 70_000, connectionReceiveWindowBytes: 80_000 },
  ));

test("a stream carries messages in order and tells its end", () =>
  onConnection(async (connection, failures) => {
    const seen: string[] = [];
    const ended = new Promise<number>((resolve) => {
      const stream = connection.open(chatPath, {
        message: (chunk, from, to) => seen.push(Buffer.from(chunk.subarray(from, to)).toString()),
        end: resolve,
      });
      for (let number = 0; number < 100; number++) stream.send(Buffer.from(String(number)));
      stream.halfClose();
    });
    assert.equal(await failures.during(ended), 0);
    assert.deepEqual(
      seen,
      Array.from({ length: 100 }, (_, number) => String(number)),
    );
  }));

test("a status other than 0 ends the load", () =>
  onConnection(async (connection, failures) => {
    connection.unary(refusePath, Buffer.alloc(0), quiet);
    await assert.rejects(failures.during(never), /Refuse: gRPC status 9: not now/);
  }));

test("a lost connection ends the load, also one that begins to wait later", () =>
  onConnection(async (connection, failures, server) => {
    connection.unary(holdPath, Buffer.alloc(0), quiet);
    server.cut();
    await assert.rejects(failures.during(never), /closed the connection|ECONNRESET/);
    await assert.rejects(failures.during(never), /closed the connection|ECONNRESET/);
  }));

test("a cancelled call is told to the server and to nobody else", () =>
  onConnection(async (connection, failures, server) => {
    const stream = connection.open(chatPath, { message: () => assert.fail(), end: () => assert.fail() });
    stream.cancel();
    assert.equal(connection.openCalls, 0);
    assert.equal((await failures.during(echo(connection, Buffer.from("after")))).toString(), "after");
    assert.equal(server.held.length, 0);
  }));

test("more calls than the server allows are refused here", () =>
  onConnection(
    async (connection) => {
      for (let number = 0; number < 3; number++) connection.unary(holdPath, Buffer.alloc(0), quiet);
      assert.throws(() => connection.unary(holdPath, Buffer.alloc(0), quiet), /allows 3 calls/);
    },
    { streamsPerConnectionMax: 3 },
  ));
