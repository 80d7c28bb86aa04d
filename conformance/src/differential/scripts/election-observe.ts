// ELECT-23 to ELECT-30: Observe.

import type { Reply } from "../answer.js";
import { campaign, grantAll, leader, observe, proclaim, resign, revoke, settle, watchQueue } from "../queues.js";
import { script } from "../script.js";
import type { Session } from "../session.js";
import type { Request } from "../wire.js";

const leaderKey = (lease: number, rev: number): Request => ({ name: "e", key: `e/${lease}`, rev, lease });
const stand = (s: Session, lease: number, value: string) => campaign(s, { name: "e", lease, value });
const put = (key: string, value: string): Request => ({ request_put: { key, value } });
/** Deletes the key and all behind it, which a transaction may do to a key that it puts (TXN-11). */
const removeFrom = (key: string): Request => ({ request_delete_range: { key, range_end: "\0" } });

/** Demands that a message tells of this value at this revision of the header. */
function tells(reply: Reply, key: string, value: string, revision: number): void {
  reply.shows({ kv: { key, value }, header: { revision } });
}

/** The scripts of this section. */
export const scripts = [
  script("ELECT-23", "a leader that is there is told first, at the revision of the look", async (s) => {
    await grantAll(s, 7);
    await stand(s, 7, "one").answer;
    await s.put("elsewhere", "");
    const observer = observe(s, "e");
    const first = await observer.next();
    first.shows({ kv: { key: "e/7", value: "one", create_revision: 2, mod_revision: 2, lease: 7 } });
    first.shows({ header: { revision: 3, cluster_id: /./, member_id: /./ } });
    observer.cancel();
    (await observer.end()).refused("CANCELLED BY THE CLIENT", "");
  }),
  script("ELECT-24", "without a leader the first candidate is told, at the revision of its put", async (s) => {
    await grantAll(s, 7);
    await s.put("e", "beside");
    await s.put("e0", "beside");
    const observer = observe(s, "e");
    await stand(s, 7, "one").answer;
    tells(await observer.next(), "e/7", "one", 4);
    await proclaim(s, leaderKey(7, 4), "two");
    tells(await observer.next(), "e/7", "two", 5);
  }),
  script("ELECT-25", "each put on the leader's key is told, in order, none merged", async (s) => {
    await s.put("e/x", "0");
    const observer = observe(s, "e");
    await observer.next();
    const unobserved = "they may overtake one another";
    await Promise.all([1, 2, 3, 4, 5].map(() => s.put("e/x", "same", {}, { unobserved })));
    await s.txn({ success: [put("e/other", ""), put("e/x", "last")] });
    for (const revision of [3, 4, 5, 6, 7]) {
      tells(await observer.next(), "e/x", "same", revision);
    }
    tells(await observer.next(), "e/x", "last", 8);
  }),
  script("ELECT-26", "a deletion is not told; the next leader is, at the revision of the new look", async (s) => {
    await grantAll(s, 7, 8);
    await stand(s, 7, "one").answer;
    const watch = await watchQueue(s, "e");
    const second = stand(s, 8, "two");
    await watch.events(1);
    const observer = observe(s, "e");
    tells(await observer.next(), "e/7", "one", 3);
    await s.put("elsewhere", "");
    await resign(s, leaderKey(7, 2));
    const next = await observer.next();
    next.shows({ kv: { key: "e/8", value: "two", mod_revision: 3 }, header: { revision: 5 } });
    (await second.answer).succeeds();
    await revoke(s, 8);
    await stand(s, 7, "three").answer;
    tells(await observer.next(), "e/7", "three", 7);
  }),
  script("ELECT-26", "the same key made again is told again", async (s) => {
    await s.put("e/x", "one");
    const observer = observe(s, "e");
    await observer.next();
    await s.txn({ success: [removeFrom("e/x"), put("e/x", "two")] });
    (await observer.next()).shows({ kv: { value: "two", version: 1, create_revision: 3 }, header: { revision: 3 } });
    await s.put("e/x", "three");
    tells(await observer.next(), "e/x", "three", 4);
  }),
  script(["ELECT-26", "TXN-11"], "a leader that one transaction puts and deletes is told once more", async (s) => {
    await s.put("e/x", "one");
    await s.put("e/a", "younger");
    const observer = observe(s, "e");
    tells(await observer.next(), "e/x", "one", 3);
    await s.txn({ success: [put("e/x", "last"), removeFrom("e/x")] });
    tells(await observer.next(), "e/x", "last", 4);
    tells(await observer.next(), "e/a", "younger", 4);
  }),
  script("ELECT-27", "what candidates do that wait is not told", async (s) => {
    await grantAll(s, 7, 8);
    await stand(s, 7, "one").answer;
    const observer = observe(s, "e");
    await observer.next();
    const watch = await watchQueue(s, "e");
    const waiter = stand(s, 8, "two");
    await watch.events(1);
    await proclaim(s, leaderKey(8, 3), "zwei");
    await proclaim(s, leaderKey(7, 2), "eins");
    tells(await observer.next(), "e/7", "eins", 5);
    waiter.cancel();
    s.equal((await watch.events(3))[2]?.type, "DELETE");
    await proclaim(s, leaderKey(7, 2), "uno");
    tells(await observer.next(), "e/7", "uno", 7);
  }),
  script("ELECT-28", "of several first puts of one transaction the first is told and followed", async (s) => {
    const observer = observe(s, "e");
    await settle(s);
    await s.txn({ success: [put("e/z", "told"), put("e/a", "not told")] });
    tells(await observer.next(), "e/z", "told", 2);
    (await leader(s, "e")).shows({ kv: { key: "e/a" } });
    await s.put("e/a", "not told");
    await s.put("e/z", "told again");
    tells(await observer.next(), "e/z", "told again", 4);
  }),
  script(
    "ELECT-28",
    "a first put that its own transaction deletes",
    async (s) => {
      const observer = observe(s, "e", { as: "observer" });
      await s.txn({ success: [put("e/x", "dead"), removeFrom("e/x")] });
      tells(await observer.next(), "e/x", "dead", 2);
      await s.put("e/y", "leads");
      await s.put("e/x", "waits");
      tells(await observer.next(), "e/x", "waits", 4);
    },
    {
      divergences: [
        {
          row: "ELECT-28",
          at: "observer.messages.1",
          etcd: { kv: { key: "e/x", value: "waits" }, header: { revision: 4 } },
          holdfast: { kv: { key: "e/y", value: "leads" }, header: { revision: 3 } },
        },
      ],
    },
  ),
  script("ELECT-29", "a leader whose last change lies before the compaction is told and followed", async (s) => {
    await s.put("e/x", "one");
    await s.put("elsewhere", "");
    await s.put("elsewhere", "");
    await s.compact(4, { physical: true });
    const observer = observe(s, "e");
    tells(await observer.next(), "e/x", "one", 4);
    await s.put("e/x", "two");
    tells(await observer.next(), "e/x", "two", 5);
  }),
  script("ELECT-30", "the stream outlasts times without a leader", async (s) => {
    await grantAll(s, 7);
    const observer = observe(s, "e");
    for (const revision of [2, 4, 6]) {
      await stand(s, 7, `at ${revision}`).answer;
      tells(await observer.next(), "e/7", `at ${revision}`, revision);
      await resign(s, leaderKey(7, revision));
    }
    observer.cancel();
    (await observer.end()).refused("CANCELLED BY THE CLIENT", "");
  }),
];
