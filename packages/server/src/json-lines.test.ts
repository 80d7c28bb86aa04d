import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pino } from "pino";
import { jsonLogger, LineFile, type Logger, silentLogger } from "./json-lines.js";
import { temporaryFolder } from "./testing/temporary-folder.js";

const errorOf = (error: unknown): unknown => ({ message: (error as Error).message });

/** What is said to a logger, in every form. */
function sayEverything(logger: Logger): void {
  logger.debug("too little to be written");
  logger.info({ address: "127.0.0.1:1", count: 3, missing: undefined, list: ["a", { b: 1 }] }, 'a "message"\n');
  logger.warn("a message alone");
  logger.error({ err: new Error("why") }, "failed");
  logger.fatal({ dataDir: "/\u0001é" });
}

const withoutTime = (line: string): string => line.replace(/"time":"[^"]*"/, '"time":""');

test("lines are those that pino writes", () => {
  const ours: string[] = [];
  const pinos: string[] = [];
  sayEverything(jsonLogger("info", errorOf, (line) => ours.push(line)));
  const options = {
    level: "info",
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: errorOf },
  };
  sayEverything(pino(options, { write: (line: string) => pinos.push(line) }));
  assert.equal(ours.length, 4);
  assert.deepEqual(ours.map(withoutTime), pinos.map(withoutTime));
  const { time } = JSON.parse(ours[0] ?? "") as { time: string };
  assert.equal(new Date(time).toISOString(), time);
});

test("numbers of any size are written as text, and nothing at all where that was asked for", () => {
  const lines: string[] = [];
  jsonLogger("debug", errorOf, (line) => lines.push(line)).debug({ leaseId: 2n ** 63n });
  assert.match(lines.join(""), /"leaseId":"9223372036854775808"/);
  sayEverything(jsonLogger("silent", errorOf, assert.fail));
  sayEverything(silentLogger());
});

test("a line that cannot be written is lost, and nothing else happens", () => {
  const full = new LineFile("/dev/full", 0o600);
  assert.doesNotThrow(() => full.write("line\n"));
  assert.throws(() => new LineFile(join(temporaryFolder(), "missing", "file"), 0o600), { code: "ENOENT" });
});

test("lines follow one another, also to a reader who takes his time", () => {
  const folder = temporaryFolder();
  const file = new LineFile(join(folder, "lines"), 0o600);
  for (const line of ["one\n", "two é\n"]) file.write(line);
  assert.equal(readFileSync(join(folder, "lines"), "utf8"), "one\ntwo é\n");
  // Node.js makes a pipe refuse what does not fit once its own stream has been looked at.
  const script = `import { LineFile } from ${JSON.stringify(new URL("./json-lines.js", import.meta.url).href)};
    process.stdout;
    const file = new LineFile(1, 0o600);
    for (let n = 0; n < 50; n++) file.write("x".repeat(9_999) + "\\n");`;
  const reader = spawnSync("sh", [
    "-c",
    '"$0" --input-type=module -e "$1" | { sleep 0.3; wc -lc; }',
    process.execPath,
    script,
  ]);
  assert.deepEqual(reader.stdout.toString().trim().split(/\s+/), ["50", "500000"]);
});
