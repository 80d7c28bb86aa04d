/** The command as a user meets it: a real process, real signals, real exit codes. */
import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { exitCodes } from "./exit-codes.js";

const main = fileURLToPath(new URL("main.js", import.meta.url));
let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "holdfast-main-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: string[], nodeArgs: string[] = []): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [...nodeArgs, main, ...args], { env: { PATH: process.env.PATH } });
}

async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/** Starts a server on a free port and waits for the line that says it is ready. */
async function serving(
  args: string[],
  nodeArgs: string[] = [],
): Promise<{ child: ChildProcessWithoutNullStreams; address: string }> {
  const child = start(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", ...args], nodeArgs);
  for await (const line of createInterface({ input: child.stdout })) {
    const entry = JSON.parse(line) as { msg: string; address: string };
    if (entry.msg === "ready") return { child, address: entry.address };
  }
  throw new Error("ended before it was ready");
}

async function stop(child: ChildProcessWithoutNullStreams, signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
  child.kill(signal);
  const [code] = (await once(child, "close")) as [number | null];
  return code;
}

function oneLine(text: string, pattern: RegExp): void {
  assert.match(text, pattern);
  assert.equal(text.trim().split("\n").length, 1, text);
}

test("F8: what is loaded ahead of a server may keep Node.js' pool busy, so the log has a thread of its own", async () => {
  const preload = join(folder, "preload.cjs");
  writeFileSync(preload, 'process.on("worker", () => process.stderr.write("a thread\\n"));');
  const { child } = await serving(["--data-dir", join(folder, "preloaded")], ["--require", preload]);
  const stderr = child.stderr.toArray();
  assert.equal(await stop(child), 0);
  assert.equal(String(await stderr), "a thread\n");
});

test("--help shows every setting with its default, and the exit codes", async () => {
  const { code, stdout } = await ended(start(["serve", "--help"]));
  assert.equal(code, 0);
  for (const flag of ["--data-dir", "--listen", "--name", "--log-level", "--log-format", "--config", "--in-memory"]) {
    assert.ok(stdout.includes(flag), flag);
  }
  for (const text of ["127.0.0.1:2379", "holdfast-data", "HOLDFAST_LISTEN", "Exit codes"]) {
    assert.ok(stdout.includes(text), text);
  }
});

test("--version says the version", async () => {
  const { code, stdout } = await ended(start(["--version"]));
  assert.equal(code, 0);
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
});

test("an unknown flag, a wrong value and a bad address each give one line and the usage exit code", async () => {
  for (const [args, pattern] of [
    [["serve", "--data-dri", "x"], /^holdfast: unknown option '--data-dri'/],
    [["serve", "--log-level", "loud"], /^holdfast: .*--log-level.*loud/],
    [["serve", "--listen", "nowhere", "--in-memory"], /^holdfast: invalid address "nowhere"/],
    [["serve", "--config", join(folder, "none.yaml")], /^holdfast: config file .*none\.yaml/],
  ] as Array<[string[], RegExp]>) {
    const { code, stderr } = await ended(start(args));
    assert.equal(code, exitCodes.usage, stderr);
    assert.match(stderr, pattern);
  }
});

test("a taken port gives one line and its own exit code", async () => {
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as AddressInfo;
  const { code, stderr } = await ended(start(["serve", "--in-memory", "--listen", `127.0.0.1:${port}`]));
  taken.close();
  assert.equal(code, exitCodes.cannotListen);
  oneLine(stderr, new RegExp(`^holdfast: address 127\\.0\\.0\\.1:${port} is already in use`));
});

test("I12, I13: an etcd command line that would serve clear text to other machines is refused in one line that names the way out", async () => {
  const etcdLine = ["serve", "--in-memory", "--listen-client-urls", "http://0.0.0.0:0"];
  const { code, stderr } = await ended(start(etcdLine));
  assert.equal(code, exitCodes.usage);
  oneLine(
    stderr,
    /^holdfast: refusing to listen on 0\.0\.0\.0:0 in clear text.*https:.*--cert-file.*--allow-insecure-listen/,
  );
  const metrics = ["serve", "--in-memory", "--listen", "127.0.0.1:0", "--listen-metrics-urls", "http://0.0.0.0:0"];
  assert.equal((await ended(start(metrics))).code, exitCodes.usage);
  const { child } = await serving([
    "--in-memory",
    "--listen-client-urls",
    "http://0.0.0.0:0",
    "--allow-insecure-listen",
  ]);
  assert.equal(await stop(child), exitCodes.ok);
});

test("F9: the second server on one data folder refuses to start; the first serves on", async () => {
  const dataDir = join(folder, "shared");
  const first = await serving(["--data-dir", dataDir]);
  const { code, stderr } = await ended(start(["serve", "--listen", "127.0.0.1:0", "--data-dir", dataDir]));
  assert.equal(code, exitCodes.folderLocked);
  oneLine(stderr, /^holdfast: .*shared/);
  assert.equal(first.child.exitCode, null);
  assert.equal(await stop(first.child), exitCodes.ok);
});

test("F9: a data folder that is a file cannot be used", async () => {
  const file = join(folder, "a-file");
  writeFileSync(file, "");
  const { code, stderr } = await ended(start(["serve", "--listen", "127.0.0.1:0", "--data-dir", file]));
  assert.equal(code, exitCodes.folderUnreadable, stderr);
  oneLine(stderr, /^holdfast: .*a-file/);
});

test("F9: a data folder that may not be read cannot be used", {
  skip: process.getuid?.() === 0 && "root reads everything",
}, async () => {
  const dataDir = mkdtempSync(join(folder, "closed-"));
  chmodSync(dataDir, 0);
  const { code, stderr } = await ended(start(["serve", "--listen", "127.0.0.1:0", "--data-dir", dataDir]));
  chmodSync(dataDir, 0o700);
  assert.equal(code, exitCodes.folderUnreadable, stderr);
});

test("F4: a damaged log gives one line with file and offset, its own exit code, and stays untouched", async () => {
  const dataDir = join(folder, "damaged");
  for (let starts = 0; starts < 3; starts++) {
    const { child } = await serving(["--data-dir", dataDir]);
    await stop(child);
  }
  const segment = firstSegment(dataDir);
  const bytes = readFileSync(segment);
  const place = bytes.findIndex((byte, index) => index > 100 && byte !== 0);
  assert.notEqual(place, -1);
  bytes.writeUInt8((bytes[place] as number) ^ 0xff, place);
  writeFileSync(segment, bytes);
  const { code, stderr } = await ended(start(["serve", "--listen", "127.0.0.1:0", "--data-dir", dataDir]));
  assert.equal(code, exitCodes.logDamaged, stderr);
  oneLine(stderr, /^holdfast: damaged log: .* at offset \d+: /);
  assert.deepEqual(readFileSync(segment), bytes);
});

function firstSegment(dataDir: string): string {
  const name = readdirSync(dataDir)
    .sort()
    .find((file) => file.startsWith("log-"));
  assert.ok(name !== undefined);
  return join(dataDir, name);
}

test("text output names the address, the data folder, the version and what to try", async () => {
  const dataDir = join(folder, "talkative");
  const child = start(["serve", "--listen", "127.0.0.1:0", "--data-dir", dataDir]);
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line.includes("Ctrl-C")) break;
  }
  const text = lines.join("\n");
  for (const pattern of [/Holdfast \d+\.\d+\.\d+/, /127\.0\.0\.1:\d+/, /talkative/, /etcdctl --endpoints/]) {
    assert.match(text, pattern);
  }
  assert.equal(await stop(child, "SIGINT"), exitCodes.ok);
});

test("a Unix socket and several addresses are served", async () => {
  const socket = join(folder, "holdfast.sock");
  const { child } = await serving(["--in-memory", "--listen", `127.0.0.1:0,unix:${socket}`]);
  assert.ok(statSync(socket).isSocket());
  assert.equal(await stop(child), exitCodes.ok);
});
