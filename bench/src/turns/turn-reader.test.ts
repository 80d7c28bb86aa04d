import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { TurnReader } from "./turn-reader.js";

/** Keeps its loop once for 300 ms of processor time, after a while in which the probe has begun. */
const busyProgram = `
  setTimeout(() => {
    const usedMs = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
    const until = usedMs() + 300;
    while (usedMs() < until);
    setTimeout(() => console.log("done", ...process.argv.slice(2)), 20);
  }, 50);
  setInterval(() => {}, 1000);
`;

test("the longest turn since the last question is told, and asking begins anew", async () => {
  const turns = new TurnReader();
  const { nodeArgs = [], environment } = turns.startOptions;
  const folder = mkdtempSync(join(tmpdir(), "busy-"));
  const script = join(folder, "busy.mjs");
  writeFileSync(script, busyProgram);
  const child = spawn(process.execPath, [...nodeArgs, script, "argument"], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [said] = await once(child.stdout, "data");
    assert.equal(String(said), "done argument\n", "the script has its own arguments");
    const longest = (await turns.longestTurnMs()) ?? 0;
    assert.ok(longest >= 200, `a turn of 300 ms was told as ${longest} ms`);
    const since = await turns.longestTurnMs();
    assert.ok(since !== undefined && since < longest);
  } finally {
    child.kill("SIGKILL");
    turns.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a server without the probe has no turns to tell of", async () => {
  const turns = new TurnReader();
  assert.equal(await turns.longestTurnMs(), undefined);
  turns.close();
});
