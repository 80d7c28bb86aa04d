// ELECT-1 to ELECT-9, ELECT-12 to ELECT-22: elections, as long as nobody's key is taken away.

import { readAll } from "../phrases.js";
import {
  campaign,
  grantAll,
  leader,
  leases,
  lock,
  proclaim,
  queueOf,
  queueRefusals,
  raiseNoSpace,
  resign,
  revoke,
  settle,
  timeToLive,
  unlock,
  watchQueue,
} from "../queues.js";
import { script } from "../script.js";
import type { Session } from "../session.js";
import type { Request } from "../wire.js";

/** The leader key of election `e` with this lease. */
const leaderKey = (lease: number, rev: number): Request => ({ name: "e", key: `e/${lease}`, rev, lease });
/** Starts a campaign in election `e`. */
const stand = (s: Session, lease: number, value: string) => campaign(s, { name: "e", lease, value });

const layout = [
  script("ELECT-1", "candidates have the keys of locks, with a value; the oldest leads", async (s) => {
    await grantAll(s, 7, 255, 3);
    (await stand(s, 255, "one").answer).shows({ leader: { key: "e/ff", rev: 2, lease: 255, name: "e" } });
    (await s.range("e/ff")).shows({ kvs: [{ value: "one", lease: 255 }] });
    const watch = await watchQueue(s, "e");
    const second = stand(s, 7, "two");
    await watch.events(1);
    const third = stand(s, 3, "three");
    await watch.events(1);
    (await leader(s, "e")).shows({ kv: { key: "e/ff" } });
    await s.deleteRange("e/ff");
    (await second.answer).shows({ leader: { key: "e/7", rev: 3 } });
    (await leader(s, "e")).shows({ kv: { key: "e/7", value: "two" } });
    await revoke(s, 7);
    (await third.answer).shows({ leader: { key: "e/3", rev: 4 } });
  }),
  script("ELECT-1", "locks and elections of one name stand in one queue", async (s) => {
    await grantAll(s, 7, 8);
    (await lock(s, "e", 7).answer).shows({ key: "e/7" });
    const watch = await watchQueue(s, "e");
    const candidate = stand(s, 8, "v");
    await watch.events(1);
    (await leader(s, "e")).shows({ kv: { key: "e/7", value: "" } });
    await unlock(s, "e/7");
    (await candidate.answer).shows({ leader: { key: "e/8" } });
    (await stand(s, 8, "").answer).shows({ leader: { key: "e/8", rev: 3 } });
  }),
  script("ELECT-2", "of keys made by one transaction the byte-smallest leads", async (s) => {
    const put = (key: string) => ({ request_put: { key, value: key } });
    await s.txn({ success: [put("e/c"), put("e/a"), put("e/b")] });
    (await leader(s, "e")).shows({ kv: { key: "e/a", create_revision: 2 } });
    await s.deleteRange("e/a");
    (await leader(s, "e")).shows({ kv: { key: "e/b" } });
  }),
  script("ELECT-3", "without a lease the server grants one of 60 seconds and tells it", async (s) => {
    const won = await campaign(s, { name: "e", value: "v" }).answer;
    const lease = won.text("leader.lease");
    s.equal(won.text("leader.key"), `e/${BigInt(lease).toString(16)}`);
    (await timeToLive(s, lease)).shows({ grantedTTL: 60, keys: [won.text("leader.key")] });
    await resign(s, { name: "e", key: won.text("leader.key"), rev: 2, lease });
    (await timeToLive(s, lease)).shows({ grantedTTL: 60, keys: [] });
  }),
  script("ELECT-4", "whatever is wrong is Unknown with its text", async (s) => {
    await grantAll(s, 7);
    (await leader(s, "e")).refused(...queueRefusals.noLeader);
    (await stand(s, 8, "v").answer).refused(...queueRefusals.leaseNotFound);
    (await proclaim(s, leaderKey(7, 2), "v")).refused(...queueRefusals.notLeader);
    await raiseNoSpace(s);
    (await stand(s, 7, "v").answer).refused(...queueRefusals.noSpace);
    (await campaign(s, { name: "e", value: "v" }).answer).refused(...queueRefusals.noSpace);
    (await proclaim(s, leaderKey(7, 2), "v")).refused(...queueRefusals.noSpace);
    (await resign(s, leaderKey(7, 2))).shows({ header: { revision: 1 } });
    (await readAll(s)).shows({ count: 0, header: { revision: 1 } });
  }),
];

const campaigns = [
  script("ELECT-5", "who wins is told name, key, create revision and lease", async (s) => {
    await grantAll(s, 7);
    await s.put("elsewhere", "");
    const won = { name: "e", key: "e/7", rev: 3, lease: 7 };
    (await stand(s, 7, "v").answer).shows({ leader: won, header: { revision: 3 } });
    const names = await campaign(s, { name: "\xff/\0", lease: 7 }).answer;
    names.shows({ leader: { name: "\xff/\0", key: "\xff/\0/7", rev: 4, lease: 7 } });
    (await campaign(s, { lease: 7 }).answer).shows({ leader: { name: "", key: "/7", rev: 5 } });
  }),
  script("ELECT-6", "the header is that of joining, after a wait and after a new value too", async (s) => {
    await grantAll(s, 7, 8);
    await stand(s, 7, "v").answer;
    const watch = await watchQueue(s, "e");
    const waiter = stand(s, 8, "v");
    await watch.events(1);
    await s.put("elsewhere", "");
    await resign(s, leaderKey(7, 2));
    (await waiter.answer).shows({ leader: { rev: 3 }, header: { revision: 3 } });
    (await stand(s, 8, "new").answer).shows({ leader: { rev: 3 }, header: { revision: 5 } });
    (await leader(s, "e")).shows({ kv: { value: "new" }, header: { revision: 6 } });
  }),
  script("ELECT-7", "the same lease with the same value writes nothing", async (s) => {
    await grantAll(s, 7, 8);
    await stand(s, 7, "v").answer;
    (await stand(s, 7, "v").answer).shows({ leader: { rev: 2 }, header: { revision: 2 } });
    const watch = await watchQueue(s, "e");
    const waiter = stand(s, 8, "w");
    await watch.events(1);
    const again = stand(s, 8, "w");
    await settle(s);
    await resign(s, leaderKey(7, 2));
    (await waiter.answer).shows({ leader: { key: "e/8", rev: 3 } });
    (await again.answer).shows({ leader: { key: "e/8", rev: 3 } });
    (await leader(s, "e")).shows({ kv: { version: 1 }, header: { revision: 4 } });
  }),
  script("ELECT-8", "the same lease with another value replaces it, leading or waiting", async (s) => {
    await grantAll(s, 7, 8);
    await stand(s, 7, "one").answer;
    (await stand(s, 7, "two").answer).shows({ leader: { rev: 2 } });
    (await leader(s, "e")).shows({ kv: { value: "two", version: 2, create_revision: 2, lease: 7 } });
    const watch = await watchQueue(s, "e");
    const waiter = stand(s, 8, "three");
    await watch.events(1);
    const again = stand(s, 8, "four");
    const [replaced] = await watch.events(1);
    s.equal((replaced?.kv as { value: string } | undefined)?.value, "four");
    await resign(s, leaderKey(7, 2));
    (await waiter.answer).shows({ leader: { key: "e/8", rev: 4 }, header: { revision: 4 } });
    (await again.answer).shows({ leader: { key: "e/8", rev: 4 }, header: { revision: 4 } });
    (await leader(s, "e")).shows({ kv: { value: "four", version: 2 } });
  }),
  script("ELECT-9", "a candidate whose value cannot be replaced is removed", async (s) => {
    await s.put("e/7", "without a lease");
    (await stand(s, 7, "v").answer).refused(...queueRefusals.leaseNotFound);
    (await queueOf(s, "e")).shows({ count: 0, header: { revision: 3 } });
  }),
  script("ELECT-12", "an ordinary key stands in the way, and is told as the leader", async (s) => {
    await grantAll(s, 7);
    await s.put("e/ordinary/key", "v");
    const watch = await watchQueue(s, "e");
    const waiter = stand(s, 7, "w");
    await watch.events(1);
    (await leader(s, "e")).shows({ kv: { key: "e/ordinary/key", value: "v", lease: 0 } });
    await s.put("e/ordinary/key", "again");
    await s.deleteRange("e/ordinary/key");
    (await waiter.answer).shows({ leader: { key: "e/7", rev: 3 } });
  }),
];

const proclaiming = [
  script(["ELECT-13", "ELECT-19"], "Proclaim and Resign need a leader", async (s) => {
    for (const method of ["Proclaim", "Resign"]) {
      const answer = await s.unary(`v3electionpb.Election/${method}`, {});
      answer.refused(...queueRefusals.leaderMissing);
    }
  }),
  script("ELECT-14", "Proclaim writes while the create revision is the leader's", async (s) => {
    await grantAll(s, 7);
    await stand(s, 7, "one").answer;
    (await proclaim(s, leaderKey(7, 2), "two")).succeeds();
    (await leader(s, "e")).shows({ kv: { value: "two", version: 2, create_revision: 2, lease: 7 } });
    for (const rev of [0, 1, 3]) {
      (await proclaim(s, leaderKey(7, rev), "v")).refused(...queueRefusals.notLeader);
    }
    await s.deleteRange("e/7");
    (await proclaim(s, leaderKey(7, 2), "v")).refused(...queueRefusals.notLeader);
    (await proclaim(s, leaderKey(7, 0), "made by Proclaim")).shows({ header: { revision: 5 } });
    (await leader(s, "e")).shows({ kv: { value: "made by Proclaim", create_revision: 5 } });
    (await proclaim(s, { key: "e/7", rev: 5, lease: 7, name: "another" }, "v")).succeeds();
    await s.put("ordinary", "");
    (await proclaim(s, { key: "ordinary", rev: 7, lease: 7 }, "any key")).shows({ header: { revision: 8 } });
  }),
  script("ELECT-15", "a candidate that waits can change its value", async (s) => {
    await grantAll(s, 7, 8);
    await stand(s, 7, "one").answer;
    const watch = await watchQueue(s, "e");
    const waiter = stand(s, 8, "two");
    await watch.events(1);
    (await proclaim(s, leaderKey(8, 3), "zwei")).shows({ header: { revision: 4 } });
    (await leader(s, "e")).shows({ kv: { value: "one" } });
    await resign(s, leaderKey(7, 2));
    (await waiter.answer).shows({ leader: { key: "e/8" } });
    (await leader(s, "e")).shows({ kv: { value: "zwei" } });
  }),
  script(
    "ELECT-16",
    "Proclaim writes with the leader's lease; with none, with one of 60 seconds it grants",
    async (s) => {
      await grantAll(s, 7, 8);
      await stand(s, 7, "one").answer;
      (await proclaim(s, { ...leaderKey(7, 2), lease: 8 }, "two")).succeeds();
      (await timeToLive(s, 8)).shows({ keys: ["e/7"] });
      (await timeToLive(s, 7)).shows({ keys: [] });
      (await proclaim(s, { ...leaderKey(7, 2), lease: 9 }, "v")).refused(...queueRefusals.leaseNotFound);
      (await proclaim(s, { ...leaderKey(7, 3), lease: 9 }, "v")).refused(...queueRefusals.notLeader);
      (await proclaim(s, { ...leaderKey(7, 2), lease: 0 }, "three")).succeeds();
      const lease = (await leader(s, "e")).text("kv.lease");
      (await timeToLive(s, lease)).shows({ grantedTTL: 60, keys: ["e/7"] });
      (await timeToLive(s, 8)).shows({ keys: [] });
    },
  ),
  script("ELECT-17", "an empty leader key is refused", async (s) => {
    await grantAll(s, 7);
    (await proclaim(s, { name: "e", rev: 2, lease: 7 }, "v")).refused(...queueRefusals.keyMissing);
    (await proclaim(s, { name: "e", lease: 7 }, "v")).refused(...queueRefusals.keyMissing);
    (await resign(s, { name: "e", rev: 2, lease: 7 })).refused(...queueRefusals.keyMissing);
  }),
  script("ELECT-18", "the answer's revision is that of the write", async (s) => {
    await grantAll(s, 7);
    await stand(s, 7, "v").answer;
    for (const revision of [3, 4, 5]) {
      (await proclaim(s, leaderKey(7, 2), "v")).shows({ header: { revision } });
    }
    (await leader(s, "e")).shows({ kv: { mod_revision: 5 } });
  }),
];

const resigning = [
  script("ELECT-20", "Resign deletes the key of that create revision; anything else is well too", async (s) => {
    await grantAll(s, 7);
    await stand(s, 7, "v").answer;
    for (const rev of [0, 1, 3]) {
      (await resign(s, leaderKey(7, rev))).shows({ header: { revision: 2 } });
    }
    (await resign(s, leaderKey(7, 2))).shows({ header: { revision: 3 } });
    (await resign(s, leaderKey(7, 2))).shows({ header: { revision: 3 } });
    (await leader(s, "e")).refused(...queueRefusals.noLeader);
    await s.put("ordinary", "");
    (await resign(s, { key: "ordinary", rev: 4, lease: 7 })).shows({ header: { revision: 5 } });
    (await resign(s, { key: "ordinary", rev: 4, lease: 99 })).shows({ header: { revision: 5 } });
    (await readAll(s)).shows({ count: 0 });
  }),
  script("ELECT-21", "Resign leaves the lease; another's candidate resigns like one's own", async (s) => {
    await grantAll(s, 7, 8);
    await stand(s, 7, "v").answer;
    await s.put("e/8", "waits", { lease: 8 });
    (await resign(s, leaderKey(8, 3))).shows({ header: { revision: 4 } });
    (await queueOf(s, "e")).shows({ kvs: [{ key: "e/7" }] });
    await resign(s, leaderKey(7, 2));
    (await timeToLive(s, 7)).shows({ grantedTTL: 600, keys: [] });
    (await timeToLive(s, 8)).shows({ grantedTTL: 600, keys: [] });
  }),
  script(
    "ELECT-21",
    "Resign without a lease",
    async (s) => {
      await s.put("e/7", "v");
      (await resign(s, { key: "e/7", rev: 2 })).shows({ header: { revision: 3 } });
      (await leases(s, { as: "leases" })).shows({ leases: [{ ID: /^\d+$/ }] });
    },
    { divergences: [{ row: "ELECT-21", at: "leases.response.leases", etcd: [{ ID: "(id 3)" }], holdfast: [] }] },
  ),
  script("ELECT-22", "Leader answers the oldest key as it is now", async (s) => {
    await grantAll(s, 7, 8);
    (await leader(s, "e")).refused(...queueRefusals.noLeader);
    await s.put("e", "beside");
    await s.put("e0", "beside");
    (await leader(s, "e")).refused(...queueRefusals.noLeader);
    await s.put("e/z", "one");
    await s.put("e/a", "younger");
    await s.put("e/z", "two");
    (await leader(s, "e")).shows({
      kv: { key: "e/z", value: "two", create_revision: 4, mod_revision: 6, version: 2 },
      header: { revision: 6, cluster_id: /./, member_id: /./ },
    });
    (await leader(s, "")).refused(...queueRefusals.noLeader);
    await s.put("/x", "of the empty name");
    (await leader(s, "")).shows({ kv: { key: "/x" }, header: { revision: 7 } });
  }),
];

/** The scripts of this section. */
export const scripts = [...layout, ...campaigns, ...proclaiming, ...resigning];
