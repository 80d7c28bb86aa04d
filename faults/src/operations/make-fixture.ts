/**
 * Makes the kept data folder of the present format: `node faults/dist/operations/make-fixture.js NAME`, once for each release
 * that changes the format. Writes faults/fixtures/NAME.tar.gz and NAME.json.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Client } from "../client.js";
import { mustRun } from "../processes.js";
import { ServerProcess } from "../server-process.js";
import { describeContent, writeContent } from "./fixture-content.js";

async function make(name: string): Promise<void> {
  const fixtures = fileURLToPath(new URL("../../fixtures", import.meta.url));
  mkdirSync(fixtures, { recursive: true });
  const folder = mkdtempSync(join(tmpdir(), "holdfast-fixture-"));
  const server = await ServerProcess.start({ dataDir: join(folder, "data") });
  const client = await Client.connect(server.endpoint);
  await writeContent(client);
  writeFileSync(join(fixtures, `${name}.json`), `${JSON.stringify(await describeContent(client), undefined, 1)}\n`);
  client.destroy();
  // As a crash leaves it: the harder case for whoever opens it.
  await server.kill();
  await mustRun("tar", "-C", folder, "-czf", join(fixtures, `${name}.tar.gz`), "data");
  rmSync(folder, { recursive: true });
}

const [name] = process.argv.slice(2);
if (name === undefined) throw new Error("usage: node make-fixture.js NAME");
await make(name);
