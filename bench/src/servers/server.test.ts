import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { holdfastLaunch } from "./launch.js";
import { Server } from "./server.js";
import { createTlsFiles } from "./tls.js";

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "bench-server-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const hasProc = existsSync("/proc/self/stat");

test("a server is ready when it answers, and what it used is known after its end", { skip: !hasProc }, async (t) => {
  const server = await Server.start(holdfastLaunch(), folderOf(t));
  const client = await server.connect();
  await client.put("key", "value");
  assert.equal((await client.range("key")).pairs[0]?.value.toString(), "value");
  client.close();
  assert.ok(server.residentMiB() > 1);
  await server.stop("SIGKILL");
  assert.ok(server.cpuSeconds() > 0);
  assert.ok(server.peakMiB() > 1);
  assert.equal(server.residentMiB(), 0);
});

test("what was written is there after another start on the folder", async (t) => {
  const folder = folderOf(t);
  const first = await Server.start(holdfastLaunch(), folder);
  const client = await first.connect();
  await client.put("key", "value");
  client.close();
  await first.stop("SIGKILL");
  const isReady = async (referee: { range(key: string): Promise<{ count: number }> }) =>
    (await referee.range("key")).count === 1;
  const second = await Server.start(holdfastLaunch(), folder, { isReady });
  await second.stop();
});

test("a server that cannot start says why", async (t) => {
  const started = Server.start(holdfastLaunch(), folderOf(t), { args: ["--no-such-flag"] });
  await assert.rejects(started, /Holdfast ended:\n(.|\n)*no-such-flag/);
});

test("a server with a certificate is spoken to through TLS", async (t) => {
  const folder = folderOf(t);
  const server = await Server.start(holdfastLaunch(), join(folder, "data"), { tls: createTlsFiles(folder) });
  const client = await server.connect();
  assert.match(await client.version(), /^3\./);
  client.close();
  await server.stop();
});
