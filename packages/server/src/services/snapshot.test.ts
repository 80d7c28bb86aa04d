import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { authService, etcdErrors, maintenanceService, StatusCode } from "@holdfast/protocol";
import { defaultServiceLimits } from "../limits.js";
import { startSecured } from "../testing/secured.js";
import { Services, until } from "../testing/services.js";
import { fillStore, takeSnapshot } from "../testing/snapshot-files.js";
import { rejectsAs } from "../testing/status-error.js";
import type { TestClient } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";

const { snapshot } = maintenanceService.methods;

test("MAINT-9: messages of at most 32 KiB count down to 0, then comes the digest of them all", async (t) => {
  const { client } = await start(t);
  await fillStore(client);
  const messages = await takeSnapshot(client);
  const digest = messages.at(-1);
  const content = messages.slice(0, -1);
  const bytes = content.reduce((sum, { blob }) => sum + blob.length, 0);
  assert.ok(content.length > 5, `${content.length} messages`);
  let remaining = bytes;
  for (const { blob, remainingBytes, header } of content) {
    remaining -= blob.length;
    assert.ok(blob.length > 0 && blob.length <= 32_768);
    assert.equal(remainingBytes, remaining);
    assert.equal(header, undefined, "GEN-3");
  }
  assert.equal(remaining, 0);
  assert.deepEqual([digest?.remainingBytes, digest?.blob.length], [0, 32]);
  const hash = createHash("sha256");
  for (const { blob } of content) hash.update(blob);
  assert.deepEqual(Buffer.from(digest!.blob), hash.digest());
});

test("MAINT-9: the whole is a multiple of 512 bytes and 32 more, and every message names the storage version", async (t) => {
  const { client } = await start(t);
  for (let round = 0; round < 5; round++) {
    await client.put(`key ${round}`, "x".repeat(round * 100));
    const messages = await takeSnapshot(client);
    const bytes = messages.reduce((sum, { blob }) => sum + blob.length, 0);
    assert.equal(bytes % 512, 32);
    assert.deepEqual(new Set(messages.map(({ version }) => version)), new Set(["3.7.0"]));
  }
});

/** Some megabytes in keys of their own, so that a client that does not read has the server wait. */
async function fillWith(client: TestClient, megabytes: number): Promise<void> {
  const value = "x".repeat(1_000_000);
  for (let n = 0; n < megabytes; n++) await client.put(`big ${n}`, value);
}

test("MAINT-9: what is written while a snapshot is read is not in it, and the count stays right", async (t) => {
  const { client, server } = await start(t);
  await fillWith(client, 4);
  const expected = Buffer.concat((await takeSnapshot(client)).map(({ blob }) => blob));
  const stream = (await server.connect()).stream(snapshot);
  stream.call.pause();
  await stream.opened();
  await fillWith(client, 2);
  await client.compact(await client.revision());
  stream.call.resume();
  const { responses, status } = await stream.drain();
  assert.equal(status.code, StatusCode.ok);
  assert.deepEqual(Buffer.concat(responses.map(({ blob }) => blob)), expected);
});

test("F16: a snapshot that is not read holds few bytes; the state is let go when its client goes", async (t) => {
  const services = await Services.start(t);
  const writer = await services.connect();
  await fillWith(writer, 8);
  const reader = await services.connect();
  const stream = reader.stream(snapshot);
  stream.call.pause();
  await until(() => services.streams[0]?.congested === true);
  assert.ok(services.streams[0]!.unsentBytes < 1_000_000, `${services.streams[0]!.unsentBytes} bytes wait`);
  const { machine } = services.replica;
  assert.equal(machine.sweepIsHeldOff, true);
  reader.grpc.destroy();
  await until(() => !machine.sweepIsHeldOff);
  assert.equal(services.context.openCalls.size, 0);
});

test("F16, LIMIT snapshotBytesPerSecondMin: a snapshot read too slowly ends, and compacted history can be given up again", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  await fillWith(client, 8);
  const { ticking } = services.time;
  const stream = (await services.connect()).stream(snapshot);
  stream.call.pause();
  await until(() => services.streams[0]?.congested === true);
  const { snapshotGraceMs, snapshotBytesPerSecondMin } = defaultServiceLimits;
  services.time.advance(snapshotGraceMs);
  assert.equal(services.replica.machine.sweepIsHeldOff, true, "the grace is not all it has");
  services.time.advance((9_000_000 / snapshotBytesPerSecondMin) * 1_000);
  assert.equal(services.replica.machine.sweepIsHeldOff, false);
  stream.call.resume();
  assert.deepEqual(await stream.ended(), {
    code: StatusCode.deadlineExceeded,
    message: "the snapshot was read too slowly",
  });
  assert.equal(services.time.ticking, ticking, "its timer is gone");
});

test("F16, LIMIT snapshotsAtOnce: no more are sent at once, and one that has ended makes room", async (t) => {
  const services = await Services.start(t, { serviceLimits: { snapshotsAtOnce: 1 } });
  const client = await services.connect();
  await fillWith(client, 4);
  const stream = (await services.connect()).stream(snapshot);
  stream.call.pause();
  await until(() => services.streams.length === 1 && services.replica.machine.sweepIsHeldOff);
  const refused = client.stream(snapshot).next();
  await rejectsAs(refused, etcdErrors.requestTooManyRequests);
  assert.equal(services.context.limitHits.of("snapshotsAtOnce"), 1);
  stream.call.resume();
  await stream.drain();
  assert.ok((await takeSnapshot(client)).length > 100);
});

test("a server that stops ends a snapshot as Unavailable", async (t) => {
  const services = await Services.start(t);
  await fillWith(await services.connect(), 4);
  const stream = (await services.connect()).stream(snapshot);
  stream.call.pause();
  await until(() => services.streams[0]?.congested === true);
  services.context.openCalls.stop();
  assert.equal(services.replica.machine.sweepIsHeldOff, false);
  stream.call.resume();
  assert.equal((await stream.ended()).code, StatusCode.unavailable);
});

test("F48, LIMIT snapshotsAtOnce: a snapshot whose right is withdrawn while a slice of it is due makes room for one, once", async (t) => {
  const { services, root, as } = await startSecured(t, { ann: [] }, { serviceLimits: { snapshotsAtOnce: 1 } });
  await root.call(authService.methods.userGrantRole, { user: "ann", role: "root" });
  await fillWith(root, 5);
  const ann = await as("ann");
  const { time, context } = services;
  const defer = time.defer.bind(time);
  let due: (() => void) | undefined;
  time.defer = (task) => {
    if (due === undefined) due = task;
    else defer(task);
  };
  const lost = ann.stream(snapshot);
  await until(() => due !== undefined);
  await root.call(authService.methods.userRevokeRole, { name: "ann", role: "root" });
  time.advance(defaultServiceLimits.openRightsCheckIntervalMs);
  assert.equal((await lost.drain()).status.code, StatusCode.permissionDenied);
  due?.();
  assert.deepEqual([context.openRights.withdrawnCount, context.openRights.size], [1, 0]);
  const open = root.stream(snapshot);
  open.call.pause();
  await open.opened();
  await rejectsAs(root.stream(snapshot).next(), etcdErrors.requestTooManyRequests);
  open.call.cancel();
});
