/** F17: whatever throws where nothing should, the server stops at once, says why, and exits with a code of its own. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { exitCodes } from "./exit-codes.js";
import { spawnCommand } from "./testing/command.js";

/** Runs in the server's process before it starts: the signal is the bug. */
function planted(bug: string): string[] {
  return ["--import", `data:text/javascript,process.on("SIGUSR2", () => { ${encodeURIComponent(bug)} })`];
}

const bugs = {
  "an exception nobody catches": 'throw new TypeError("planted");',
  "a rejected promise nobody awaits": 'Promise.reject(new TypeError("planted"));',
  "a throw that is no error": 'throw "planted";',
};

for (const [name, bug] of Object.entries(bugs)) {
  test(`F17: ${name} stops the server at once, with a line and an exit code of its own`, {
    skip: process.platform === "win32" ? "needs signals" : false,
  }, async (t) => {
    const args = ["serve", "--listen", "127.0.0.1:0", "--in-memory", "--log-format", "json"];
    const child = spawnCommand(args, planted(bug));
    t.after(() => child.kill("SIGKILL"));
    const ended = once(child, "close");
    const said: { level: number; msg: string; err?: unknown }[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      said.push(JSON.parse(line) as (typeof said)[number]);
      if (said.at(-1)?.msg === "ready") child.kill("SIGUSR2");
    }
    assert.deepEqual(await ended, [exitCodes.bug, null]);
    const last = said.at(-1);
    assert.deepEqual([last?.level, last?.msg], [60, "unexpected error, stopping"]);
    assert.match(JSON.stringify(last), /planted/);
  });
}
