import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pino } from "pino";
import { startServer } from "../start-server.js";
import { temporaryFolder } from "../testing/temporary-folder.js";

const listen = "127.0.0.1:0";
const posix = { skip: process.platform === "win32" ? "modes say nothing here" : false };

/** Serves from `dataDir` for a moment; what was warned of. */
async function warningsOf(dataDir: string): Promise<readonly string[]> {
  const lines: string[] = [];
  const logger = pino({ level: "warn", base: null }, { write: (line: string) => lines.push(line) });
  await (await startServer({ listen, dataDir, logger })).close();
  return lines;
}

function modesIn(folder: string): readonly number[] {
  return readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777);
}

test("F50: a data folder that is made here is its owner's alone, and so is every file in it", posix, async () => {
  const dataDir = join(temporaryFolder(), "made", "here");
  assert.deepEqual(await warningsOf(dataDir), []);
  assert.equal(statSync(dataDir).mode & 0o777, 0o700);
  assert.deepEqual([...new Set(modesIn(dataDir))], [0o600]);
});

test("F50: a wider mode of a folder that was there is left as it is, and the operator told", posix, async () => {
  const dataDir = join(temporaryFolder(), "wide");
  mkdirSync(dataDir);
  chmodSync(dataDir, 0o750);
  const warnings = await warningsOf(dataDir);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? "", /"mode":"0750".*others can look into the data folder/);
  assert.equal(statSync(dataDir).mode & 0o777, 0o750);
  assert.deepEqual([...new Set(modesIn(dataDir))], [0o600]);
});

test("F50: files that others can reach and read are named", posix, async () => {
  const dataDir = join(temporaryFolder(), "open");
  await warningsOf(dataDir);
  const [file = ""] = readdirSync(dataDir).filter((name) => name.startsWith("log-"));
  chmodSync(join(dataDir, file), 0o644);
  assert.deepEqual(await warningsOf(dataDir), []);
  chmodSync(dataDir, 0o755);
  assert.match((await warningsOf(dataDir))[1] ?? "", new RegExp(`"files":\\["${file}"\\],"count":1`));
});
