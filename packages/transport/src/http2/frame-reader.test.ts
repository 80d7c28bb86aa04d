import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { data, frame, headers, ping, reset, settings, Type, windowUpdate } from "../testing/raw-frames.js";
import { ConnectionError } from "./errors.js";
import { FrameReader, type FrameSink } from "./frame-reader.js";

/** Writes down each frame as text. */
class Recorder implements FrameSink {
  readonly seen: string[] = [];
  readonly stopAfter: number;

  constructor(stopAfter = Number.POSITIVE_INFINITY) {
    this.stopAfter = stopAfter;
  }

  frame(type: number, flags: number, streamId: number, bytes: Buffer, start: number, end: number): boolean {
    this.seen.push(`${type} ${flags} ${streamId} ${bytes.subarray(start, end).toString("hex")}`);
    return this.seen.length < this.stopAfter;
  }
}

function readInPieces(bytes: Buffer, ends: Iterable<number>): string[] {
  const recorder = new Recorder();
  const reader = new FrameReader(recorder);
  let start = 0;
  for (const end of ends) {
    reader.feed(Buffer.from(bytes.subarray(start, end)), 0, 0);
    start = end;
  }
  return recorder.seen;
}

const CONVERSATION = Buffer.concat([
  settings([3, 100], [4, 65_535]),
  headers(1, [[":method", "POST"]]),
  data(1, Buffer.alloc(16_384, 7)),
  data(1, Buffer.alloc(0), 1),
  ping("12345678"),
  frame(0xfa, 0xff, 0x7fffffff, Buffer.from("unknown")),
  windowUpdate(0, 1),
  reset(1, 8),
]);

test("frames fed one byte at a time are the frames of the whole", () => {
  const whole = readInPieces(CONVERSATION, [CONVERSATION.length]);
  const bytewise = readInPieces(
    CONVERSATION,
    Array.from(CONVERSATION, (_, at) => at + 1),
  );
  assert.equal(whole.length, 8);
  assert.deepEqual(bytewise, whole);
});

test("frames cut anywhere are the frames of the whole", () => {
  const whole = readInPieces(CONVERSATION, [CONVERSATION.length]);
  const cut = fc.uniqueArray(fc.integer({ min: 1, max: CONVERSATION.length - 1 }), { maxLength: 40 });
  fc.assert(
    fc.property(cut, (cuts) => {
      const ends = [...cuts.sort((a, b) => a - b), CONVERSATION.length];
      assert.deepEqual(readInPieces(CONVERSATION, ends), whole);
    }),
  );
});

test("RFC 9113 4.2: a frame above 16,384 bytes is refused by its header alone", () => {
  const reader = new FrameReader(new Recorder());
  const head = Buffer.from([0, 0x40, 1, Type.data, 0, 0, 0, 0, 1]);
  assert.throws(
    () => reader.feed(head, 0, 0),
    (error: unknown) => error instanceof ConnectionError && error.code === 6,
  );
});

test("once the sink says that the connection is over, the rest of the chunk is ignored", () => {
  const recorder = new Recorder(2);
  new FrameReader(recorder).feed(CONVERSATION, 0, 0);
  assert.equal(recorder.seen.length, 2);
});

test("nothing is read after the reader was stopped", () => {
  const recorder = new Recorder(2);
  const reader = new FrameReader(recorder);
  reader.feed(CONVERSATION, 0, 0);
  reader.stop();
  reader.feed(CONVERSATION, 0, 0);
  assert.equal(recorder.seen.length, 2);
});

test("F26: an unfinished header frame is known with the time it began, other frames are not", () => {
  const reader = new FrameReader(new Recorder());
  const block = headers(1, [["name", "value"]]);
  reader.feed(block.subarray(0, 5), 0, 70);
  assert.equal(reader.headersPendingSinceMs, 70, "too short to tell");
  reader.feed(block.subarray(5, 12), 0, 80);
  assert.equal(reader.headersPendingSinceMs, 70);
  reader.feed(block.subarray(12), 0, 90);
  assert.equal(reader.headersPendingSinceMs, undefined);
  const other = new FrameReader(new Recorder());
  other.feed(data(1, Buffer.alloc(10)).subarray(0, 12), 0, 70);
  assert.equal(other.headersPendingSinceMs, undefined);
});
