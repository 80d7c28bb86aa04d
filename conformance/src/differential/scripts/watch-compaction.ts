// WATCH-22 to WATCH-24: watchers whose history is gone. WATCH-33: readers that are slow.

import { putKeys } from "../phrases.js";
import { script } from "../script.js";
import type { Session } from "../session.js";
import type { MessageStream } from "../stream.js";

const gone = (id: number, compactRevision: number) => ({
  watch_id: id,
  created: false,
  canceled: true,
  compact_revision: compactRevision,
  cancel_reason: "",
  events: [],
  header: { revision: 0, cluster_id: /^[1-9]\d*$/, member_id: /^[1-9]\d*$/ },
});

const duplicate = { canceled: true, cancel_reason: "mvcc: duplicate watch ID provided on the WatchStream" };

/** Enough for a stream that is not read to fill up everything between it and the history. */
const manyPuts = 1000;
const valueBytes = 4096;

/** Puts one key so often that a stream on it that is not read falls behind. */
async function fallBehind(s: Session, watch: MessageStream): Promise<void> {
  watch.pause();
  const unobserved = "they are all the same but for their revision";
  for (let done = 0; done < manyPuts; done += 50) {
    await Promise.all(Array.from({ length: 50 }, () => s.put("a", "v".repeat(valueBytes), {}, { unobserved })));
  }
}

/** The scripts of this section. */
export const scripts = [
  script("WATCH-22", "a start below the compacted revision: created, then told so", async (s) => {
    await putKeys(s, "a", "b", "a", "b", "a");
    await s.compact(4);
    const stream = s.stream("etcdserverpb.Watch/Watch");
    for (const [id, startRevision] of [1, 2, 3].entries()) {
      stream.send({ create_request: { key: "a", start_revision: startRevision } });
      (await stream.next()).shows({ watch_id: id, created: true, canceled: false, header: { revision: 6 } });
      (await stream.next()).shows(gone(id, 4));
    }
    stream.send({ create_request: { key: "none", start_revision: 1, filters: ["NOPUT", "NODELETE"] } });
    (await stream.next()).shows({ watch_id: 3, created: true });
    (await stream.next()).shows(gone(3, 4));
    stream.send({ create_request: { key: "z" } });
    (await stream.next()).shows({ watch_id: 4, created: true });
    await putKeys(s, "a", "z");
    (await stream.next()).shows({ watch_id: 4 });
  }),
  script("WATCH-23", "the compacted revision itself can still be watched", async (s) => {
    await putKeys(s, "a", "b", "a");
    await s.deleteRange("b");
    const live = await s.watch({ key: "a" });
    await s.compact(5);
    const stream = await s.watch({ key: "a", range_end: "c", start_revision: 5 });
    (await stream.next()).shows({ events: [{ type: "DELETE", kv: { key: "b", mod_revision: 5 } }] });
    await putKeys(s, "a");
    await s.compact(6);
    (await stream.next()).shows({ header: { revision: 6 } });
    (await live.next()).shows({ header: { revision: 6 } });
    const future = await s.watch({ key: "a", start_revision: 9 });
    await putKeys(s, "a", "a");
    await s.compact(8);
    await putKeys(s, "a");
    (await future.next()).shows({ header: { revision: 9 } });
  }),
  script("WATCH-23", "a watcher that compaction overtakes is told so", async (s) => {
    const unobserved = "how far it came depends on what lay between";
    const stream = s.stream("etcdserverpb.Watch/Watch", undefined, { unobserved });
    stream.send({ create_request: { key: "a" } });
    await stream.next();
    await fallBehind(s, stream);
    await s.compact(manyPuts + 1);
    await putKeys(s, "a");
    stream.resume();
    (await stream.until({ canceled: true })).shows(gone(0, manyPuts + 1));
    stream.send({ create_request: { key: "a", start_revision: manyPuts + 1 } });
    (await stream.next()).shows({ watch_id: 1, created: true });
    (await stream.next()).shows({ watch_id: 1, events: [{}, { kv: { value: "value of a" } }] });
  }),
  script("WATCH-24", "its id counts as used until the client cancels it", async (s) => {
    await putKeys(s, "a", "a", "a");
    await s.compact(3);
    const stream = await s.watch({ key: "a", start_revision: 1, watch_id: 7 });
    (await stream.next()).shows(gone(7, 3));
    stream.send({ create_request: { key: "a", watch_id: 7 } });
    (await stream.next()).shows({ watch_id: -1, created: true, ...duplicate });
    stream.send({ cancel_request: { watch_id: 7 } });
    (await stream.next()).shows({ watch_id: 7, canceled: true, compact_revision: 0, header: { revision: 4 } });
    stream.send({ cancel_request: { watch_id: 7 } });
    stream.send({ create_request: { key: "a", watch_id: 7 } });
    (await stream.next()).shows({ watch_id: 7, created: true, canceled: false });
    await putKeys(s, "a");
    (await stream.next()).shows({ watch_id: 7, events: [{ kv: { version: 4 } }] });
  }),
  script(["WATCH-24", "WATCH-31"], "until then it keeps progress from being told", async (s) => {
    await putKeys(s, "a", "a", "a");
    await s.compact(3);
    const stream = await s.watch({ key: "a", start_revision: 1 });
    (await stream.next()).shows(gone(0, 3));
    stream.send({ progress_request: {} });
    stream.send({ create_request: { key: "z" } });
    (await stream.next()).shows({ watch_id: 1, created: true });
    stream.send({ progress_request: {} });
    stream.send({ cancel_request: { watch_id: 0 } });
    (await stream.next()).shows({ watch_id: 0, canceled: true });
    stream.send({ progress_request: {} });
    (await stream.next()).shows({ watch_id: -1, header: { revision: 4 } });
  }),
  script("WATCH-33", "a slow reader loses nothing", async (s) => {
    const stream = await s.watch({ key: "a" });
    await fallBehind(s, stream);
    stream.resume();
    const events = await stream.events(manyPuts);
    const revisions = events.map(({ kv }) => (kv as { readonly mod_revision: number }).mod_revision);
    s.equal(
      revisions,
      Array.from({ length: manyPuts }, (_, index) => index + 2),
    );
    await putKeys(s, "a");
    (await stream.next()).shows({ events: [{ kv: { version: manyPuts + 1 } }] });
  }),
];
