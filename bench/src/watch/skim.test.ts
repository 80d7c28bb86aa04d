import assert from "node:assert/strict";
import { test } from "node:test";
import { byteStringFromText, createWatchResponse, type WatchResponse, watchResponseCodec } from "@holdfast/protocol";
import { newSkimmed, type Skimmed, skimWatchResponse } from "./skim.js";

function skim(fields: Partial<WatchResponse>): Skimmed {
  const header = { clusterId: 2n ** 64n - 1n, memberId: 2n ** 63n, revision: 2 ** 40, raftTerm: 3 };
  const bytes = watchResponseCodec.encode(createWatchResponse({ header, ...fields }));
  // As it comes: in the middle of a chunk.
  const chunk = Buffer.concat([Buffer.alloc(7, 0xff), bytes, Buffer.alloc(3, 0xff)]);
  const skimmed = newSkimmed();
  skimWatchResponse(chunk, 7, 7 + bytes.length, skimmed);
  return skimmed;
}

const event = (key: string) => ({
  type: 0,
  kv: {
    ...{ key: byteStringFromText(key), createRevision: 2, modRevision: 3, version: 2, lease: -1n },
    value: new Uint8Array(300),
  },
  prevKv: undefined,
});

test("events are counted, whatever they hold, and the watcher is told", () => {
  assert.deepEqual(skim({ watchId: 300n, events: [event("a"), event("b"), event("c")] }), {
    watchId: 300,
    events: 3,
    isCreated: false,
    isCanceled: false,
  });
});

test("control answers have no events", () => {
  assert.deepEqual(skim({ watchId: 1n, created: true }), { watchId: 1, events: 0, isCreated: true, isCanceled: false });
  const canceled = { watchId: 9n, canceled: true, compactRevision: 5, cancelReason: "permission denied" };
  assert.deepEqual(skim(canceled), { watchId: 9, events: 0, isCreated: false, isCanceled: true });
});

test("a message that is cut short, or no watch response, is refused", () => {
  const bytes = watchResponseCodec.encode(createWatchResponse({ watchId: 1n, events: [event("a")] }));
  assert.throws(() => skimWatchResponse(bytes, 0, bytes.length - 1, newSkimmed()), RangeError);
  assert.throws(() => skimWatchResponse(Uint8Array.of(0x0d, 0, 0, 0, 0), 0, 5, newSkimmed()), RangeError);
  assert.throws(() => skimWatchResponse(new Uint8Array(12).fill(0xff), 0, 12, newSkimmed()), RangeError);
});
