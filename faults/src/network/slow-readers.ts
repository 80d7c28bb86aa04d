/**
 * F20: watchers that read nothing for a while, among many that do. Everybody is told exactly what the log has, in order; those
 * that compaction has overtaken are told so; the server's memory does not grow with what is not read.
 */
import assert from "node:assert/strict";
import { byteStringFromText, type EventType, kvService, type WatchResponse } from "@holdfast/protocol";
import { Client } from "../client.js";
import { LeaseKeeper } from "../lease-keeper.js";
import type { Scenario, ScenarioContext } from "../scenario.js";
import { ServerProcess } from "../server-process.js";
import { nowMs, pause, until } from "../waiting.js";

const watchersCount = 60;
const slowCount = 10;
const valueBytes = 8_000;
const writesPerSecond = 250;
const watched = { key: byteStringFromText("k/"), rangeEnd: byteStringFromText("k0") };

/** One thing that happened to one key. */
type Told = `${number} ${EventType} ${string}`;

/** A watch on a connection of its own. */
class Watcher {
  readonly told: Told[] = [];
  readonly keeper: LeaseKeeper;
  compactRevision = 0;

  private constructor(keeper: LeaseKeeper) {
    this.keeper = keeper;
    keeper.client.watch({ ...watched, startRevision: 1 }, (response) => this.#take(response));
  }

  static async start(endpoint: string): Promise<Watcher> {
    return new Watcher(await LeaseKeeper.start(endpoint, { ttlSeconds: 120, everyMs: 1000 }));
  }

  get socket() {
    return this.keeper.client.socket;
  }

  #take({ events, canceled, compactRevision }: WatchResponse): void {
    if (canceled) this.compactRevision = compactRevision;
    for (const { type, kv } of events) this.told.push(`${kv?.modRevision ?? 0} ${type} ${kv?.key ?? ""}`);
  }
}

/** Puts and deletes, one after another, at an even pace. @returns the log of what happened. */
async function write(endpoint: string, seconds: number, signal: AbortSignal): Promise<Told[]> {
  const client = await Client.connect(endpoint);
  const log: Told[] = [];
  const value = Buffer.alloc(valueBytes, "v");
  const startMs = nowMs();
  for (let number = 0; nowMs() - startMs < seconds * 1000; number++) {
    const key = byteStringFromText(`k/${number % 50}`);
    if (number % 10 === 9) {
      const { header, deleted } = await client.must(kvService.methods.deleteRange, { key });
      if (deleted > 0) log.push(`${header?.revision ?? 0} 1 ${key}`);
    } else {
      const { header } = await client.must(kvService.methods.put, { key, value });
      log.push(`${header?.revision ?? 0} 0 ${key}`);
    }
    const aheadMs = (number * 1000) / writesPerSecond - (nowMs() - startMs);
    if (aheadMs > 5) await pause(aheadMs, signal);
  }
  client.destroy();
  return log;
}

/** Everybody who was not overtaken has been told the whole log; who was overtaken, a beginning of it. */
function assertTold(watchers: readonly Watcher[], log: readonly Told[], complete: boolean): void {
  for (const { told } of watchers) assert.deepEqual(told, complete ? log : log.slice(0, told.length));
}

async function play(context: ScenarioContext, server: ServerProcess): Promise<void> {
  const watchers = await Promise.all(Array.from({ length: watchersCount }, () => Watcher.start(server.endpoint)));
  const slow = watchers.slice(0, slowCount);
  const resuming = slow.slice(0, slowCount / 2);
  const overtaken = slow.slice(slowCount / 2);
  const quick = watchers.slice(slowCount);
  for (const { socket } of slow) socket.pause();
  const log = await write(server.endpoint, 2, context.signal);
  const beforeBytes = server.residentBytes();
  log.push(...(await write(server.endpoint, context.seconds ?? 12, context.signal)));
  const grownMebibytes = (server.residentBytes() - beforeBytes) / 2 ** 20;
  const logMebibytes = (log.length * valueBytes) / 2 ** 20;
  context.note(
    `${log.length} events, ${logMebibytes.toFixed(0)} MiB of values; memory +${grownMebibytes.toFixed(0)} MiB with ${slowCount} watchers that read nothing`,
  );
  await until("the quick ones are told everything", () => quick.every(({ told }) => told.length === log.length), 20);
  // The history itself stays in memory; a copy for each slow watcher must not.
  assert(grownMebibytes < 2.5 * logMebibytes + 40, `memory grew by ${grownMebibytes} MiB`);
  for (const { socket } of resuming) socket.resume();
  await until(
    "those that read again are told everything",
    () => resuming.every(({ told }) => told.length === log.length),
    20,
  );
  await compactTo(server.endpoint, log);
  for (const { socket } of overtaken) socket.resume();
  await until("those overtaken are told so", () => overtaken.every(({ compactRevision }) => compactRevision > 0), 20);
  assertTold([...quick, ...resuming], log, true);
  assertTold(overtaken, log, false);
  context.note(`overtaken after ${overtaken.map(({ told }) => told.length).join(", ")} events`);
  for (const { keeper } of watchers)
    assert.equal(keeper.lostCount, 0, "a lease on the connection of a watcher has ended");
  for (const { keeper } of watchers) keeper.stop();
}

async function compactTo(endpoint: string, log: readonly Told[]): Promise<void> {
  const client = await Client.connect(endpoint);
  const last = Number(log.at(-1)?.split(" ")[0]);
  await client.must(kvService.methods.compact, { revision: last - 10, physical: true });
  client.destroy();
}

export const slowReaders: Scenario = {
  title:
    "F20, I8, I12: 10 of 60 watchers read nothing; memory stays flat, others get all, and they all or the word of compaction",
  secondsMax: 80,
  run: async (context) => {
    const server = await ServerProcess.start({ dataDir: `${context.folder}/data` }, context);
    await play(context, server);
  },
};
