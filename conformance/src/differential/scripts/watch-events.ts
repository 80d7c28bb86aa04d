// WATCH-18 to WATCH-21, WATCH-25 and WATCH-26: what watchers are told, and in which pieces.

import { everything, numberedKeys, putKeys } from "../phrases.js";
import { script } from "../script.js";
import { keysOf } from "../stream.js";
import type { Message, Request } from "../wire.js";

const put = (key: string, value = "v"): Request => ({ request_put: { key, value } });
const remove = (key: string, more: Request = {}): Request => ({ request_delete_range: { key, ...more } });

/** How many events and which revision a response has. */
const sizeOf = (message: Message) => [
  (message.events as readonly unknown[]).length,
  (message.header as Message).revision,
];

const contents = [
  script("WATCH-18", "puts carry everything, deletions the key and their revision", async (s) => {
    await s.grant(600, 7);
    const watch = await s.watch(everything);
    await s.put("a", "one");
    const made = { key: "a", value: "one", create_revision: 2, mod_revision: 2, version: 1, lease: 0 };
    (await watch.next()).shows({ events: [{ type: "PUT", kv: made, prev_kv: null }] });
    await s.put("a", "two", { lease: 7 });
    const changed = { ...made, value: "two", mod_revision: 3, version: 2, lease: 7 };
    (await watch.next()).shows({ events: [{ type: "PUT", kv: changed, prev_kv: null }] });
    await s.deleteRange("a");
    const gone = { key: "a", value: "", create_revision: 0, mod_revision: 4, version: 0, lease: 0 };
    (await watch.next()).shows({ events: [{ type: "DELETE", kv: gone, prev_kv: null }] });
    await s.put("a", "three");
    (await watch.next()).shows({ events: [{ type: "PUT", kv: { create_revision: 5, mod_revision: 5, version: 1 } }] });
    const history = await s.watch({ ...everything, start_revision: 2 });
    (await history.next()).shows({ events: [{ kv: made }, { kv: changed }, { kv: gone }, { type: "PUT" }] });
  }),
  script("WATCH-19", "one response for each revision, its events as they were made", async (s) => {
    await putKeys(s, "d", "e", "f");
    const watch = await s.watch({ key: "a", range_end: "z" });
    await s.txn({ success: [put("c"), put("a"), remove("d"), put("x"), put("b")] });
    const response = (await watch.next()).shows({ header: { revision: 5 } });
    s.equal(keysOf(response.at("events") as []), ["c", "a", "d", "x", "b"]);
    await s.deleteRange("a", { range_end: "g" });
    const deleted = (await watch.next()).shows({ header: { revision: 6 } });
    s.equal(keysOf(deleted.at("events") as []), ["a", "b", "c", "e", "f"]);
    await s.txn({ success: [put("a"), put("\xff"), { request_txn: { success: [put("b"), remove("x")] } }] });
    const nested = (await watch.next()).shows({ header: { revision: 7 } });
    s.equal(keysOf(nested.at("events") as []), ["a", "b", "x"]);
    await s.txn({ success: [remove("none"), put("\xfe")] });
    await s.put("a", "v");
    (await watch.next()).shows({ header: { revision: 9 }, events: [{ kv: { version: 2 } }] });
  }),
  script("WATCH-19", "a transaction of many operations is one response", async (s) => {
    const watch = await s.watch(everything);
    const keys = numberedKeys("k", 128);
    await s.txn({ success: keys.map((key) => put(key)) });
    const response = (await watch.next()).shows({ header: { revision: 2 }, fragment: false });
    s.equal(keysOf(response.at("events") as []), keys);
    await s.deleteRange("k", { range_end: "l" });
    s.equal(keysOf((await watch.next()).at("events") as []), keys);
  }),
];

const pieces = [
  script("WATCH-20", "catching up comes in pieces of a thousand revisions, headed by the present one", async (s) => {
    const unobserved = "they are all the same but for their revision";
    await Promise.all(Array.from({ length: 2500 }, () => s.put("a", "v", {}, { unobserved })));
    const watch = await s.watch({ key: "a", start_revision: 2 });
    const responses = await watch.take(3);
    s.equal(
      responses.map(({ message }) => sizeOf(message)),
      [
        [1000, 2501],
        [1000, 2501],
        [500, 2501],
      ],
    );
    await putKeys(s, "a");
    (await watch.next()).shows({ header: { revision: 2502 }, events: [{ kv: { mod_revision: 2502 } }] });
  }),
  script("WATCH-20", "a revision is never split over pieces", async (s) => {
    const keys = numberedKeys("k", 100);
    for (let revision = 2; revision <= 13; revision++) {
      (await s.txn({ success: keys.map((key) => put(key)) })).shows({ header: { revision } });
    }
    const watch = await s.watch({ ...everything, start_revision: 2 });
    const response = await watch.next();
    s.equal(sizeOf(response.message), [1200, 13]);
  }),
  script(
    "WATCH-20",
    "revisions of other keys do not count",
    async (s) => {
      const unobserved = "they are all the same but for their revision";
      for (let round = 0; round < 5; round++) {
        await Promise.all(Array.from({ length: 400 }, () => s.put("other", "v", {}, { unobserved })));
        await putKeys(s, "a");
      }
      const watch = await s.watch({ key: "a", start_revision: 2 }, { as: "pieces" });
      (await watch.next()).shows({ header: { revision: 2006 }, events: [{}, {}, {}, {}, {}] });
      const whole = await s.watch({ key: "a", start_revision: 2 });
      await whole.events(5);
    },
    {
      divergences: [
        { row: "WATCH-20", at: "pieces.messages.1.events", etcd: [{}, {}, {}, {}, {}], holdfast: [{}, {}] },
      ],
    },
  ),
  script(
    "WATCH-20",
    "nor does the size of the values",
    async (s) => {
      for (const letter of "abcdef") {
        await s.put("a", letter.repeat(600_000));
      }
      const watch = await s.watch({ key: "a", start_revision: 2 }, { as: "pieces" });
      (await watch.next()).shows({ header: { revision: 7 }, events: [{}, {}, {}, {}, {}, {}] });
      const whole = await s.watch({ key: "a", start_revision: 2 });
      await whole.events(6);
    },
    {
      divergences: [
        { row: "WATCH-20", at: "pieces.messages.1.events", etcd: [{}, {}, {}, {}, {}, {}], holdfast: [{}, {}] },
      ],
    },
  ),
  script("WATCH-21", "every watcher sees every revision once, in order", async (s) => {
    await putKeys(s, "a", "b", "a");
    const unobserved = "between watchers of one stream there is no order";
    const stream = s.stream("etcdserverpb.Watch/Watch", undefined, { unobserved });
    const history = { ...everything, start_revision: 2 };
    const watchers: readonly Request[] = [{ key: "a" }, everything, { key: "b" }, history];
    for (const [id, watcher] of watchers.entries()) {
      stream.send({ create_request: watcher });
      (await stream.next()).shows({ watch_id: id, created: true });
    }
    for (let round = 0; round < 20; round++) {
      await putKeys(s, "a", "b");
      await s.txn({ success: [put("b"), put("c"), put("a")] });
    }
    const counts = [40, 100, 40, 103];
    const seen: Message[][] = counts.map(() => []);
    while (seen.some((events, id) => events.length < (counts[id] as number))) {
      const reply = await stream.next();
      seen[reply.number("watch_id")]?.push(...(reply.at("events") as Message[]));
    }
    const told = seen.map((events) => events.map(({ kv }) => [(kv as Message).mod_revision, (kv as Message).key]));
    s.observe("told", told as []);
    s.equal(
      told.map(({ length }) => length),
      counts,
    );
  }),
];

const selections = [
  script("WATCH-25", "prev_kv is the pair of the revision before", async (s) => {
    const watch = await s.watch({ ...everything, prev_kv: true });
    await s.put("a", "one");
    (await watch.next()).shows({ events: [{ prev_kv: null }] });
    await s.put("a", "two");
    (await watch.next()).shows({ events: [{ prev_kv: { value: "one", version: 1 } }] });
    await s.deleteRange("a");
    (await watch.next()).shows({ events: [{ type: "DELETE", prev_kv: { value: "two", mod_revision: 3 } }] });
    await s.put("a", "three");
    (await watch.next()).shows({ events: [{ prev_kv: null }] });
    await s.txn({ success: [put("a", "four"), put("b", "v"), { request_txn: { success: [remove("c")] } }] });
    (await watch.next()).shows({ events: [{ prev_kv: { value: "three" } }, { prev_kv: null }] });
  }),
  script("WATCH-25", "other changes of the same transaction do not count", async (s) => {
    await s.put("a", "before");
    const watch = await s.watch({ ...everything, prev_kv: true });
    const both = { success: [remove("a"), { request_txn: { success: [put("a", "made again")] } }] };
    const txn = await s.txn(both, { as: "delete and put" });
    s.observe("allowed", txn.status);
    await s.put("a", "after");
    const last = await watch.eventsUntil("a");
    s.ok(last.length > 0, "it was told");
    await s.put("z", "v");
    await watch.eventsUntil("z");
  }),
  script("WATCH-25", "it is left out where it was compacted, and told only to who asks", async (s) => {
    await putKeys(s, "a", "a", "b", "a");
    await s.deleteRange("a");
    await s.compact(5);
    const watch = await s.watch({ key: "a", start_revision: 5, prev_kv: true });
    (await watch.next()).shows({
      events: [
        { kv: { mod_revision: 5 }, prev_kv: null },
        { type: "DELETE", prev_kv: { mod_revision: 5 } },
      ],
    });
    const unobserved = "between watchers of one stream there is no order";
    const stream = s.stream("etcdserverpb.Watch/Watch", undefined, { unobserved });
    stream.send({ create_request: { key: "b", prev_kv: true } });
    stream.send({ create_request: { key: "b" } });
    await stream.take(2);
    await putKeys(s, "b");
    for (const reply of await stream.take(2)) {
      const previous = reply.number("watch_id") === 0 ? { version: 1 } : null;
      reply.shows({ events: [{ kv: { version: 2 }, prev_kv: previous }] });
    }
  }),
  script("WATCH-26", "filters drop puts or deletions; a response left empty is not sent", async (s) => {
    const noPuts = await s.watch({ ...everything, filters: ["NOPUT"] });
    const noDeletes = await s.watch({ ...everything, filters: ["NODELETE"] });
    const nothing = await s.watch({ ...everything, filters: ["NOPUT", "NODELETE"] });
    const twice = await s.watch({ ...everything, filters: ["NOPUT", "NOPUT"] });
    await putKeys(s, "a", "b");
    await s.deleteRange("a");
    await s.txn({ success: [put("c"), remove("b"), put("d")] });
    (await noPuts.next()).shows({ header: { revision: 4 }, events: [{ type: "DELETE" }] });
    (await noPuts.next()).shows({ header: { revision: 5 }, events: [{ type: "DELETE", kv: { key: "b" } }] });
    (await noDeletes.next()).shows({ header: { revision: 2 } });
    (await noDeletes.next()).shows({ header: { revision: 3 } });
    (await noDeletes.next()).shows({ events: [{ kv: { key: "c" } }, { kv: { key: "d" } }] });
    (await twice.next()).shows({ header: { revision: 4 } });
    nothing.send({ progress_request: {} });
    (await nothing.next()).shows({ watch_id: -1, header: { revision: 5 }, events: [] });
    const history = await s.watch({ ...everything, start_revision: 1, filters: ["NOPUT"], prev_kv: true });
    (await history.next()).shows({ header: { revision: 5 }, events: [{ type: "DELETE" }, { kv: { key: "b" } }] });
  }),
  script("WATCH-26", "a filter that does not exist", async (s) => {
    const watch = await s.watch({ ...everything, filters: [9, "NOPUT"] });
    await putKeys(s, "a");
    await s.deleteRange("a");
    (await watch.next()).shows({ events: [{ type: "DELETE" }] });
  }),
];

/** The scripts of this section. */
export const scripts = [...contents, ...pieces, ...selections];
