/** F62: a backup is restored while clients still remember what came after it: tokens of locks, cursors of watches, leases. */
import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  byteStringFromText,
  kvService,
  type LockResponse,
  leaseService,
  lockService,
  StatusCode,
  type WatchResponse,
} from "@holdfast/protocol";
import { Client } from "../client.js";
import { mustRun } from "../processes.js";
import type { Scenario, ScenarioContext } from "../scenario.js";
import { ServerProcess } from "../server-process.js";
import { until } from "../waiting.js";

const program = fileURLToPath(new URL("../../../packages/holdfast/dist/main.js", import.meta.url));
const key = byteStringFromText;
const name = key("lock");
const { put, range } = kvService.methods;
const { leaseGrant, leaseTimeToLive } = leaseService.methods;
const ttlSeconds = 60;

/** Gets the lock under a new lease. */
async function takeLock(client: Client): Promise<LockResponse & { readonly lease: bigint }> {
  const { id } = await client.must(leaseGrant, { ttl: ttlSeconds });
  return { ...(await client.must(lockService.methods.lock, { name, lease: id })), lease: id };
}

/** The fencing token that goes with an owner key. */
async function tokenOf(client: Client, owner: LockResponse): Promise<number> {
  const { kvs } = await client.must(range, { key: owner.key });
  return kvs[0]?.createRevision ?? 0;
}

/** What clients remember of the time after the backup was made. */
interface Memory {
  /** The highest token that any owner had. */
  readonly token: number;
  readonly cursor: number;
  readonly lease: bigint;
  readonly clusterId: bigint;
}

/** Writes a store, backs it up, and writes on. */
async function liveBeyondBackup(context: ScenarioContext, file: string): Promise<Memory> {
  const server = await ServerProcess.start({ dataDir: `${context.folder}/first` }, context);
  const client = await Client.connect(server.endpoint);
  for (let number = 0; number < 50; number++)
    await client.must(put, { key: key(`k/${number}`), value: Buffer.from("old") });
  await takeLock(client);
  await mustRun(process.execPath, program, "snapshot", "save", file, "--endpoint", server.endpoint);
  for (let owner = 0; owner < 5; owner++) {
    const { kvs } = await client.must(range, { key: key("lock/"), rangeEnd: key("lock0") });
    for (const held of kvs) await client.must(lockService.methods.unlock, { key: held.key });
    await takeLock(client);
  }
  const owner = await client.must(range, { key: key("lock/"), rangeEnd: key("lock0") });
  const { id: lease } = await client.must(leaseGrant, { ttl: ttlSeconds });
  const { header } = await client.must(put, { key: key("k/late"), value: Buffer.from("late"), lease });
  await server.kill();
  return {
    token: owner.kvs[0]?.createRevision ?? 0,
    cursor: header?.revision ?? 0,
    lease,
    clusterId: header?.clusterId ?? 0n,
  };
}

/** How a watch that goes on from there ends, or undefined if it does not. */
async function canceledFrom(client: Client, startRevision: number): Promise<WatchResponse | undefined> {
  let canceled: WatchResponse | undefined;
  let created = false;
  const stream = client.watch({ key: key("k/"), rangeEnd: key("k0"), startRevision }, (response) => {
    created ||= response.created;
    if (response.canceled) canceled = response;
  });
  await until("the watch is answered", () => created && canceled !== undefined, 5).catch(() => undefined);
  stream.cancel();
  return canceled;
}

export const restore: Scenario = {
  title:
    "F62, I5, I8: after a restore tokens are higher than ever, old cursors end as compacted, later leases and keys are gone",
  secondsMax: 60,
  run: async (context) => {
    const file = `${context.folder}/backup`;
    const memory = await liveBeyondBackup(context, file);
    const dataDir = `${context.folder}/second`;
    await mustRun(process.execPath, program, "snapshot", "restore", file, "--data-dir", dataDir);
    const server = await ServerProcess.start({ dataDir }, context);
    const client = await Client.connect(server.endpoint);
    const { kvs, header } = await client.must(range, { key: key("k/"), rangeEnd: key("k0") });
    assert.equal(kvs.length, 50, "the keys of the backup are there, and no later ones");
    const revision = header?.revision ?? 0;
    assert(
      revision > memory.cursor,
      `the revision ${revision} is not higher than ${memory.cursor}, which clients have seen`,
    );
    assert.notEqual(header?.clusterId, memory.clusterId, "it claims to be the same cluster");
    context.note(`revision ${memory.cursor} before, ${revision} after`);
    await oldRevisionsAreCompacted(client, memory, revision);
    assert.equal((await client.must(leaseTimeToLive, { id: memory.lease })).ttl, -1, "a later lease lives");
    await tokensOnlyRise(client, memory);
  },
};

async function oldRevisionsAreCompacted(client: Client, memory: Memory, revision: number): Promise<void> {
  const read = await client.call(range, { key: key("k/1"), revision: memory.cursor });
  assert.deepEqual(
    [read.code, read.message],
    [StatusCode.outOfRange, "etcdserver: mvcc: required revision has been compacted"],
  );
  const canceled = await canceledFrom(client, memory.cursor + 1);
  assert(canceled !== undefined, "a watch from an old cursor goes on as if nothing had been");
  assert(canceled.compactRevision > memory.cursor && canceled.compactRevision <= revision);
}

/** The lock is still held by whom the backup knows as its owner; whoever gets it next has a token above all earlier ones. */
async function tokensOnlyRise(client: Client, memory: Memory): Promise<void> {
  const { kvs } = await client.must(range, { key: key("lock/"), rangeEnd: key("lock0") });
  assert.equal(kvs.length, 1);
  const restored = kvs[0];
  assert(restored !== undefined && restored.createRevision > memory.token, "a token went back");
  const { ttl } = await client.must(leaseTimeToLive, { id: restored.lease });
  assert(ttl > ttlSeconds - 10, `the owner's lease has ${ttl} s left`);
  await client.must(lockService.methods.unlock, { key: restored.key });
  assert((await tokenOf(client, await takeLock(client))) > restored.createRevision);
}

/** A folder that holds data is never overwritten. */
export const restoreInto: Scenario = {
  title: "F62, F9: a backup is not restored into a folder with data",
  secondsMax: 60,
  run: async (context) => {
    const file = `${context.folder}/backup`;
    await liveBeyondBackup(context, file);
    const used = `${context.folder}/first`;
    const before = await readdir(used);
    await assert.rejects(
      mustRun(process.execPath, program, "snapshot", "restore", file, "--data-dir", used),
      /with 10/,
    );
    assert.deepEqual(await readdir(used), before);
  },
};
