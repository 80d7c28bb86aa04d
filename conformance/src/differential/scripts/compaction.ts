// COMP-1 to COMP-7: Compact.

import { everything, putKeys, readAll, refusals } from "../phrases.js";
import { script } from "../script.js";

/** The scripts of this section. */
export const scripts = [
  script("COMP-1", "the compacted revision only goes forward, up to the current one", async (s) => {
    await putKeys(s, "a", "b", "c");
    (await s.compact(5)).refused(...refusals.future);
    (await s.compact(3)).shows({ header: { revision: 4 } });
    (await s.compact(3)).refused(...refusals.compacted);
    (await s.compact(2)).refused(...refusals.compacted);
    (await s.compact(0)).refused(...refusals.compacted);
    (await s.compact(-1)).refused(...refusals.compacted);
    (await s.compact(4)).succeeds();
    (await s.compact(4)).refused(...refusals.compacted);
    (await s.compact(5)).refused(...refusals.future);
    (await readAll(s)).shows({ count: 3 });
  }),
  script("COMP-2", "a store that was never compacted takes 0 once", async (s) => {
    (await s.compact(-1)).refused(...refusals.compacted);
    (await s.compact(0)).shows({ header: { revision: 1 } });
    (await s.compact(0)).refused(...refusals.compacted);
    (await s.range("a", { revision: -1 })).succeeds();
    (await s.compact(1)).succeeds();
    (await s.compact(1)).refused(...refusals.compacted);
    (await s.compact(2)).refused(...refusals.future);
    await putKeys(s, "a");
    (await s.range("a", { revision: 1 })).shows({ count: 0 });
  }),
  script("COMP-3", "reads below fail; the newest version at or before the revision is kept", async (s) => {
    await putKeys(s, "a", "b", "a", "c");
    await s.deleteRange("b");
    await putKeys(s, "a", "b");
    (await s.compact(5)).shows({ header: { revision: 8 } });
    for (const revision of [1, 2, 3, 4]) {
      (await s.range("a", { revision })).refused(...refusals.compacted);
    }
    for (const [revision, count] of [
      [5, 3],
      [6, 2],
      [7, 2],
      [8, 3],
    ] as const) {
      (await s.range("\0", { range_end: "\0", revision })).shows({ count, header: { revision: 8 } });
    }
    (await s.range("a", { revision: 5 })).shows({ kvs: [{ version: 2, mod_revision: 4, create_revision: 2 }] });
    const watch = await s.watch({ ...everything, start_revision: 5, prev_kv: true });
    await watch.events(4);
    const early = s.stream("etcdserverpb.Watch/Watch");
    early.send({ create_request: { ...everything, start_revision: 4 } });
    await early.take(2);
  }),
  script("COMP-4", "a delete at exactly the compacted revision is still seen", async (s) => {
    await putKeys(s, "a", "b");
    await s.deleteRange("a");
    await s.compact(4);
    const watch = await s.watch({ ...everything, start_revision: 4, prev_kv: true });
    const [event] = await watch.events(1);
    s.equal(event?.type, "DELETE");
    (await s.range("a", { revision: 4 })).shows({ count: 0 });
    await putKeys(s, "b");
    await s.compact(5);
    await watch.events(1);
    const later = await s.watch({ ...everything, start_revision: 5 });
    await later.events(1);
    (await s.range("a", { revision: 5 })).shows({ count: 0 });
  }),
  script("COMP-5", "physical changes nothing that is seen", async (s) => {
    await putKeys(s, "a", "a", "b");
    (await s.compact(3, { physical: true })).shows({ header: { revision: 4 } });
    (await s.compact(3, { physical: true })).refused(...refusals.compacted);
    (await s.compact(9, { physical: true })).refused(...refusals.future);
    (await s.range("a", { revision: 2 })).refused(...refusals.compacted);
    (await s.range("a", { revision: 3 })).shows({ kvs: [{ version: 2 }] });
  }),
  script("COMP-6", "compaction makes no revision and outlives a restart", async (s) => {
    await putKeys(s, "a", "b", "a");
    await s.deleteRange("b");
    (await s.compact(4, { physical: true })).shows({ header: { revision: 5 } });
    await s.restart();
    (await readAll(s)).shows({ count: 1, header: { revision: 5 } });
    (await s.range("a", { revision: 3 })).refused(...refusals.compacted);
    (await s.range("b", { revision: 4 })).shows({ count: 1 });
    (await s.compact(4)).refused(...refusals.compacted);
    (await s.compact(5, { physical: true })).succeeds();
    await s.restart("SIGKILL");
    (await s.range("a", { revision: 4 })).refused(...refusals.compacted);
    (await s.put("c", "v")).shows({ header: { revision: 6 } });
  }),
  script("COMP-7", "a watch from a compacted revision is told so", async (s) => {
    await putKeys(s, "a", "b", "c");
    await s.compact(3);
    const watch = s.stream("etcdserverpb.Watch/Watch");
    watch.send({ create_request: { key: "a", start_revision: 2 } });
    (await watch.next()).shows({ created: true });
    (await watch.next()).shows({ canceled: true, compact_revision: 3 });
    watch.send({ create_request: { key: "b", start_revision: 3 } });
    (await watch.next()).shows({ created: true });
    (await watch.next()).shows({ events: [{ kv: { key: "b" } }] });
  }),
];
