/**
 * F6: the disk becomes full under a running server. Writes are refused in etcd's words and the alarm is raised; reads, watches,
 * keepalives, lease ends, deletes and compaction go on; the alarm outlives a restart and goes only when it is told to.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  AlarmAction,
  AlarmType,
  byteStringFromText,
  EventType,
  kvService,
  leaseService,
  maintenanceService,
  StatusCode,
} from "@holdfast/protocol";
import { Client } from "../client.js";
import { LeaseKeeper } from "../lease-keeper.js";
import { cannotMountImages, cannotMountTmpfs, mountImage, mountTmpfs } from "../mounts.js";
import { getPage } from "../pages.js";
import { mustRun, runCommand } from "../processes.js";
import { PutLoad } from "../put-load.js";
import type { Scenario, ScenarioContext } from "../scenario.js";
import { ServerProcess } from "../server-process.js";
import { until } from "../waiting.js";

const noSpaceText = "etcdserver: mvcc: database space exceeded";
const { put, range, deleteRange, compact } = kvService.methods;
const { leaseGrant } = leaseService.methods;
const { alarm } = maintenanceService.methods;
const key = byteStringFromText;
const value = Buffer.alloc(100, "v");

/** A server with clients, made before the disk is full. */
class FullDisk {
  readonly context: ScenarioContext;
  readonly dataDir: string;
  readonly load = new PutLoad({ name: "fill", writers: 4, keysPerWriter: 50, valueBytes: 60_000 });
  #server: ServerProcess | undefined;
  #client: Client | undefined;

  constructor(context: ScenarioContext, dataDir: string) {
    this.context = context;
    this.dataDir = dataDir;
  }

  get server(): ServerProcess {
    assert(this.#server !== undefined);
    return this.#server;
  }

  get client(): Client {
    assert(this.#client !== undefined);
    return this.#client;
  }

  async start(): Promise<void> {
    this.#server = await ServerProcess.start({ dataDir: this.dataDir }, this.context);
    this.#client = await Client.connect(this.#server.endpoint);
  }

  async restart(): Promise<void> {
    await this.server.kill();
    await this.start();
  }

  /** Writes until the server refuses, which it must do in etcd's words. */
  async fill(): Promise<void> {
    await this.load.start(this.server.endpoint);
    await this.load.ended();
    await this.load.stop();
    assert.equal(this.load.refusal, noSpaceText);
    await this.refusesWrites();
  }

  async refusesWrites(): Promise<void> {
    const answer = await this.client.call(put, { key: key("one-more"), value: Buffer.alloc(60_000) });
    assert.deepEqual([answer.code, answer.message], [StatusCode.resourceExhausted, noSpaceText]);
  }

  async alarms(): Promise<AlarmType[]> {
    const { alarms } = await this.client.must(alarm, { action: AlarmAction.GET });
    return alarms.map((raised) => raised.alarm);
  }

  async disarm(): Promise<void> {
    const { alarms } = await this.client.must(alarm, { action: AlarmAction.GET });
    for (const raised of alarms) await this.client.must(alarm, { action: AlarmAction.DEACTIVATE, ...raised });
  }
}

/** Everything that must go on while writes are refused. */
async function othersGoOn(disk: FullDisk): Promise<void> {
  const { client, server, context } = disk;
  assert.deepEqual(await disk.alarms(), [AlarmType.NOSPACE], "the alarm is raised");
  const health = await getPage(server.endpoint, "/health");
  assert.match(health.body, /"health":"false".*NOSPACE/, "the health page says so");
  assert.equal((await client.must(range, { key: key("kept") })).kvs.length, 1, "reads are answered");
  const deleted: string[] = [];
  client.watch({ key: key("tied"), rangeEnd: key("tiee") }, ({ events }) => {
    for (const { type, kv } of events) if (type === EventType.DELETE) deleted.push(kv?.key ?? "");
  });
  // The lease of "tied" is not kept alive any more, and ends now.
  await until("the lease ends on a full disk", () => deleted.includes("tied"), 20, context.signal);
  for (let number = 0; number < 20; number++)
    assert.equal((await client.must(deleteRange, { key: key(`small/${number}`) })).deleted, 1, "deletes are taken");
  const { header } = await client.must(range, { key: key("kept") });
  await client.must(compact, { revision: header?.revision ?? 0 });
}

/** The whole story. `free` makes room again. */
async function play(context: ScenarioContext, disk: FullDisk, fillUp: () => Promise<void>, free: () => Promise<void>) {
  await disk.start();
  const { client, server } = disk;
  await client.must(put, { key: key("kept"), value });
  for (let number = 0; number < 20; number++) await client.must(put, { key: key(`small/${number}`), value });
  const keeper = await LeaseKeeper.start(server.endpoint, { ttlSeconds: 4, everyMs: 200 });
  await client.must(put, { key: key("held"), value, lease: keeper.lease });
  const tie = await LeaseKeeper.start(server.endpoint, { ttlSeconds: 4, everyMs: 200 });
  await client.must(put, { key: key("tied"), value, lease: tie.lease });
  await fillUp();
  await disk.fill();
  context.note(`${disk.load.acknowledgedCount} writes of 60 kB acknowledged before it was full`);
  tie.stop();
  await othersGoOn(disk);
  assert.equal(keeper.lostCount, 0, "the lease kept alive has ended");
  keeper.stop();
  await disk.restart();
  assert.deepEqual(await disk.alarms(), [AlarmType.NOSPACE], "the alarm outlives a restart");
  await disk.refusesWrites();
  await free();
  await disk.refusesWrites();
  await disk.disarm();
  assert.deepEqual(await disk.alarms(), []);
  await disk.client.must(put, { key: key("after"), value: Buffer.alloc(60_000) });
  await disk.client.must(leaseGrant, { ttl: 60 });
  await disk.restart();
  assert.equal((await disk.client.must(range, { key: key("after") })).kvs.length, 1);
  assert.deepEqual(await disk.load.problems(disk.server.endpoint), []);
}

export const fullMemory: Scenario = {
  title: "F6, I1: a full disk (tmpfs) refuses writes and nothing else, until there is room and the alarm is disarmed",
  secondsMax: 60,
  missing: cannotMountTmpfs,
  run: async (context) => {
    const at = await mountTmpfs(context, 40);
    const disk = new FullDisk(context, join(at, "data"));
    const enlarge = async (): Promise<void> => {
      await mustRun("mount", "-o", "remount,size=120m", at);
    };
    await play(context, disk, async () => undefined, enlarge);
  },
};

export const fullByOthers: Scenario = {
  title:
    "F6, I1: a disk (ext4) that others fill refuses writes and nothing else, until there is room and the alarm is disarmed",
  secondsMax: 60,
  missing: cannotMountImages,
  run: async (context) => {
    const image = await mountImage(context, 120);
    const disk = new FullDisk(context, image.dataDir);
    const filler = join(image.at, "filler");
    const fillUp = async (): Promise<void> => {
      await writeFile(filler, "");
      // Ends with "no space left on device", which is its purpose.
      await runCommand("dd", ["if=/dev/zero", `of=${filler}`, "bs=64k", "status=none"]);
    };
    await play(context, disk, fillUp, async () => {
      await mustRun("rm", filler);
    });
  },
};
