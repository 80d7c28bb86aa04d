import assert from "node:assert/strict";
import { test } from "node:test";
import { importLimits } from "./limits.js";
import { counted, Progress } from "./progress.js";

function run(isTTY: boolean, steps: (progress: Progress, wait: (ms: number) => void) => void): string {
  let now = 0;
  let written = "";
  const output = {
    isTTY,
    write: (text: string) => {
      written += text;
    },
  };
  steps(new Progress(output, () => now), (ms) => {
    now += ms;
  });
  return written;
}

test("on a terminal one line changes, and goes away", () => {
  const written = run(true, (progress, wait) => {
    progress.show(() => assert.fail("too soon"));
    wait(importLimits.progressDrawMs);
    progress.show(() => "1 key");
    progress.show(() => assert.fail("too soon"));
    wait(importLimits.progressDrawMs);
    progress.show(() => "2 keys");
    progress.line("beginning anew");
    progress.clear();
  });
  assert.equal(written, "\r1 key\x1b[K\r2 keys\x1b[K\r\x1b[Kbeginning anew\n");
});

test("elsewhere a line comes every few seconds", () => {
  const written = run(false, (progress, wait) => {
    wait(importLimits.progressDrawMs);
    progress.show(() => assert.fail("too soon"));
    wait(importLimits.progressLineMs);
    progress.show(() => "2 keys");
    progress.clear();
  });
  assert.equal(written, "2 keys\n");
});

test("numbers are grouped, nouns counted", () => {
  assert.deepEqual(
    [0, 1, 999, 1_000, 1_234_567].map((n) => counted(n, "key")),
    ["0 keys", "1 key", "999 keys", "1,000 keys", "1,234,567 keys"],
  );
});
