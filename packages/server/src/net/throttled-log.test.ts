import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "../logger.js";
import { ThrottledLog } from "./throttled-log.js";

test("a line is written once per interval and kind, and says how many were left out", () => {
  const lines: Array<[object, string]> = [];
  const logger = silentLogger();
  logger.warn = (fields: object, message?: string) => lines.push([fields, message ?? ""]);
  logger.error = logger.warn;
  let nowMs = 0;
  const log = new ThrottledLog(logger, () => nowMs, 1_000);
  log.warn({ n: 1 }, "a");
  log.warn({ n: 2 }, "a");
  log.error({ n: 3 }, "b");
  nowMs = 999;
  log.warn({ n: 4 }, "a");
  nowMs = 1_000;
  log.warn({ n: 5 }, "a");
  nowMs = 2_000;
  log.warn({ n: 6 }, "a");
  assert.deepEqual(lines, [
    [{ n: 1 }, "a"],
    [{ n: 3 }, "b"],
    [{ n: 5, suppressed: 2 }, "a"],
    [{ n: 6 }, "a"],
  ]);
});
