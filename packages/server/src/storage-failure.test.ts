import assert from "node:assert/strict";
import { closeSync, openSync, readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { etcdErrors, leaseService, StatusCode } from "@holdfast/protocol";
import { GatedLog } from "./testing/gated-log.js";
import { Services, until } from "./testing/services.js";
import { rejectsAs } from "./testing/status-error.js";
import { temporaryFolder } from "./testing/temporary-folder.js";
import { byteString, type TestClient } from "./testing/test-client.js";
import { start } from "./testing/test-server.js";

const stopped = { code: etcdErrors.stopped.wireCode, message: etcdErrors.stopped.wireMessage };
const descriptors = "/proc/self/fd";

/** Puts a file that cannot be written behind every descriptor that this process has on a log segment in `folder`. */
function breakSegments(folder: string): number {
  let broken = 0;
  for (const name of readdirSync(descriptors)) {
    if (!targetOf(name).startsWith(join(folder, "log-"))) continue;
    closeSync(Number(name));
    openAs(Number(name));
    broken++;
  }
  return broken;
}

/** Opens a file that cannot be written as this descriptor, which is free: the lowest free ones are given out first. */
function openAs(descriptor: number): void {
  const opened = openSync("/dev/null", "r");
  if (opened === descriptor) return;
  openAs(descriptor);
  closeSync(opened);
}

function targetOf(descriptor: string): string {
  try {
    return readlinkSync(join(descriptors, descriptor));
  } catch {
    // The descriptor with which the folder itself was read.
    return "";
  }
}

test("I11, F7, LIM-7: when the disk fails, what was in flight is unknown, nothing more is acknowledged, and the server stops", {
  skip: process.platform === "linux" ? false : "needs /proc",
}, async (t) => {
  const dataDir = temporaryFolder();
  let failed: (cause: Error) => void = () => {};
  const failure = new Promise<Error>((resolve) => {
    failed = resolve;
  });
  const { client, server } = await start(t, { dataDir, onFatal: (cause) => failed(cause) });
  await client.grant(1n);
  await client.grant(2n);
  await client.lock("n", 1n);
  await client.put("acknowledged");
  const watch = await client.watch({ key: byteString("n/"), rangeEnd: byteString("n0") });
  const waiting = client.lock("n", 2n);
  await watch.next();
  const keepAlive = client.open(leaseService.methods.leaseKeepAlive);
  keepAlive.send({ id: 1n });
  await keepAlive.next();
  assert.equal(server.running.failure, undefined);
  assert.ok(breakSegments(dataDir) > 0);
  await rejectsAs(client.put("unknown"), etcdErrors.stopped);
  await rejectsAs(waiting, etcdErrors.stopped);
  assert.deepEqual([await watch.ended(), await keepAlive.ended()], [stopped, stopped]);
  assert.ok((await failure) instanceof Error);
  assert.equal(server.running.failure, await failure);
  await assert.rejects(client.put("later"), { code: StatusCode.unavailable });
  await assert.rejects(server.connect(), { code: "ECONNREFUSED" });
  // The owner can be asked to stop all the same, and the folder is free.
  await server.stop();
  const again: TestClient = (await start(t, { dataDir })).client;
  const keys = await again.keys("");
  assert.deepEqual(
    keys.filter((key) => key !== "unknown"),
    ["acknowledged", "n/1", "n/2"],
  );
});

test("I7, LOCK-14: what the log may or may not hold is Unavailable, for locks too, and no renewal is answered", async (t) => {
  const log = await GatedLog.open();
  const services = await Services.start(t, { log });
  const client = await services.connect();
  await client.grant(1n, 2);
  await client.grant(2n, 60);
  const keepAlive = client.open(leaseService.methods.leaseKeepAlive);
  log.hold();
  services.time.advance(2_300);
  await until(() => log.holds);
  keepAlive.send({ id: 1n });
  const behind = [client.put("a"), client.lock("n", 2n), client.lock("n", 0n)];
  await until(() => services.replica.waitingProposals === 1 + behind.length);
  log.fail(new Error("sync failed"));
  for (const call of behind) await rejectsAs(call, etcdErrors.stopped);
  await rejectsAs(client.revoke(2n), etcdErrors.stopped);
  assert.equal(services.fatal.length, 1);
  assert.equal(keepAlive.waiting, 0);
  services.context.openCalls.stop();
  assert.deepEqual(await keepAlive.drain(), { responses: [], status: stopped });
  assert.deepEqual([services.replica.machine.revision, services.replica.machine.leaseCount], [1, 2]);
});
