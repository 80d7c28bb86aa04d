// WATCH-1 to WATCH-9, without authentication: what a watch stream answers to creates.

import { everything, putKeys, refusals } from "../phrases.js";
import { script } from "../script.js";
import type { Session } from "../session.js";
import type { MessageStream } from "../stream.js";
import type { Request } from "../wire.js";

const openWatch = (s: Session): MessageStream => s.stream("etcdserverpb.Watch/Watch");

/** Asks for a watcher and demands that it is created with this id. */
async function creates(stream: MessageStream, create: Request, id: number): Promise<void> {
  stream.send({ create_request: create });
  (await stream.next()).shows({ watch_id: id, created: true, canceled: false, events: [], cancel_reason: "" });
}

/** Asks for a watcher and demands that it is refused. */
async function refuses(stream: MessageStream, create: Request, cancelReason: string): Promise<void> {
  stream.send({ create_request: create });
  const refused = { created: true, canceled: true, watch_id: -1, cancel_reason: cancelReason, compact_revision: 0 };
  (await stream.next()).shows(refused);
}

const duplicate = "mvcc: duplicate watch ID provided on the WatchStream";
const emptyRange = "mvcc: watcher range is empty";

/** The scripts of this section. */
export const scripts = [
  script("WATCH-1", "each create is answered once, in order, and before its events", async (s) => {
    await putKeys(s, "a", "b");
    const stream = openWatch(s);
    const keys = ["c", "d", "e", "f"];
    for (const key of keys) {
      stream.send({ create_request: { key } });
    }
    for (const [index] of keys.entries()) {
      (await stream.next()).shows({ watch_id: index, created: true, header: { revision: 3 } });
    }
    await creates(stream, { key: "a", start_revision: 1 }, 4);
    (await stream.next()).shows({ watch_id: 4, events: [{ kv: { key: "a" } }] });
    for (const [index, key] of keys.entries()) {
      await s.put(key, "v");
      (await stream.next()).shows({ watch_id: index, created: false, events: [{ kv: { key } }] });
    }
  }),
  script("WATCH-2", "ids are counted up from 0, past those in use, and never back", async (s) => {
    const stream = openWatch(s);
    await creates(stream, { key: "a" }, 0);
    await creates(stream, { key: "a", watch_id: 2 }, 2);
    await creates(stream, { key: "a" }, 1);
    await creates(stream, { key: "a" }, 3);
    stream.send({ cancel_request: { watch_id: 1 } });
    (await stream.next()).shows({ watch_id: 1, canceled: true });
    await creates(stream, { key: "a" }, 4);
    await creates(stream, { key: "a", watch_id: 1 }, 1);
    await refuses(stream, { key: "b", range_end: "a" }, emptyRange);
    await creates(stream, { key: "a" }, 5);
    const other = openWatch(s);
    await creates(other, { key: "a" }, 0);
  }),
  script("WATCH-3", "a chosen id is used as given; one in use is refused", async (s) => {
    const stream = openWatch(s);
    for (const id of [7, -2, Number.MAX_SAFE_INTEGER, 1]) {
      await creates(stream, { key: `key of ${id}`, watch_id: id }, id);
    }
    for (const id of [7, -2, 1]) {
      await refuses(stream, { key: "other", watch_id: id }, duplicate);
    }
    await s.put("other", "v");
    await s.put("key of 7", "v");
    (await stream.next()).shows({ watch_id: 7, events: [{ kv: { key: "key of 7" } }] });
    await s.put("key of -2", "v");
    (await stream.next()).shows({ watch_id: -2 });
    const other = openWatch(s);
    await creates(other, { key: "a", watch_id: 7 }, 7);
  }),
  script("WATCH-3", "extreme ids, and that of refusals", async (s) => {
    const stream = openWatch(s);
    for (const id of ["9223372036854775807", "-9223372036854775808", -1]) {
      stream.send({ create_request: { key: `key of ${id}`, watch_id: id } });
      (await stream.next()).shows({ watch_id: id, created: true, canceled: false });
      await s.put(`key of ${id}`, "v");
      (await stream.next()).shows({ watch_id: id, events: [{ kv: { key: `key of ${id}` } }] });
      await refuses(stream, { key: "a", watch_id: id }, duplicate);
    }
    stream.send({ cancel_request: { watch_id: "-9223372036854775808" } });
    (await stream.next()).shows({ canceled: true });
    stream.send({ cancel_request: { watch_id: -1 } });
    (await stream.next()).shows({ watch_id: -1, canceled: true, created: false });
  }),
  script("WATCH-4", "a range that is empty is refused", async (s) => {
    const stream = openWatch(s);
    await refuses(stream, { key: "b", range_end: "a" }, emptyRange);
    await refuses(stream, { key: "a", range_end: "a" }, emptyRange);
    await refuses(stream, { key: "a\0", range_end: "a" }, emptyRange);
    await refuses(stream, { key: "\xff", range_end: "\x80" }, emptyRange);
    await refuses(stream, { key: "b", range_end: "a", watch_id: 7 }, emptyRange);
    await creates(stream, { key: "b", range_end: "\0" }, 0);
    await creates(stream, { key: "", range_end: "\0" }, 1);
    await creates(stream, { key: "b" }, 2);
    await creates(stream, { key: "a", range_end: "a\0", watch_id: 7 }, 7);
    await refuses(stream, { key: "\0\0", range_end: "\0\0" }, emptyRange);
    await refuses(stream, { key: "b", range_end: "a", watch_id: 7 }, emptyRange);
  }),
  script("WATCH-5", "without a start revision every later event comes, and none before", async (s) => {
    await putKeys(s, "a", "a", "b");
    const stream = openWatch(s);
    stream.send({ create_request: { key: "a" } });
    (await stream.next()).shows({ created: true, header: { revision: 4 } });
    for (const revision of [5, 6, 7]) {
      await putKeys(s, "a");
      (await stream.next()).shows({ header: { revision }, events: [{ kv: { mod_revision: revision } }] });
    }
    const fresh = openWatch(s);
    fresh.send({ create_request: { key: "a", start_revision: 0 } });
    (await fresh.next()).shows({ header: { revision: 7 } });
    await s.deleteRange("a");
    (await fresh.next()).shows({ header: { revision: 8 }, events: [{ type: "DELETE" }] });
  }),
  script(["WATCH-6", "KV-1"], "which keys a watcher sees", async (s) => {
    const unobserved = "watchers of one stream are told of one revision in no particular order";
    const stream = s.stream("etcdserverpb.Watch/Watch", undefined, { unobserved });
    const intervals: readonly Request[] = [
      {},
      { range_end: "\0" },
      { range_end: "b" },
      { key: "a" },
      { key: "a", range_end: "b" },
      { key: "a", range_end: "\0" },
      everything,
      { key: "\0" },
      { key: "\xff", range_end: "\0" },
    ];
    for (const [index, interval] of intervals.entries()) {
      await creates(stream, { ...interval, watch_id: index + 1 }, index + 1);
    }
    for (const [key, watchers] of [
      ["\0", [1, 2, 3, 7, 8]],
      ["\0\0", [2, 3, 7]],
      ["a", [2, 3, 4, 5, 6, 7]],
      ["a\0", [2, 3, 5, 6, 7]],
      ["b", [2, 6, 7]],
      ["\xff", [2, 6, 7, 9]],
      ["\xff\xff", [2, 6, 7, 9]],
    ] as const) {
      await s.put(key, "v");
      const responses = await stream.take(watchers.length);
      s.equal(responses.map((response) => response.number("watch_id")).sort(), watchers);
    }
  }),
  script("WATCH-7", "a start in the future is silent until then", async (s) => {
    await putKeys(s, "a");
    const stream = await s.watch({ key: "a", start_revision: 5 });
    await putKeys(s, "a", "a", "b", "a");
    (await stream.next()).shows({ header: { revision: 6 }, events: [{ kv: { mod_revision: 6 } }] });
    const next = await s.watch({ key: "a", start_revision: 7 });
    await putKeys(s, "a");
    (await next.next()).shows({ header: { revision: 7 }, events: [{ kv: { mod_revision: 7 } }] });
    const far = await s.watch({ key: "a", start_revision: 2 ** 40 });
    await putKeys(s, "a");
    far.send({ create_request: { key: "z" } });
    (await far.next()).shows({ created: true, watch_id: 1 });
  }),
  script("WATCH-8", "history from the start revision, then live events, without gap or repeat", async (s) => {
    await putKeys(s, "a", "b", "a", "c", "a");
    await s.deleteRange("b");
    const stream = await s.watch({ key: "a", range_end: "c", start_revision: 3 });
    await putKeys(s, "a", "b", "c", "a");
    const events = await stream.events(7);
    const revisions = events.map(({ kv }) => (kv as { readonly mod_revision: number }).mod_revision);
    s.equal(revisions, [3, 4, 6, 7, 8, 9, 11]);
    const whole = await s.watch({ ...everything, start_revision: 1 });
    (await whole.next()).shows({ header: { revision: 11 } });
    await putKeys(s, "z");
    (await whole.next()).shows({ header: { revision: 12 }, events: [{ kv: { key: "z" } }] });
    const current = await s.watch({ key: "z", start_revision: 12 });
    (await current.next()).shows({ header: { revision: 12 }, events: [{ kv: { key: "z" } }] });
  }),
  script("WATCH-9", "a start before 0 is refused, and before all other reasons", async (s) => {
    await putKeys(s, "a");
    const stream = openWatch(s);
    const [, compacted] = refusals.compacted;
    await refuses(stream, { key: "a", start_revision: -1 }, compacted);
    await refuses(stream, { key: "b", range_end: "a", start_revision: -1 }, compacted);
    await creates(stream, { key: "a", watch_id: 7 }, 7);
    await refuses(stream, { key: "a", watch_id: 7, start_revision: "-9223372036854775808" }, compacted);
    await creates(stream, { key: "a" }, 0);
  }),
  script(["WATCH-4", "ORD-4"], "an empty range is looked at before the id", async (s) => {
    const stream = openWatch(s);
    await creates(stream, { key: "a", watch_id: 7 }, 7);
    await refuses(stream, { key: "b", range_end: "a", watch_id: 7 }, emptyRange);
    await refuses(stream, { key: "a", watch_id: 7 }, duplicate);
  }),
];
