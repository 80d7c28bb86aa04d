import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  authService,
  type ByteString,
  createPutRequest,
  createRangeRequest,
  createWatchCreateRequest,
  etcdErrors,
  leaseService,
  watchService,
} from "@holdfast/protocol";
import { UnreadableEntryError } from "@holdfast/replica";
import { StateMachine } from "@holdfast/state-machine";
import { startServer } from "../start-server.js";
import { logIn } from "../testing/secured.js";
import { fillStore, saveSnapshot, sealed, showStore, takeSnapshot, writeSnapshot } from "../testing/snapshot-files.js";
import { rejectsAs } from "../testing/status-error.js";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { byteString } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";
import { blockBytes, digestBytes, headBytes, SnapshotFileError } from "./format.js";
import { readSnapshotFile } from "./read.js";
import { FolderNotEmptyError, restoreSnapshotFile, revisionStepDefault } from "./restore.js";
import { summaryOf } from "./summary.js";
import { snapshotFileParts } from "./write.js";

const auth = { passwordCost: 4 };

test("MAINT-9: without a step, a restored store has every key, version, event, lease, user, role and alarm", async (t) => {
  const original = await start(t, { auth });
  await fillStore(original.client);
  const expected = await showStore(original.client);
  const file = await saveSnapshot(original.client);
  const dataDir = join(temporaryFolder(), "restored");
  await restoreSnapshotFile(file, dataDir, 0);
  for (let starts = 0; starts < 2; starts++) {
    const restored = await start(t, { dataDir, auth });
    assert.deepEqual(await showStore(restored.client), expected);
    assert.notEqual(restored.server.running.clusterId, original.server.running.clusterId);
    assert.deepEqual(await takeSnapshot(restored.client), await takeSnapshot(original.client));
    await restored.server.stop();
  }
});

test("a restored store goes on: revisions continue, and what is written outlives restarts and snapshots of its own", async (t) => {
  const original = await start(t);
  await original.client.put("a", "1");
  await original.client.grant(5n);
  const dataDir = temporaryFolder();
  await restoreSnapshotFile(await saveSnapshot(original.client), dataDir, 0);
  for (let starts = 0; starts < 3; starts++) {
    const { client, server } = await start(t, { dataDir });
    const { header } = await client.put("b", `${starts}`, 5n);
    assert.equal(header?.revision, 3 + starts);
    await server.stop();
  }
  const { client } = await start(t, { dataDir });
  assert.deepEqual([(await client.get("b"))?.version, (await client.get("a"))?.createRevision], [3, 2]);
});

test("AUTH-1: authentication that was on is on after a restore, with the same passwords", async (t) => {
  const { client } = await start(t, { auth });
  await fillStore(client);
  await client.call(authService.methods.authEnable);
  const file = await saveSnapshot(client.withToken(await logIn(client, "root")));
  const dataDir = temporaryFolder();
  const { machine } = await restoreSnapshotFile(file, dataDir);
  assert.equal(machine.auth.enabled, true);
  const restored = await start(t, { dataDir, auth });
  await assert.rejects(restored.client.get("k1"), /user name is empty/);
  const ann = restored.client.withToken(await logIn(restored.client, "ann"));
  assert.ok((await ann.get("k1")) !== undefined);
  await assert.rejects(ann.get("long"), /permission denied/);
  await assert.rejects(logIn(restored.client, "ann", "wrong"), /authentication failed/);
});

test("F62, I5, I8: a restore gives no revision or token a second time: old cursors are compacted, leases start anew", async (t) => {
  const original = await start(t);
  await original.client.put("a", "1");
  await original.client.grant(5n, 600);
  await original.client.grant(6n, 600);
  await original.client.lock("n", 5n);
  await original.client.put("n/6", "", 6n);
  const file = await saveSnapshot(original.client);
  // What happens after the snapshot is lost, but somebody has seen it.
  await original.client.revoke(5n);
  const lostToken = (await original.client.get(await original.client.lock("n", 6n)))?.createRevision ?? 0;
  const lostRevision = (await original.client.put("a", "2")).header?.revision ?? 0;
  await original.server.stop();

  const dataDir = temporaryFolder();
  await restoreSnapshotFile(file, dataDir);
  const { client, server } = await start(t, { dataDir });
  assert.notEqual(server.running.clusterId, original.server.running.clusterId);
  assert.ok((await client.revision()) > lostRevision + revisionStepDefault - 10);
  const watch = client.open(watchService.methods.watch);
  watch.send({ createRequest: createWatchCreateRequest({ key: byteString("a"), startRevision: lostRevision + 1 }) });
  await watch.next();
  const { canceled, compactRevision } = await watch.next();
  assert.deepEqual([canceled, compactRevision > lostRevision], [true, true]);
  await rejectsAs(client.range("a", { revision: lostRevision }), etcdErrors.compacted);
  const { ttl } = await client.call(leaseService.methods.leaseTimeToLive, { id: 5n });
  assert.ok(ttl >= 599);
  assert.deepEqual([await client.lock("n", 5n), (await client.get("a"))?.createRevision], ["n/5", 2]);
  const first = (await client.get("n/5"))?.createRevision ?? 0;
  await client.revoke(5n);
  await client.lock("n", 6n);
  const second = (await client.get("n/6"))?.createRevision ?? 0;
  assert.ok(lostToken < first && first < second, `${lostToken} < ${first} < ${second}`);
});

test("the summary says what is in it", async (t) => {
  const { client } = await start(t, { auth });
  await fillStore(client);
  const file = await saveSnapshot(client);
  const { digest, bytes, ...figures } = summaryOf(await readSnapshotFile(file));
  assert.equal(bytes, statSync(file).size);
  assert.equal(digest, readFileSync(file).subarray(-digestBytes).toString("hex"));
  const revision = await client.revision();
  assert.deepEqual(figures, {
    format: 1,
    revision,
    compactRevision: revision - 5,
    keys: 12,
    leases: 2,
    users: 2,
    roles: 2,
    authEnabled: false,
    alarms: 1,
  });
});

test("one state makes one file, whatever is written to the machine meanwhile", () => {
  const machine = new StateMachine();
  const put = (key: string): void => {
    machine.apply({ kind: "put", request: createPutRequest({ key: key as ByteString, value: Buffer.from(key) }) });
  };
  for (let n = 0; n < 3_000; n++) put(`key ${n}`);
  machine.apply({ kind: "compact", revision: machine.revision });
  const frozen = machine.freeze();
  const file = (): Buffer => Buffer.concat(Array.from(snapshotFileParts(frozen), (part) => part.slice()));
  const before = file();
  // Many new keys between and behind the old: passed over one by one, they cut the state's chunks elsewhere.
  for (let n = 0; n < 20_000; n++) put(`${n % 2 === 0 ? "key" : "l"} ${n}x`);
  const during = snapshotFileParts(frozen)[Symbol.iterator]();
  const parts: Uint8Array[] = [];
  for (let next = during.next(); next.done !== true; next = during.next()) {
    parts.push(next.value.slice());
    put(`key ${parts.length}y`);
  }
  assert.ok(
    parts.some((part) => part.length === 0),
    "the test means to have pauses",
  );
  assert.ok(Buffer.concat(parts).equals(before));
  assert.ok(file().equals(before));
  frozen.release();
});

async function somethingSaved(t: Parameters<typeof start>[0]): Promise<Buffer> {
  const { client } = await start(t, { auth });
  await fillStore(client);
  return readFileSync(await saveSnapshot(client));
}

async function refusal(bytes: Uint8Array): Promise<string> {
  const file = writeSnapshot(bytes);
  const error = await readSnapshotFile(file).then(
    () => assert.fail("it was taken"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof SnapshotFileError, String(error));
  assert.ok(error.message.startsWith(`${file}: `), error.message);
  return error.message.slice(file.length + 2);
}

test("F5: a changed byte anywhere is noticed", async (t) => {
  const good = await somethingSaved(t);
  const places = [
    0,
    7,
    8,
    11,
    headBytes,
    headBytes + 1,
    1_000,
    Math.floor(good.length / 2),
    good.length - 40,
    good.length - 33,
  ];
  for (let at = good.length - digestBytes; at < good.length; at++) places.push(at);
  for (const at of places) {
    const bytes = Buffer.from(good);
    bytes[at] = (bytes[at] as number) ^ 1;
    const expected =
      at < 8 ? /^not a snapshot/ : at < headBytes ? /^written by a newer version/ : /digest does not match/;
    assert.match(await refusal(bytes), expected, `at ${at}`);
  }
});

test("F5: a file that is cut off, grown or empty is refused", async (t) => {
  const good = await somethingSaved(t);
  const block = good.length - blockBytes;
  for (const length of [
    0,
    1,
    7,
    8,
    11,
    headBytes,
    digestBytes,
    100,
    block - 1,
    block + 1,
    good.length - digestBytes,
    good.length - 1,
  ]) {
    assert.match(
      await refusal(good.subarray(0, length)),
      length < 8 ? /^not a snapshot/ : /cut off/,
      `${length} bytes`,
    );
  }
  assert.match(await refusal(good.subarray(0, block)), /digest does not match/);
  assert.match(await refusal(Buffer.concat([good, Buffer.alloc(1)])), /something was added/);
  assert.match(await refusal(Buffer.concat([good, Buffer.alloc(blockBytes)])), /digest does not match/);
});

test("F5: what is sealed with a good digest and still makes no sense is refused", async (t) => {
  const good = await somethingSaved(t);
  const content = good.subarray(0, -digestBytes);
  const changed = (at: number, byte: number): Buffer => {
    const bytes = Buffer.from(content);
    bytes[at] = byte;
    return sealed(bytes);
  };
  const missing = content.subarray(0, content.length - blockBytes);
  assert.match(await refusal(sealed(missing)), /^damaged: /);
  assert.match(await refusal(sealed(Buffer.concat([content, Buffer.alloc(blockBytes)]))), /no end of its records/);
  assert.match(await refusal(sealed(Buffer.concat([content, Buffer.alloc(blockBytes, 1)]))), /behind its last record/);
  assert.match(await refusal(changed(headBytes, 0x08)), /no record/);
  assert.match(await refusal(changed(headBytes, 0)), /behind its last record/);
  assert.match(await refusal(sealed(Buffer.concat([content.subarray(0, headBytes), Buffer.alloc(500)]))), /no end/);
  const huge = Buffer.alloc(500);
  Buffer.from([0x0a, 0xff, 0xff, 0xff, 0x7f]).copy(huge);
  assert.match(await refusal(sealed(Buffer.concat([content.subarray(0, headBytes), huge]))), /impossible length/);
});

test("a snapshot of etcd is called one", async () => {
  const page = Buffer.alloc(4_096);
  page.writeUInt32LE(0xed0cdaed, 16);
  assert.match(await refusal(sealed(page)), /^a snapshot of etcd.*holdfast import/);
  assert.match(await refusal(page), /^a snapshot of etcd/);
  assert.match(await refusal(sealed(Buffer.alloc(4_096, 1))), /^not a snapshot of Holdfast$/);
});

test("a folder that is not empty is not restored into, and a bad file leaves nothing behind", async (t) => {
  const good = writeSnapshot(await somethingSaved(t));
  const full = temporaryFolder();
  writeFileSync(join(full, "note"), "mine");
  await assert.rejects(restoreSnapshotFile(good, full), FolderNotEmptyError);
  assert.deepEqual(readdirSync(full), ["note"]);
  const empty = temporaryFolder();
  const bad = writeSnapshot(Buffer.from("nothing"));
  await assert.rejects(restoreSnapshotFile(bad, empty), SnapshotFileError);
  await assert.rejects(restoreSnapshotFile(bad, join(empty, "new")), SnapshotFileError);
  assert.deepEqual(readdirSync(empty), []);
  await assert.rejects(restoreSnapshotFile(join(empty, "none.db"), empty), { code: "ENOENT" });
});

test("I11: a restored store whose first snapshot is lost or damaged does not start empty", async (t) => {
  const file = writeSnapshot(await somethingSaved(t));
  for (const damage of ["remove", "change"] as const) {
    const dataDir = temporaryFolder();
    await restoreSnapshotFile(file, dataDir);
    const path = join(dataDir, readdirSync(dataDir).find((name) => name.startsWith("snapshot-")) as string);
    if (damage === "remove") rmSync(path);
    else {
      const bytes = readFileSync(path);
      bytes[bytes.length - 100] = (bytes[bytes.length - 100] as number) ^ 1;
      writeFileSync(path, bytes);
    }
    await assert.rejects(startServer({ dataDir, listen: "127.0.0.1:0" }), UnreadableEntryError, damage);
  }
});

test("values of many megabytes are saved and restored", async (t) => {
  const limits = { serviceLimits: { requestBytes: 20_000_000 }, transportLimits: { messageBytesMax: 21_000_000 } };
  const { client } = await start(t, limits);
  await client.put("long", "long value ".repeat(1_500_000));
  const file = await saveSnapshot(client);
  const { machine } = await readSnapshotFile(file);
  const outcome = machine.range(createRangeRequest({ key: "long" as ByteString }));
  assert.equal("response" in outcome && outcome.response.kvs[0]?.value.length, 16_500_000);
});
