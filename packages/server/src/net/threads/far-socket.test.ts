import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { FarSocket } from "./far-socket.js";
import { BYTES, CLOSED, CREDIT, ENDED, RecordWriter, readRecords } from "./records.js";

interface Sent {
  readonly kind: number;
  readonly bytes: Buffer;
}

/** A far socket, and what it has sent so far. */
function farSocket(): { socket: FarSocket; sent: (kind: number) => Sent[] } {
  const records: Sent[] = [];
  const flushes: Array<() => void> = [];
  const out = new RecordWriter(
    (message) => readRecords(message, { record: (kind, _connection, bytes) => records.push({ kind, bytes }) }),
    (flush) => flushes.push(flush),
  );
  const socket = new FarSocket(3, { address: "10.0.0.1", port: 5 }, out);
  const sent = (kind: number): Sent[] => {
    for (const flush of flushes.splice(0)) flush();
    return records.filter((record) => record.kind === kind);
  };
  return { socket, sent };
}

function total(sent: readonly Sent[]): number {
  return sent.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

test("a small write has left when the call returns, from a buffer that may be used again", () => {
  const { socket, sent } = farSocket();
  const buffer = Buffer.from("abc");
  socket.write(buffer);
  assert.equal(socket.writableLength, 0);
  buffer.fill(0);
  assert.deepEqual(
    sent(BYTES).map(({ bytes }) => bytes.toString()),
    ["abc"],
  );
});

test("what cannot be written at once is not written at all", () => {
  const { socket, sent } = farSocket();
  assert.equal(socket.writeAtOnce(Buffer.alloc(30_000)), true);
  assert.equal(socket.writeAtOnce(Buffer.alloc(3_000)), false);
  assert.equal(total(sent(BYTES)), 30_000);
  socket.write(Buffer.alloc(3_000));
  assert.equal(socket.writeAtOnce(Buffer.alloc(1)), false, "it would overtake what waits");
  socket.credited(30_000);
  assert.equal(socket.writeAtOnce(Buffer.alloc(1)), true);
  assert.equal(total(sent(BYTES)), 33_001);
  socket.end();
  assert.equal(socket.writeAtOnce(Buffer.alloc(1)), false);
});

test("no more than 32 KiB are under way to a client that takes nothing; the rest follows credit, in order", () => {
  const { socket, sent } = farSocket();
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, n) => n % 251));
  socket.write(bytes.subarray(0, 90_000));
  socket.write(bytes.subarray(90_000));
  assert.equal(total(sent(BYTES)), 32_768);
  assert.equal(socket.writableLength, 100_000);
  for (let credited = 0; credited < 96_000; credited += 8_000) {
    socket.credited(8_000);
    assert.ok(total(sent(BYTES)) <= credited + 8_000 + 32_768);
  }
  assert.deepEqual(Buffer.concat(sent(BYTES).map((record) => record.bytes)), bytes);
  assert.equal(socket.writableLength, 0);
});

test("what is read is credited, and what waits in a paused stream is not", async () => {
  const { socket, sent } = farSocket();
  socket.pause();
  for (let n = 0; n < 10; n++) socket.received(Buffer.alloc(16_384, n));
  const early = sent(CREDIT).reduce((sum, { bytes }) => sum + bytes.readUInt32LE(), 0);
  assert.ok(early <= 65_536, `${early} credited`);
  let length = 0;
  await new Promise<void>((resolve) => {
    socket.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length === 163_840) setImmediate(resolve);
    });
    socket.resume();
  });
  const credited = sent(CREDIT).reduce((sum, { bytes }) => sum + bytes.readUInt32LE(), 0);
  assert.ok(credited > 163_840 - 8_192, `${credited} credited`);
});

test("the end waits until all has left; only then is the connection given up", async () => {
  const { socket, sent } = farSocket();
  socket.resume();
  socket.end("last");
  socket.ended();
  await once(socket, "end");
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(sent(ENDED).length, 1);
  assert.equal(sent(CLOSED).length, 0);
  socket.finished();
  await once(socket, "close");
  assert.equal(sent(CLOSED).length, 1);
});

test("a connection that is gone is not closed again", async () => {
  const { socket, sent } = farSocket();
  socket.gone();
  await once(socket, "close");
  assert.equal(sent(CLOSED).length, 0);
});
