import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { MemoryGrant } from "../http2/byte-collector.js";
import { message } from "../testing/raw-frames.js";
import { type MessageListener, MessageReader } from "./message-reader.js";

class Recorder implements MessageListener, MemoryGrant {
  readonly messages: string[] = [];
  refused = "";
  held = 0;
  heldMax: number;

  constructor(heldMax = Number.POSITIVE_INFINITY) {
    this.heldMax = heldMax;
  }

  message(bytes: Buffer, flag: number): boolean {
    this.messages.push(`${flag}:${bytes.toString("hex")}`);
    return true;
  }

  tooLarge(declaredBytes: number): void {
    this.refused = `too large: ${declaredBytes}`;
  }

  tooMuchBuffered(): void {
    this.refused = "too much buffered";
  }

  reserve(byteCount: number): boolean {
    if (!this.hasRoom(byteCount)) return false;
    this.held += byteCount;
    return true;
  }

  hasRoom(byteCount: number): boolean {
    return this.held + byteCount <= this.heldMax;
  }

  release(byteCount: number): void {
    this.held -= byteCount;
  }
}

test("messages are the same however the body is cut, and nothing stays held", () => {
  const bodies = fc.array(fc.uint8Array({ maxLength: 5_000 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(bodies, fc.array(fc.nat({ max: 30_000 }), { maxLength: 20 }), (sent, cuts) => {
      const recorder = new Recorder();
      const reader = new MessageReader(recorder, recorder, 10_000);
      const body = Buffer.concat(sent.map((bytes) => message(bytes)));
      const ends = [...cuts.filter((at) => at < body.length).sort((a, b) => a - b), body.length];
      let start = 0;
      for (const end of ends) {
        reader.feed(Buffer.from(body.subarray(start, end)), 0, end - start);
        start = end;
      }
      assert.deepEqual(
        recorder.messages,
        sent.map((bytes) => `0:${Buffer.from(bytes).toString("hex")}`),
      );
      assert.equal(reader.midMessage, false);
      assert.equal(recorder.held, 0);
    }),
  );
});

test("F44, LIMIT messageBytesMax: a message is refused on its declared length, before anything is kept", () => {
  const recorder = new Recorder();
  const reader = new MessageReader(recorder, recorder, 1_000);
  reader.feed(Buffer.from([0, 0, 0, 0x03, 0xe9, 1, 2, 3]), 0, 8);
  assert.equal(recorder.refused, "too large: 1001");
  assert.equal(recorder.held, 0);
  reader.feed(message("later"), 0, 10);
  assert.deepEqual(recorder.messages, []);
});

test("F44: memory follows the bytes that came, not the length that was declared", () => {
  const recorder = new Recorder();
  const reader = new MessageReader(recorder, recorder, 1 << 21);
  reader.feed(Buffer.from([0, 0, 0x20, 0, 0, 9]), 0, 6);
  assert.equal(reader.midMessage, true);
  assert.ok(recorder.held <= 1_024, String(recorder.held));
  reader.feed(Buffer.alloc(5_000), 0, 5_000);
  assert.ok(recorder.held <= 8 * 5_001, String(recorder.held));
  reader.stop();
  assert.equal(recorder.held, 0);
});

test("F16: where memory is short, a message takes no more than came of it", () => {
  const recorder = new Recorder(10_000);
  const reader = new MessageReader(recorder, recorder, 1 << 21);
  const body = message(Buffer.alloc(10_000, 7));
  for (let at = 0; at < body.length; at += 3_000) reader.feed(body, at, Math.min(body.length, at + 3_000));
  assert.deepEqual([recorder.refused, recorder.messages.length, recorder.held], ["", 1, 0]);
});

test("F16: a message that may not be held is refused", () => {
  const recorder = new Recorder(4_000);
  const reader = new MessageReader(recorder, recorder, 1 << 21);
  const body = message(Buffer.alloc(10_000));
  reader.feed(body, 0, 3_000);
  assert.equal(recorder.refused, "");
  reader.feed(body, 3_000, 6_000);
  assert.equal(recorder.refused, "too much buffered");
  assert.equal(recorder.held, 0);
});
