// WATCH-27: responses in fragments. WATCH-29 to WATCH-32: progress. WATCH-34: creates while others catch up.

import { everything, numberedKeys, putKeys, readAll } from "../phrases.js";
import { script } from "../script.js";
import { keysOf } from "../stream.js";
import type { Message } from "../wire.js";

const fragmentation = [
  script("WATCH-27", "a large response is cut for who asked for it, and whole for others", async (s) => {
    const keys = numberedKeys("k", 9);
    for (const key of keys) {
      await s.put(key, key.repeat(120_000));
    }
    const plain = await s.watch({ ...everything, filters: ["NOPUT"], prev_kv: true });
    const cut = await s.watch({ ...everything, filters: ["NOPUT"], prev_kv: true, fragment: true });
    const small = await s.watch({ ...everything, filters: ["NOPUT"], fragment: true });
    await s.deleteRange("k", { range_end: "l" });
    s.equal(keysOf((await plain.next()).shows({ fragment: false }).at("events") as []), keys);
    s.equal(keysOf((await small.next()).shows({ fragment: false }).at("events") as []), keys);
    const parts = await cut.take(3);
    parts.forEach((part, index) => {
      part.shows({ fragment: index < 2, watch_id: 0, header: { revision: 11 } });
    });
    s.equal(
      parts.flatMap((part) => keysOf(part.at("events") as [])),
      keys,
    );
  }),
  script(
    "WATCH-27",
    "the limit is half a mebibyte above that of requests, and counts the whole response",
    async (s) => {
      // A deletion of such a key takes 513 bytes of a response, of which 510 are the event.
      const keys = numberedKeys("k", 1220).map((key) => key.padEnd(500, "."));
      for (let first = 0; first < keys.length; first += 122) {
        const puts = keys.slice(first, first + 122).map((key) => ({ request_put: { key } }));
        (await s.txn({ success: puts })).shows({ header: { revision: 2 + first / 122 } });
      }
      const watcher = { ...everything, filters: ["NOPUT"], fragment: true, watch_id: 300 };
      const watch = await s.watch(watcher);
      await s.deleteRange("k", { range_end: "l" });
      const parts = await watch.take(2);
      parts.forEach((part, index) => {
        part.shows({ fragment: index === 0, watch_id: 300, header: { revision: 12 } });
      });
      s.equal(
        parts.map((part) => (part.at("events") as []).length),
        [1216, 4],
      );
      for (let first = 0; first < keys.length; first += 122) {
        await s.txn({ success: keys.slice(first, first + 122).map((key) => ({ request_put: { key } })) });
      }
      await s.deleteRange("k", { range_end: keys[1216] as string });
      (await watch.next()).shows({ fragment: false });
    },
    { args: ["--max-request-bytes", "100000"] },
  ),
  script("WATCH-27", "one large event is never cut", async (s) => {
    await s.put("a", "v".repeat(1_500_000));
    const watch = await s.watch({ key: "a", prev_kv: true, fragment: true });
    await s.put("a", "w".repeat(1_500_000));
    (await watch.next()).shows({ fragment: false, events: [{ kv: { version: 2 }, prev_kv: { version: 1 } }] });
  }),
];

const tick = { args: ["--watch-progress-notify-interval", "200ms"] };

const notifications = [
  script(
    ["WATCH-29", "WATCH-30"],
    "an idle watcher is told the revision at each tick, if it asked for that",
    async (s) => {
      const unobserved = "how often it is told depends on the time";
      const stream = s.stream("etcdserverpb.Watch/Watch", undefined, { unobserved });
      stream.send({ create_request: { key: "a" } });
      stream.send({ create_request: { key: "a", progress_notify: true } });
      stream.send({ create_request: { key: "a", progress_notify: true, watch_id: 9 } });
      await stream.take(3);
      const told: number[] = [];
      for (const revision of [1, 2, 3]) {
        for (let more = 4; more > 0; more--) {
          const reply = await stream.until({ created: false, events: [], header: { revision } });
          reply.shows({ canceled: false, cancel_reason: "" });
          told.push(reply.number("watch_id"));
        }
        await putKeys(s, "other");
      }
      s.equal([...new Set(told)].sort(), [1, 9]);
    },
    tick,
  ),
  script(
    ["WATCH-29", "WATCH-32"],
    "a notification tells of nothing that is still to come",
    async (s) => {
      const unobserved = "how often it is told depends on the time";
      const stream = s.stream("etcdserverpb.Watch/Watch", undefined, { unobserved });
      stream.send({ create_request: { key: "a", progress_notify: true } });
      await stream.next();
      const last = 3000;
      const writing = (async () => {
        for (let revision = 2; revision <= last; revision++) {
          await s.put("a", "v", {}, { unobserved });
        }
      })();
      let seen = 1;
      let notified = 0;
      while (notified < last) {
        const { message } = await stream.next();
        const events = message.events as readonly Message[];
        for (const { kv } of events) {
          s.equal((kv as Message).mod_revision, seen + 1);
          seen += 1;
        }
        if (events.length === 0) {
          notified = (message.header as Message).revision as number;
          s.ok(notified <= seen, `revision ${notified} was promised when ${seen} was the last event`);
        }
      }
      await writing;
      (await readAll(s)).shows({ kvs: [{ version: last - 1 }], header: { revision: last } });
    },
    tick,
  ),
  script(
    "WATCH-29",
    "a start in the future, and one long past: told only once there is something to tell",
    async (s) => {
      await putKeys(s, "b", "b");
      const unobserved = "how often it is told depends on the time";
      const stream = s.stream("etcdserverpb.Watch/Watch", undefined, { unobserved });
      stream.send({ create_request: { key: "a", progress_notify: true, start_revision: 6 } });
      stream.send({ create_request: { key: "a", progress_notify: true, start_revision: 1 } });
      await stream.take(2);
      for (let more = 3; more > 0; more--) {
        (await stream.next()).shows({ watch_id: 1, events: [], header: { revision: 3 } });
      }
      await putKeys(s, "b", "b", "b");
      (await stream.until({ watch_id: 0 })).shows({ events: [], header: { revision: 6 } });
    },
    tick,
  ),
];

const requests = [
  script("WATCH-31", "a request is answered for the stream when all its watchers are caught up", async (s) => {
    await putKeys(s, "a", "b");
    const stream = await s.watch({ key: "a" });
    const progress = { watch_id: -1, created: false, canceled: false, events: [], cancel_reason: "" };
    stream.send({ progress_request: {} });
    (await stream.next()).shows({ ...progress, header: { revision: 3 } });
    stream.send({ create_request: { key: "b", start_revision: 1 } });
    (await stream.next()).shows({ created: true });
    (await stream.next()).shows({ watch_id: 1, events: [{ kv: { key: "b" } }] });
    await putKeys(s, "c");
    stream.send({ progress_request: {} });
    (await stream.next()).shows({ ...progress, header: { revision: 4 } });
    stream.send({ progress_request: {} });
    stream.send({ progress_request: {} });
    await stream.take(2);
  }),
  script("WATCH-31", "without watchers, or with one of the future, it is not answered", async (s) => {
    const stream = s.stream("etcdserverpb.Watch/Watch");
    stream.send({ progress_request: {} });
    stream.send({ create_request: { key: "a", start_revision: 3 } });
    (await stream.next()).shows({ watch_id: 0, created: true });
    stream.send({ progress_request: {} });
    stream.send({ create_request: { key: "b" } });
    (await stream.next()).shows({ watch_id: 1, created: true });
    stream.send({ progress_request: {} });
    stream.send({ cancel_request: { watch_id: 1 } });
    (await stream.next()).shows({ watch_id: 1, canceled: true });
    await putKeys(s, "c");
    stream.send({ progress_request: {} });
    stream.send({ create_request: { key: "b" } });
    (await stream.next()).shows({ watch_id: 2, created: true });
    await putKeys(s, "c");
    stream.send({ progress_request: {} });
    (await stream.next()).shows({ watch_id: -1, header: { revision: 3 } });
    for (const id of [0, 2]) {
      stream.send({ cancel_request: { watch_id: id } });
      await stream.next();
    }
    stream.send({ progress_request: {} });
    stream.send({ create_request: { key: "b" } });
    (await stream.next()).shows({ watch_id: 3, created: true });
  }),
  script("WATCH-31", "a refused create is no watcher", async (s) => {
    const stream = s.stream("etcdserverpb.Watch/Watch");
    stream.send({ create_request: { key: "b", range_end: "a" } });
    await stream.next();
    stream.send({ progress_request: {} });
    stream.send({ create_request: { key: "b" } });
    (await stream.next()).shows({ watch_id: 0, created: true });
  }),
  script("WATCH-32", "all events up to the revision told were sent before, all others come after", async (s) => {
    const stream = await s.watch({ key: "a" });
    for (let round = 0; round < 10; round++) {
      await putKeys(s, "a", "b", "a", "a");
      stream.send({ progress_request: {} });
      for (const revision of [4 * round + 2, 4 * round + 4, 4 * round + 5]) {
        (await stream.next()).shows({ watch_id: 0, header: { revision } });
      }
      (await stream.next()).shows({ watch_id: -1, header: { revision: 4 * round + 5 }, events: [] });
    }
  }),
  script("WATCH-34", "watchers that catch up keep nobody waiting", async (s) => {
    const unobserved = "between watchers of one stream there is no order";
    await Promise.all(Array.from({ length: 3000 }, () => s.put("a", "v", {}, { unobserved })));
    const stream = s.stream("etcdserverpb.Watch/Watch", undefined, { unobserved });
    for (let count = 0; count < 20; count++) {
      stream.send({ create_request: { key: "a", start_revision: 2 } });
    }
    stream.send({ create_request: { key: "b", watch_id: 99 } });
    const live: Message[] = [];
    const caughtUp = new Map<number, number>();
    for (let done = 0; live.length < 2 || done < 20; ) {
      const reply = await stream.next();
      const id = reply.number("watch_id");
      const events = reply.at("events") as Message[];
      if (id === 99) {
        live.push(...events);
        if (reply.at("created") === true) {
          await putKeys(s, "b", "b");
        }
        continue;
      }
      for (const { kv } of events) {
        s.equal((kv as Message).mod_revision, (caughtUp.get(id) ?? 1) + 1);
        caughtUp.set(id, (kv as Message).mod_revision as number);
      }
      done = [...caughtUp.values()].filter((revision) => revision === 3001).length;
    }
    s.equal(keysOf(live), ["b", "b"]);
  }),
];

/** The scripts of this section. */
export const scripts = [...fragmentation, ...notifications, ...requests];
