import assert from "node:assert/strict";
import { test } from "node:test";
import { growthPercent } from "./heap-growth.js";

const MiB = 1024 * 1024;

test("64 MiB of garbage have room however little is in use, and V8's own measure holds once that leaves as much", () => {
  for (const usedMiB of [1, 9, 20, 40, 63]) {
    const roomMiB = (usedMiB * growthPercent(usedMiB * MiB)) / 100;
    assert.ok(roomMiB <= 64 && roomMiB > 64 - usedMiB / 2, `${roomMiB} MiB of room with ${usedMiB} in use`);
  }
  for (const usedMiB of [65, 200, 4_000]) assert.equal(growthPercent(usedMiB * MiB), 0);
});
