/** Processes that stand still (F13, F19) or run out of memory (F16): the server, and its clients. */
import assert from "node:assert/strict";
import { byteStringFromText, kvService, leaseService } from "@holdfast/protocol";
import { Client } from "../client.js";
import { LeaseKeeper } from "../lease-keeper.js";
import type { Scenario, ScenarioContext, Suite } from "../scenario.js";
import { ServerProcess } from "../server-process.js";
import { nowMs, pause, until, within } from "../waiting.js";
import { HolderProcess } from "./holder-process.js";
import { smallHeap } from "./small-heap.js";

/** The shortest there is. */
const ttlSeconds = 2;
const keepersCount = 20;
const { put, range } = kvService.methods;
const { leaseTimeToLive } = leaseService.methods;

/** Clients with a lease and a key each; they never stop sending keepalives. */
async function startKeepers(context: ScenarioContext, endpoint: string): Promise<LeaseKeeper[]> {
  const keepers: LeaseKeeper[] = [];
  for (let number = 0; number < keepersCount; number++) {
    const keeper = await LeaseKeeper.start(endpoint, { ttlSeconds, everyMs: 150 });
    context.cleanUp(() => keeper.stop());
    await keeper.client.must(put, { key: byteStringFromText(`kept/${number}`), lease: keeper.lease });
    keepers.push(keeper);
  }
  return keepers;
}

async function allLive(keepers: readonly LeaseKeeper[]): Promise<void> {
  for (const keeper of keepers) {
    assert.equal(keeper.lostCount, 0, "a keepalive was answered with: there is no such lease");
    const { ttl, keys } = await keeper.client.must(leaseTimeToLive, { id: keeper.lease, keys: true });
    assert(ttl > 0 && keys.length === 1, `a lease that was kept alive has ${ttl} s and ${keys.length} keys`);
  }
}

/** Stops the server for a time. */
async function stall(server: ServerProcess, ms: number, signal: AbortSignal): Promise<void> {
  server.signal("SIGSTOP");
  await pause(ms, signal);
  server.signal("SIGCONT");
}

const longStall: Scenario = {
  title:
    "F13, I6: the server stands still for three TTLs while keepalives come; no lease ends, and an abandoned one still does",
  secondsMax: 60,
  run: async (context) => {
    const server = await ServerProcess.start({ dataDir: `${context.folder}/data` }, context);
    const keepers = await startKeepers(context, server.endpoint);
    const abandoned = await LeaseKeeper.start(server.endpoint, { ttlSeconds, everyMs: 150 });
    await pause(500, context.signal);
    abandoned.letGo();
    for (let round = 0; round < 2; round++) {
      await stall(server, ttlSeconds * 3000, context.signal);
      await pause(1500, context.signal);
      await allLive(keepers);
    }
    const client = await Client.connect(server.endpoint);
    const gone = async (): Promise<boolean> => (await client.must(leaseTimeToLive, { id: abandoned.lease })).ttl === -1;
    await until("the abandoned lease ends", gone, ttlSeconds + 2, context.signal);
  },
};

const flappingStall: Scenario = {
  title: "F13, I6: the server runs in short bursts between long stalls; no lease that is kept alive ends",
  secondsMax: 60,
  run: async (context) => {
    const server = await ServerProcess.start({ dataDir: `${context.folder}/data` }, context);
    const keepers = await startKeepers(context, server.endpoint);
    const endMs = nowMs() + (context.seconds ?? 12) * 1000;
    let stalls = 0;
    for (; nowMs() < endMs; stalls++) {
      await stall(server, 300 + ((stalls * 733) % 2200), context.signal);
      await pause(20 + ((stalls * 31) % 100), context.signal);
    }
    await pause(500, context.signal);
    await allLive(keepers);
    context.note(`${stalls} stalls`);
  },
};

const stoppedHolder: Scenario = {
  title:
    "F19, I4, I5, I14: a lock holder stands still; the next waiter is granted within TTL + 2 s, with a higher token, and the old holder is told",
  secondsMax: 60,
  run: async (context) => {
    const server = await ServerProcess.start({ dataDir: `${context.folder}/data` }, context);
    const first = new HolderProcess(context, server.endpoint, "lock", ttlSeconds);
    const held = await within(first.reported("holds"), 20, "the first client gets the lock");
    const client = await Client.connect(server.endpoint);
    const queue = { key: byteStringFromText("lock/"), rangeEnd: byteStringFromText("lock0") };
    const token = (await client.must(range, queue)).kvs[0]?.createRevision ?? 0;
    const second = new HolderProcess(context, server.endpoint, "lock", ttlSeconds);
    await within(second.reported("waits"), 20, "the second client waits");
    await pause(1000, context.signal);
    assert(!second.has("holds"), "two hold the lock");
    first.signal("SIGSTOP");
    const stoppedMs = nowMs();
    const next = await within(second.reported("holds"), ttlSeconds + 2, "the second client gets the lock");
    const passedMs = nowMs() - stoppedMs;
    context.note(`the lock passed on after ${passedMs.toFixed(0)} ms`);
    const { kvs } = await client.must(range, queue);
    assert.deepEqual(
      kvs.map((owner) => owner.key),
      [next.key],
      "the second client is the only one in the queue",
    );
    assert((kvs[0]?.createRevision ?? 0) > token, "the second client's token is not higher");
    // The last refresh may have been sent a quarter of the TTL before the stop.
    assert(passedMs > (ttlSeconds * 3000) / 4 - 100, `the lease ended early, after ${passedMs} ms`);
    first.signal("SIGCONT");
    await within(first.reported("lost"), 5, "the first client learns that its lease is gone");
    assert.notEqual(held.key, next.key);
  },
};

export const stallsSuite: Suite = {
  name: "stalls",
  summary: "servers and clients that stand still, or have too little memory",
  scenarios: [longStall, flappingStall, stoppedHolder, smallHeap],
};
