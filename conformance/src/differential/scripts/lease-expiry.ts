// LEASE-9 to LEASE-14, WATCH-28: how leases end by themselves, and what watchers see of it.

import { everything, numberedKeys, readAll } from "../phrases.js";
import { script } from "../script.js";
import type { Session } from "../session.js";
import { keysOf } from "../stream.js";

const attached = (lease: number, ...keys: readonly string[]) =>
  keys.map((key) => ({ request_put: { key, value: "v", lease } }));
const revoke = (s: Session, id: number) => s.unary("etcdserverpb.Lease/LeaseRevoke", { ID: id });
const listLeases = (s: Session) => s.unary("etcdserverpb.Lease/LeaseLeases", {});
/** Deletions as a watcher sees them. */
const deletions = (revision: number, ...keys: readonly string[]) => ({
  header: { revision },
  events: keys.map((key) => ({
    type: "DELETE",
    kv: { key, mod_revision: revision, create_revision: 0, version: 0, value: "", lease: 0 },
    prev_kv: null,
  })),
});

/** The scripts of this section. */
export const scripts = [
  script("LEASE-9", "a lease and its keys live for the whole TTL", async (s) => {
    const watch = await s.watch({ ...everything, filters: ["NOPUT"] });
    // By a clock that starts before the server's and is read after it.
    const start = performance.now();
    await s.grant(2, 7);
    const granted = performance.now();
    await s.put("a", "v", { lease: 7 });
    (await watch.next()).shows(deletions(3, "a"));
    s.ok(performance.now() - start >= 2000, "two seconds have passed");
    s.ok(performance.now() - granted < 20_000, "not many more have");
    (await s.range("a")).shows({ count: 0, header: { revision: 3 } });
    (await listLeases(s)).shows({ leases: [] });
  }),
  script("LEASE-10", "more leases than one pass takes all end, each in a revision of its own", async (s) => {
    const ids = Array.from({ length: 1100 }, (_, index) => index + 1);
    const keys = numberedKeys("k", ids.length);
    const unobserved = "leases that are due at once end in no particular order";
    const watch = await s.watch({ ...everything, filters: ["NOPUT"] }, { unobserved });
    await Promise.all(ids.map((id) => s.grant(10, id)));
    for (let first = 0; first < ids.length; first += 100) {
      const puts = ids.slice(first, first + 100).flatMap((id) => attached(id, keys[id - 1] as string));
      (await s.txn({ success: puts })).shows({ header: { revision: 2 + first / 100 } });
    }
    const gone: string[] = [];
    for (let revision = 13; gone.length < keys.length; revision++) {
      const { events } = (await watch.next()).shows({ header: { revision } }).message;
      gone.push(...keysOf(events as []));
    }
    s.equal(gone.sort(), keys);
    (await readAll(s)).shows({ count: 0, header: { revision: 1112 } });
    (await listLeases(s)).shows({ leases: [] });
  }),
  script(["LEASE-11", "WATCH-28"], "the keys of a lease go in one revision, in the order of their bytes", async (s) => {
    const keys = ["b", "a", "ab", "\xff", "a\0", "c", "B"];
    const inOrder = ["B", "a", "a\0", "ab", "b", "c", "\xff"];
    const watch = await s.watch({ ...everything, filters: ["NOPUT"] });
    await s.grant(600, 7);
    await s.txn({ success: attached(7, ...keys) });
    (await revoke(s, 7)).shows({ header: { revision: 3 } });
    (await watch.next()).shows(deletions(3, ...inOrder));
    await s.grant(2, 8);
    await s.txn({ success: attached(8, ...keys) });
    (await watch.next()).shows(deletions(5, ...inOrder));
    (await readAll(s)).shows({ count: 0, header: { revision: 5 } });
  }),
  script(["LEASE-12", "WATCH-28"], "two leases that are due together make two revisions", async (s) => {
    const unobserved = "which of the two goes first is left open";
    const watch = await s.watch({ ...everything, filters: ["NOPUT"] }, { unobserved });
    await s.grant(2, 7);
    await s.grant(2, 8);
    const puts = [...attached(7, "a1", "a2"), ...attached(8, "b1", "b2"), ...attached(7, "a3")];
    (await s.txn({ success: puts })).shows({ header: { revision: 2 } });
    const responses = [await watch.next(), await watch.next()];
    responses.forEach((response, index) => {
      response.shows({ header: { revision: 3 + index } });
    });
    const keys = responses.map(({ message }) => keysOf(message.events as []).join(" "));
    s.equal(keys.sort(), ["a1 a2 a3", "b1 b2"]);
    (await readAll(s)).shows({ count: 0, header: { revision: 4 } });
  }),
  script("LEASE-13", "a lease without keys ends without a revision and without events", async (s) => {
    const watch = await s.watch(everything);
    await s.grant(600, 6);
    await s.grant(2, 7);
    await s.grant(4, 8);
    (await s.put("a", "v", { lease: 8 })).shows({ header: { revision: 2 } });
    (await revoke(s, 6)).shows({ header: { revision: 2 } });
    await watch.next();
    (await watch.next()).shows(deletions(3, "a"));
    (await listLeases(s)).shows({ leases: [], header: { revision: 3 } });
    (await s.put("a", "v")).shows({ header: { revision: 4 } });
    await watch.next();
  }),
  script("LEASE-14", "the events of an expiry look like those of any deletion", async (s) => {
    const watch = await s.watch({ ...everything, filters: ["NOPUT"] });
    await s.put("a", "v");
    await s.deleteRange("a");
    (await watch.next()).shows(deletions(3, "a"));
    await s.grant(2, 7);
    await s.put("a", "v", { lease: 7 });
    (await watch.next()).shows(deletions(5, "a"));
    await s.grant(2, 8);
    await s.put("b", "v", { lease: 8 });
    const previous = await s.watch({ ...everything, filters: ["NOPUT"], prev_kv: true });
    (await previous.next()).shows({ events: [{ type: "DELETE", prev_kv: { key: "b", value: "v", lease: 8 } }] });
  }),
];
