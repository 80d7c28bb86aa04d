/** F11: the wall clock has no say in how time passes for leases and timeouts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemEnvironment } from "./environment.js";

const dayMs = 24 * 60 * 60 * 1_000;

test("F11: the clock of leases and timeouts does not move with the wall clock, years forward or back", (t) => {
  const environment = systemEnvironment();
  const startMs = environment.nowMs();
  t.mock.timers.enable({ apis: ["Date"], now: Date.now() });
  for (const jumpMs of [dayMs, 3_650 * dayMs, -7_300 * dayMs]) {
    const before = environment.nowMs();
    const wallMs = Math.max(0, Date.now() + jumpMs);
    t.mock.timers.setTime(wallMs);
    assert.equal(Date.now(), wallMs);
    const movedMs = environment.nowMs() - before;
    assert.ok(movedMs >= 0 && movedMs < dayMs / 2, `${movedMs} ms`);
  }
  assert.ok(environment.nowMs() - startMs < dayMs / 2);
});
