import assert from "node:assert/strict";
import { test } from "node:test";
import { BYTES, CLOSED, CREDIT, RecordWriter, readRecords } from "./records.js";

type Seen = [kind: number, connection: number, bytes: string];

/** A writer whose turns end when told so, and what has been sent. */
function writer() {
  const messages: ArrayBuffer[] = [];
  const flushes: Array<() => void> = [];
  const out = new RecordWriter(
    (message) => messages.push(message),
    (flush) => flushes.push(flush),
  );
  const endTurn = (): void => {
    for (const flush of flushes.splice(0)) flush();
  };
  return { out, messages, endTurn, flushes };
}

function read(message: ArrayBuffer): Seen[] {
  const seen: Seen[] = [];
  readRecords(message, {
    record: (kind, connection, bytes) => seen.push([kind, connection, bytes.toString("latin1")]),
  });
  return seen;
}

test("the records of a turn leave in one message, in order", () => {
  const { out, messages, endTurn, flushes } = writer();
  out.add(BYTES, 7, Buffer.from("abc"));
  out.addCredit(4_000_000_000, 258);
  out.add(CLOSED, 0);
  assert.equal(flushes.length, 1);
  endTurn();
  assert.equal(messages.length, 1);
  assert.deepEqual(read(messages[0] as ArrayBuffer), [
    [BYTES, 7, "abc"],
    [CREDIT, 4_000_000_000, "\x02\x01\0\0"],
    [CLOSED, 0, ""],
  ]);
});

test("a record of any size fits, and what was sent is not written to again", () => {
  const { out, messages, endTurn } = writer();
  const sizes = [0, 1, 70_000, 3_000_000, 5];
  for (const size of sizes) out.add(BYTES, size, Buffer.alloc(size, 1));
  endTurn();
  const before = messages.splice(0).flatMap(read);
  out.add(BYTES, 1, Buffer.alloc(100, 2));
  endTurn();
  assert.deepEqual(
    before.map(([, connection, bytes]) => [connection, bytes.length]),
    sizes.map((size) => [size, size]),
  );
  assert.ok(before.every(([, , bytes]) => !bytes.includes("\x02")));
  assert.deepEqual(messages.flatMap(read), [[BYTES, 1, "\x02".repeat(100)]]);
});

test("what a turn brings is not kept together: a message is 64 KiB or one record", () => {
  const { out, messages, endTurn, flushes } = writer();
  for (let connection = 1; connection <= 100; connection++) out.add(BYTES, connection, Buffer.alloc(10_000));
  assert.ok(messages.length > 10);
  assert.equal(flushes.length, 1);
  endTurn();
  assert.ok(messages.every(({ byteLength }) => byteLength <= 64 * 1024));
  assert.deepEqual(
    messages.flatMap(read).map(([, connection]) => connection),
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
  endTurn();
  assert.equal(messages.flatMap(read).length, 100);
});
