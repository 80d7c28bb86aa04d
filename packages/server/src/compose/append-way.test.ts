/** What a server tells of the way its appends take. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createLogger } from "../logger.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { start } from "../testing/test-server.js";

async function pageOfMetrics(address: string): Promise<string> {
  return (await fetch(`http://${address}/metrics`)).text();
}

// Whether a file system takes direct writes is for it to say.
for (const [ownsProcess, ways] of [
  [false, ["cached"]],
  [true, ["direct", "cached"]],
] as const) {
  test(`one line at the start, and a metric, say how appends become durable: ${ways.join(" or ")}`, async (t) => {
    const folder = temporaryFolder();
    const file = join(folder, "lines");
    const logger = createLogger("info", "json", [file]);
    const { server } = await start(t, { dataDir: join(folder, "data"), ownsProcess, logger });
    const lines = readFileSync(file, "utf8").trim().split("\n");
    const said = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === "log opened");
    assert.equal(said.length, 1);
    assert.ok(ways.includes(said[0].appends), said[0].appends);
    const page = await pageOfMetrics(server.running.addresses[0] as string);
    assert.ok(page.includes(`holdfast_log_append_way{way="${said[0].appends}"} 1`), said[0].appends);
  });
}

test("a server that keeps its data in memory says nothing of appends", async (t) => {
  const file = join(temporaryFolder(), "lines");
  const { server } = await start(t, { logger: createLogger("info", "json", [file]) });
  assert.ok(!readFileSync(file, "utf8").includes("log opened"));
  assert.ok(!(await pageOfMetrics(server.running.addresses[0] as string)).includes("append_way"));
});
