/** F63: data folders of earlier formats, kept in `fixtures/`, open in this version and hold what they held. */
import assert from "node:assert/strict";
import { readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { byteStringFromText, kvService } from "@holdfast/protocol";
import { Client } from "../client.js";
import { missingProgram, mustRun } from "../processes.js";
import type { Scenario } from "../scenario.js";
import { ServerProcess } from "../server-process.js";
import { describeContent } from "./fixture-content.js";

const fixtures = fileURLToPath(new URL("../../fixtures", import.meta.url));

export const upgrade: Scenario = {
  title:
    "F63, I10: data folders of every released format open, hold what they held, and take writes that outlive a restart",
  secondsMax: 60,
  missing: () => missingProgram("tar", "gzip"),
  run: async (context) => {
    const names = (await readdir(fixtures)).filter((name) => name.endsWith(".tar.gz"));
    assert(names.length > 0, "there are no fixtures");
    for (const archive of names) {
      const name = archive.replace(/\.tar\.gz$/, "");
      const dataDir = join(context.folder, name);
      await mustRun("tar", "-C", context.folder, "-xzf", join(fixtures, archive));
      await rename(join(context.folder, "data"), dataDir);
      const expected: unknown = JSON.parse(await readFile(join(fixtures, `${name}.json`), "utf8"));
      const server = await ServerProcess.start({ dataDir }, context);
      const client = await Client.connect(server.endpoint);
      assert.deepEqual(await describeContent(client), expected, name);
      await client.must(kvService.methods.put, { key: byteStringFromText("new"), value: Buffer.from("new") });
      const after = await describeContent(client);
      await server.kill();
      const again = await ServerProcess.start({ dataDir }, context);
      assert.deepEqual(await describeContent(await Client.connect(again.endpoint)), after, `${name}, after a write`);
      await again.kill();
      context.note(`${name}: as it was`);
    }
  },
};
