/** F19: a client whose cable is pulled: no FIN ever comes. */
import assert from "node:assert/strict";
import { byteStringFromText, kvService, leaseService, lockService } from "@holdfast/protocol";
import { Client } from "../client.js";
import { LeaseKeeper } from "../lease-keeper.js";
import { metricsOf } from "../pages.js";
import type { Scenario } from "../scenario.js";
import { ServerProcess } from "../server-process.js";
import { nowMs, pause, until, within } from "../waiting.js";
import { cannotMakeNamespaces, makeNamespace } from "./namespace.js";

const ttlSeconds = 4;
const pingSeconds = 2;
const name = byteStringFromText("lock");
const { lock } = lockService.methods;

const connectionsGauge = "holdfast_transport_connections";
const streamsGauge = "holdfast_transport_streams";
const watchersGauge = "etcd_debugging_mvcc_watcher_total";

export const halfOpen: Scenario = {
  title:
    "F19, F26, I4, I14: a lock holder's cable is pulled; the next waiter is granted within TTL + 2 s, and what the dead connection held is freed",
  secondsMax: 60,
  missing: cannotMakeNamespaces,
  run: async (context) => {
    const { wrapper, cables } = await makeNamespace(context, 2);
    const [doomed, other] = cables;
    assert(doomed !== undefined && other !== undefined);
    await ServerProcess.start(
      {
        dataDir: `${context.folder}/data`,
        wrapper,
        listen: "0.0.0.0:2379",
        args: [
          "--allow-insecure-listen",
          ...["--grpc-keepalive-interval", `${pingSeconds}s`, "--grpc-keepalive-timeout", `${pingSeconds}s`],
        ],
      },
      context,
    );
    const endpoint = `${other.farAddress}:2379`;
    const page = () => metricsOf(endpoint);
    const client = await Client.connect(endpoint);
    const base = await page();
    const holder = await LeaseKeeper.start(`${doomed.farAddress}:2379`, { ttlSeconds, everyMs: 300 });
    await holder.client.must(lock, { name, lease: holder.lease });
    for (let number = 0; number < 20; number++)
      holder.client.watch({ key: byteStringFromText(`w/${number}`) }, () => undefined);
    await until("the watches are there", async () => (await page()).get(watchersGauge) === 20, 5, context.signal);
    const waiter = await LeaseKeeper.start(endpoint, { ttlSeconds, everyMs: 300 });
    const granted = waiter.client.must(lock, { name, lease: waiter.lease }, 30_000);
    await pause(700, context.signal);
    await doomed.pull();
    const pulledMs = nowMs();
    await within(granted, ttlSeconds + 2, "the next waiter gets the lock");
    const passedMs = nowMs() - pulledMs;
    assert(passedMs > ttlSeconds * 1000 - 400, `the lease ended early, after ${passedMs.toFixed(0)} ms`);
    const freed = async (): Promise<boolean> => {
      const now = await page();
      // One connection and two streams more than before are the waiter's.
      return now.get(watchersGauge) === 0 && (now.get(connectionsGauge) ?? 0) <= (base.get(connectionsGauge) ?? 0) + 1;
    };
    await until("what the dead connection held is freed", freed, 4 * pingSeconds, context.signal);
    const freedMs = nowMs() - pulledMs;
    context.note(
      `the lock passed on after ${passedMs.toFixed(0)} ms, the connection was freed within ${freedMs.toFixed(0)} ms`,
    );
    await doomed.plugIn();
    const { ttl } = await client.must(leaseService.methods.leaseTimeToLive, { id: holder.lease });
    assert.equal(ttl, -1);
    await within(holder.client.closed, 20, "the old holder learns that its connection is gone");
    holder.stop();
    waiter.stop();
    assert(((await page()).get(streamsGauge) ?? 0) <= 2);
    await client.must(kvService.methods.put, { key: name });
  },
};

/** Pulled for less than anybody's patience: as if nothing had been. */
export const briefPartition: Scenario = {
  title: "F19, F27, I6: a cable that is pulled for less than the TTL costs no lease, no watch event and no connection",
  secondsMax: 60,
  missing: cannotMakeNamespaces,
  run: async (context) => {
    const { wrapper, cables } = await makeNamespace(context, 2);
    const [flapping, other] = cables;
    assert(flapping !== undefined && other !== undefined);
    const args = ["--allow-insecure-listen"];
    const dataDir = `${context.folder}/data`;
    await ServerProcess.start({ dataDir, wrapper, listen: "0.0.0.0:2379", args }, context);
    const keeper = await LeaseKeeper.start(`${flapping.farAddress}:2379`, { ttlSeconds: 6, everyMs: 200 });
    const client = await Client.connect(`${other.farAddress}:2379`);
    const key = byteStringFromText("k");
    const seen: number[] = [];
    keeper.client.watch({ key }, ({ events }) => seen.push(...events.map(({ kv }) => kv?.modRevision ?? 0)));
    await pause(300, context.signal);
    const written: number[] = [];
    for (let round = 0; round < 3; round++) {
      await flapping.pull();
      for (let number = 0; number < 20; number++) {
        const { header } = await client.must(kvService.methods.put, { key });
        written.push(header?.revision ?? 0);
      }
      await pause(1200, context.signal);
      await flapping.plugIn();
      await until("the events come when the cable is back", () => seen.length >= written.length, 10, context.signal);
    }
    assert.deepEqual(seen, written);
    assert.equal(keeper.lostCount, 0, "the lease has ended");
    assert(keeper.client.usable, "the connection is lost");
    keeper.stop();
  },
};
