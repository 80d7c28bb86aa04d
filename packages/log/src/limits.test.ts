import assert from "node:assert/strict";
import { test } from "node:test";
import { checkedLimits, DEFAULT_LOG_LIMITS, ENTRY_BYTES_LIMIT, type LogLimits } from "./limits.js";

test("limits: the defaults hold together, and single ones can be replaced", () => {
  assert.deepEqual(checkedLimits(), DEFAULT_LOG_LIMITS);
  assert.equal(checkedLimits({ entryBytesMax: ENTRY_BYTES_LIMIT }).entryBytesMax, ENTRY_BYTES_LIMIT);
});

const WRONG: readonly Partial<LogLimits>[] = [
  { entryBytesMax: 0 },
  { entryBytesMax: 1.5 },
  { entryBytesMax: ENTRY_BYTES_LIMIT + 1 },
  { readSliceBytes: -1 },
  { segmentBytesFirst: 4096, segmentBytesMax: 2048 },
  { segmentBytesMax: 2 ** 32 },
  { snapshotChunkBytesMax: 2 ** 31 },
  { settleDelayFirstMs: 20, settleDelayMaxMs: 10 },
];

for (const limits of WRONG) {
  test(`limits: ${JSON.stringify(limits)} is refused`, () => {
    assert.throws(() => checkedLimits(limits), RangeError);
  });
}
