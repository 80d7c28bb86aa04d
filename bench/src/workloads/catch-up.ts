/**
 * One watcher that begins at the first revision of a long history: how fast it is told everything that happened. One
 * operation is one event; their number is exact, one response of a thousand and the ends are decoded.
 */

import type { WatchResponse } from "@holdfast/protocol";
import { Connections } from "../load/connections.js";
import { keyPrefix, loadKeys } from "../load/keys.js";
import { measureUsage } from "../load/usage.js";
import { endOfPrefix } from "../referee/requests.js";
import { WatcherStream } from "../watch/watcher-stream.js";
import type { Bench, Load, Workload } from "../workload.js";

const eventsInAll = 100_000;
const eventsQuick = 20_000;
const warmUpEvents = 5_000;
const valueBytes = 128;
const withinMs = 120_000;
const loadingConnections = 4;

/** The store's first write makes revision 2, and each was one write. */
const firstRevision = 2;

/** Resolves when a new watcher has been told of the last `count` of `all` events. */
function catchUp(connections: Connections, all: number, count = all): Promise<void> {
  const startRevision = firstRevision + all - count;
  const told = new Promise<void>((resolve, reject) => {
    let seen = 0;
    const listener = {
      created: () => {},
      events: (_watcher: number, events: number) => {
        seen += events;
        if (seen > count) reject(new Error(`${seen} events of ${count}`));
        if (seen < count) return;
        stream.cancel();
        resolve();
      },
      sample: (_watcher: number, response: WatchResponse) => checkOrder(response, startRevision + seen),
    };
    const watched = { key: keyPrefix, rangeEnd: endOfPrefix(keyPrefix), startRevision };
    const stream = new WatcherStream(connections.at(0), [watched], listener);
  });
  return connections.during(`catching up on ${count} events`, withinMs, told);
}

/** Every revision is one event: none is left out, told twice, or out of its place. */
function checkOrder({ events }: WatchResponse, firstDue: number): void {
  events.forEach(({ kv }, index) => {
    const due = firstDue + index;
    if (kv?.modRevision !== due) throw new Error(`an event of revision ${kv?.modRevision} in the place of ${due}`);
  });
}

async function open(bench: Bench): Promise<Load> {
  const count = bench.isQuick ? eventsQuick : eventsInAll;
  const server = await bench.start();
  const connections = await Connections.open(server, loadingConnections);
  await loadKeys(connections, count, valueBytes);
  await catchUp(connections, count, warmUpEvents);
  return {
    round: async () => {
      const used = measureUsage(server);
      const startMs = performance.now();
      await catchUp(connections, count);
      const seconds = (performance.now() - startMs) / 1000;
      return { figure: count / seconds, operations: count, ...used() };
    },
    close: async () => connections.close(),
  };
}

export const catchUpWorkloads: readonly Workload[] = [
  {
    name: "watch catch-up over 100,000 events (quick: 20,000)",
    group: "catch-up",
    unit: "events/s",
    goal: { ratio: 50, sense: "at least" },
    roundsMax: 3,
    open,
  },
];
