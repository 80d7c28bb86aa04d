/** What arrives on a socket is handed on whole and in order, also when somebody pauses it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { type TestContext, test } from "node:test";
import { readSocket } from "./socket-reader.js";

/** Both ends of a connection through the loopback device. */
async function socketPair(t: TestContext): Promise<[ours: Socket, theirs: Socket]> {
  const listener = createServer().listen(0, "127.0.0.1");
  await once(listener, "listening");
  const theirs = connect((listener.address() as AddressInfo).port, "127.0.0.1");
  const [ours] = (await once(listener, "connection")) as [Socket];
  t.after(() => {
    for (const socket of [ours, theirs]) socket.destroy();
    listener.close();
  });
  return [ours, theirs];
}

/** Writes numbered lines until `count` were written, waiting for the other end to take them. */
async function writeLines(socket: Socket, count: number): Promise<void> {
  for (let n = 0; n < count; n++) if (!socket.write(`${n}\n`.padStart(500, "0"))) await once(socket, "drain");
  socket.end();
}

function assertLines(text: string, count: number): void {
  const lines = text.trimEnd().split("\n").map(Number);
  assert.equal(lines.length, count);
  for (const [at, line] of lines.entries()) assert.equal(line, at);
}

test("chunks come in order, through pauses, and the end behind them", async (t) => {
  const [ours, theirs] = await socketPair(t);
  let text = "";
  let chunks = 0;
  let arrivedWhilePaused = 0;
  readSocket(ours, (chunk) => {
    if (ours.isPaused()) arrivedWhilePaused++;
    text += chunk.toString("latin1");
    if (++chunks % 3 !== 0) return;
    ours.pause();
    setTimeout(() => ours.resume(), 1);
  });
  const ended = once(ours, "end");
  await Promise.all([writeLines(theirs, 20_000), ended]);
  assertLines(text, 20_000);
  assert.equal(arrivedWhilePaused, 0);
});

test("a peer waits while its socket is paused", async (t) => {
  const [ours, theirs] = await socketPair(t);
  let received = 0;
  let firstArrived = (): void => {};
  const first = new Promise<void>((resolve) => {
    firstArrived = resolve;
  });
  readSocket(ours, (chunk) => {
    received += chunk.length;
    if (received === chunk.length) ours.pause();
    firstArrived();
  });
  // More than the system and the stream take in between.
  const bytes = 64 * 1024 * 1024;
  const taken = new Promise((resolve) => theirs.end(Buffer.alloc(bytes), () => resolve(undefined)));
  await first;
  const before = received;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(received, before);
  assert.ok(ours.readableLength <= 2 * 64 * 1024);
  const ended = once(ours, "end");
  ours.resume();
  await Promise.all([taken, ended]);
  assert.equal(received, bytes);
});

test("a stream that is no socket is read by its events", async () => {
  const chunks = ["one", "two", "three"];
  const stream = new Duplex({
    read() {
      this.push(chunks.shift() ?? null);
    },
    write: (_chunk, _encoding, done) => done(),
  });
  let text = "";
  readSocket(stream, (chunk) => {
    text += chunk.toString("latin1");
  });
  await once(stream, "end");
  assert.equal(text, "onetwothree");
});
