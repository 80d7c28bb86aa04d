/**
 * Secrets in a real process: strings that occur nowhere else are sent as passwords, tokens, keys and values, in calls that
 * succeed and in calls of every kind that fail, and then looked for in everything the server says to anybody.
 */
import assert from "node:assert/strict";
import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { Canaries, type CanaryCalls, makeCalls } from "./testing/canaries.js";
import { readyLine, runCommand, spawnCommand } from "./testing/command.js";

const folder = mkdtempSync(join(tmpdir(), "holdfast-canary-"));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Served {
  readonly child: ChildProcessWithoutNullStreams;
  readonly endpoint: string;
  /** Everything on standard output and standard error so far. */
  said(): string;
}

async function serve(t: TestContext, args: readonly string[], nodeArgs: readonly string[] = []): Promise<Served> {
  const child = spawnCommand(
    ["serve", "--listen", "127.0.0.1:0", "--log-level", "debug", "--bcrypt-cost", "4", ...args],
    nodeArgs,
  );
  t.after(() => void child.kill("SIGKILL"));
  const chunks: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => chunks.push(String(chunk)));
  const endpoint = await readyLine(child, () => chunks.join(""));
  return { child, endpoint, said: () => chunks.join("") };
}

/** One GET; whatever certificate. */
async function page(url: string): Promise<string> {
  const ask = url.startsWith("https:") ? httpsRequest : httpRequest;
  const call = ask(url, { agent: false, rejectUnauthorized: false });
  call.end();
  const [response] = await once(call, "response");
  let text = "";
  for await (const chunk of response) text += chunk;
  return text;
}

/** Every file and folder below `root`, with its mode. */
function modesBelow(root: string): [path: string, mode: number][] {
  return [root, ...readdirSync(root, { recursive: true, encoding: "utf8" }).map((name) => join(root, name))].map(
    (path) => [path, statSync(path).mode & 0o777],
  );
}

test("F50: no password, token, key or value is in a log line, a page, a metric or an error answer; only the data folder holds them", {
  timeout: 60_000,
}, async (t) => {
  const canaries = new Canaries();
  const dataDir = join(folder, "simple");
  const logFile = join(folder, "simple.log");
  const served = await serve(t, [
    "--data-dir",
    dataDir,
    "--log-outputs",
    `stdout,${logFile}`,
    "--metrics",
    "extensive",
  ]);
  const calls: CanaryCalls = await makeCalls(served.endpoint, canaries);
  assert.ok(calls.refusals.length > 20, String(calls.refusals.length));
  const pages = ["/metrics", "/debug/vars", "/health", "/livez?verbose", "/readyz?verbose", "/version"];
  for (const path of pages) canaries.mustNotBeIn(path, await page(`http://${served.endpoint}${path}`));
  for (const refusal of calls.refusals) canaries.mustNotBeIn("an error answer", refusal);
  const backup = join(folder, "backup.db");
  const saved = await runCommand(
    "snapshot",
    "save",
    backup,
    "--endpoint",
    served.endpoint,
    "--user",
    `root:${canaries.of("root's password")}`,
  );
  assert.equal(saved.code, 0, saved.stderr);
  canaries.mustNotBeIn("the output of a command", saved.stdout + saved.stderr);
  assert.equal(statSync(backup).mode & 0o777, 0o600);
  served.child.kill("SIGTERM");
  await once(served.child, "close");
  canaries.mustNotBeIn("the output of the server", served.said());
  canaries.mustNotBeIn("the log file", readFileSync(logFile, "utf8"));
  assert.equal(statSync(logFile).mode & 0o777, 0o600);
  for (const [path, mode] of modesBelow(dataDir)) {
    assert.equal(mode, statSync(path).isDirectory() ? 0o700 : 0o600, path);
  }
  // Where they belong, and a proof that this test would find them. Passwords and tokens are not even there.
  const stored = modesBelow(dataDir).filter(([path]) => statSync(path).isFile());
  const bytes = stored.map(([path]) => readFileSync(path, "latin1")).join("\n");
  assert.deepEqual(canaries.foundIn(bytes), ["a key", "a value"]);
});

test("F50: neither is the secret that signs tokens, nor such a token, nor the private key of the server", {
  timeout: 60_000,
}, async (t) => {
  const canaries = new Canaries();
  const dataDir = join(folder, "signed");
  const secret = join(folder, "secret");
  writeFileSync(secret, canaries.of("the signing secret"), { mode: 0o600 });
  const token = `jwt,sign-method=HS256,priv-key=${secret}`;
  const tls = ["--listen", "https://127.0.0.1:0", "--auto-tls", "--log-format", "json"];
  const served = await serve(t, ["--data-dir", dataDir, "--auth-token", token, ...tls]);
  const keyFile = join(dataDir, "fixtures", "client", "key.pem");
  canaries.add("the private key", readFileSync(keyFile, "utf8").split("\n")[1] ?? "");
  assert.equal(statSync(keyFile).mode & 0o777, 0o600);
  const calls = await makeCalls(served.endpoint, canaries);
  for (const refusal of calls.refusals) canaries.mustNotBeIn("an error answer", refusal);
  for (const path of ["/metrics", "/debug/vars", "/health", "/version"]) {
    canaries.mustNotBeIn(path, await page(`${served.endpoint}${path}`));
  }
  served.child.kill("SIGTERM");
  await once(served.child, "close");
  canaries.mustNotBeIn("the output of the server", served.said());
});

test('F50, I13, advisory "password kept in memory": it is not, once it has been checked, nor is a token', {
  timeout: 120_000,
}, async (t) => {
  const canaries = new Canaries();
  const dumps = mkdtempSync(join(folder, "heap-"));
  const nodeArgs = ["--heapsnapshot-signal=SIGUSR2", `--diagnostic-dir=${dumps}`];
  const served = await serve(t, ["--in-memory"], nodeArgs);
  await makeCalls(served.endpoint, canaries);
  // While a connection is open, its compression table may hold the token. The dump begins with a collection of garbage.
  while (!/^holdfast_transport_connections 0$/m.test(await page(`http://${served.endpoint}/metrics`)));
  served.child.kill("SIGUSR2");
  const [dump = ""] = await dumpIn(dumps);
  const found = canaries.foundIn(dump);
  assert.deepEqual(
    found.filter((name) => /password|token/.test(name)),
    [],
  );
  // The store is in memory, so the search would have found them.
  assert.ok(found.includes("a key"), String(found));
});

/** The text of the heap dumps in `dumps`, once there is one and it is whole. */
async function dumpIn(dumps: string): Promise<readonly string[]> {
  for (;;) {
    const names = readdirSync(dumps);
    const texts = names.map((name) => readFileSync(join(dumps, name), "latin1"));
    if (texts.length > 0 && texts.every((text) => text.trimEnd().endsWith("]}"))) return texts;
    await new Promise<void>((resolve) => setTimeout(resolve, 50));
  }
}

test("F50: an option that holds a password is not repeated when the command fails", async () => {
  const canaries = new Canaries();
  const password = canaries.of("a password");
  for (const args of [
    ["snapshot", "save", join(folder, "x.db"), "--endpoint", "127.0.0.1:1", "--user", `root:${password}`],
    ["snapshot", "save", join(folder, "x.db"), "--user", password],
    ["import", "--from", "http://127.0.0.1:1", "--user", `root:${password}`],
  ]) {
    const { code, stdout, stderr } = await runCommand(...args);
    assert.notEqual(code, 0);
    canaries.mustNotBeIn(args.join(" "), stdout + stderr);
  }
});
