// LOCK-3 to LOCK-5, LOCK-8, LOCK-11, LOCK-15 to LOCK-17, LOCK-20, LOCK-21: waiting for a lock, and how a wait ends.

import {
  compactedWaits,
  deadlineRace,
  grantAll,
  lock,
  Order,
  queueOf,
  queueRefusals,
  revoke,
  settle,
  timeToLive,
  unlock,
  watchQueue,
} from "../queues.js";
import { script } from "../script.js";
import type { Session } from "../session.js";

const unobserved = "etcd may have seen the older key's history or not";

/** Locks `l` with lease 7, and lets these leases wait for it, one after the other. */
async function crowd(s: Session, ...ids: readonly number[]) {
  await grantAll(s, 7, ...ids);
  const watch = await watchQueue(s, "l");
  await lock(s, "l", 7).answer;
  await watch.events(1);
  const waiters = [];
  for (const id of ids) {
    waiters.push(lock(s, "l", id, { as: `waiter ${id}` }));
    await watch.events(1);
  }
  return { watch, waiters };
}

const turns = [
  script("LOCK-3", "waiters are served in the order of their keys' creation", async (s) => {
    const { waiters } = await crowd(s, 9, 3, 6, 4);
    const order = new Order();
    for (const [index, waiter] of waiters.entries()) {
      order.note(String(index), waiter);
    }
    await unlock(s, "l/7");
    for (const [index, id] of [9, 3, 6, 4].entries()) {
      (await waiters[index]?.answer)?.shows({ key: `l/${id}`, header: { revision: 7 + index } });
      await unlock(s, `l/${id}`);
    }
    s.equal(order.seen, ["0", "1", "2", "3"]);
    (await queueOf(s, "l")).shows({ count: 0, header: { revision: 11 } });
  }),
  script("LOCK-3", "leases end in the same order as well", async (s) => {
    const { waiters } = await crowd(s, 9, 3);
    await revoke(s, 7);
    (await waiters[0]?.answer)?.shows({ key: "l/9", header: { revision: 5 } });
    await revoke(s, 9);
    (await waiters[1]?.answer)?.shows({ key: "l/3", header: { revision: 6 } });
  }),
  script("LOCK-4", "rewriting an older key wakes nobody, deleting the nearest but not the last neither", async (s) => {
    await grantAll(s, 7);
    await s.put("l/z", "");
    await s.put("l/a", "");
    const watch = await watchQueue(s, "l");
    const waiter = lock(s, "l", 7);
    await watch.events(1);
    await s.put("l/a", "again");
    await s.put("l/z", "again");
    await s.deleteRange("l/a");
    await s.put("elsewhere", "");
    await s.put("l/a", "younger");
    await s.deleteRange("l/z");
    (await waiter.answer).shows({ key: "l/7", header: { revision: 10 } });
    (await queueOf(s, "l")).shows({ kvs: [{ key: "l/7" }, { key: "l/a" }] });
  }),
  script("LOCK-5", "a lock waits for every older key below its name, and for none beside it", async (s) => {
    await grantAll(s, 7, 8);
    await s.put("l", "");
    await s.put("l.x", "");
    await s.put("l0", "");
    (await lock(s, "l/x", 7).answer).shows({ key: "l/x/7", header: { revision: 5 } });
    await s.put("l/config", "");
    const watch = await watchQueue(s, "l");
    const waiter = lock(s, "l", 8);
    await watch.events(1);
    await unlock(s, "l/x/7");
    await s.put("l/x/8", "");
    await s.deleteRange("l/config");
    (await waiter.answer).shows({ key: "l/8", header: { revision: 10 } });
    await s.put("l/config", "");
    (await lock(s, "l", 8).answer).shows({ key: "l/8", header: { revision: 11 } });
  }),
  script(
    ["LOCK-8", "LOCK-20"],
    "a wait outlasts every limit of other calls; nobody keeps the holder alive",
    async (s) => {
      await s.grant(8, 7);
      await grantAll(s, 8);
      const watch = await watchQueue(s, "l");
      await lock(s, "l", 7).answer;
      const waiter = lock(s, "l", 8);
      const events = await watch.events(3);
      s.equal(events[2]?.type, "DELETE");
      (await waiter.answer).shows({ key: "l/8", header: { revision: 4 } });
      (await timeToLive(s, 7)).shows({ TTL: -1 });
    },
  ),
  script("LOCK-21", "unlocking another's key hands the lock on; a waiter's key can be taken away too", async (s) => {
    const { waiters } = await crowd(s, 8, 9);
    const another = await s.connect();
    await unlock(another, "l/7");
    (await waiters[0]?.answer)?.shows({ key: "l/8" });
    await unlock(another, "l/9");
    await unlock(another, "l/8");
    (await waiters[1]?.answer)?.refused(...queueRefusals.sessionExpired);
  }),
];

const departures = [
  script("LOCK-11", "two calls of one lease wait on one key, and both get it", async (s) => {
    const { waiters } = await crowd(s, 8);
    const second = lock(s, "l", 8);
    await settle(s);
    await unlock(s, "l/7");
    (await waiters[0]?.answer)?.shows({ key: "l/8", header: { revision: 4 } });
    (await second.answer).shows({ key: "l/8", header: { revision: 4 } });
  }),
  script("LOCK-11", "if one of them is cancelled the key goes, and the other fails", async (s) => {
    const { watch, waiters } = await crowd(s, 8);
    const second = lock(s, "l", 8);
    await settle(s);
    waiters[0]?.cancel();
    s.equal((await watch.events(1))[0]?.type, "DELETE");
    await unlock(s, "l/7");
    (await second.answer).refused(...queueRefusals.sessionExpired);
    (await queueOf(s, "l")).shows({ count: 0, header: { revision: 5 } });
  }),
  script("LOCK-15", "a waiter that is cancelled leaves the queue at once and keeps its lease", async (s) => {
    const { watch, waiters } = await crowd(s, 8, 9);
    waiters[0]?.cancel();
    await waiters[0]?.answer;
    const [left] = await watch.events(1);
    s.equal(left?.type, "DELETE");
    (await timeToLive(s, 8)).shows({ grantedTTL: 600, keys: [] });
    (await queueOf(s, "l")).shows({ kvs: [{ key: "l/7" }, { key: "l/9" }], header: { revision: 5 } });
    await unlock(s, "l/7");
    (await waiters[1]?.answer)?.shows({ key: "l/9", header: { revision: 6 } });
  }),
  script("LOCK-15", "a waiter whose deadline passes leaves the queue", async (s) => {
    const { watch } = await crowd(s);
    await grantAll(s, 8);
    const late = lock(s, "l", 8, { deadlineMs: 500, unobserved: deadlineRace });
    s.equal(
      (await watch.events(2)).map(({ type }) => type),
      ["PUT", "DELETE"],
    );
    const { status } = await late.answer;
    s.ok(["DEADLINE_EXCEEDED", "RESET 8"].includes(status), `the deadline passed, got ${status}`);
    (await queueOf(s, "l")).shows({ kvs: [{ key: "l/7" }], header: { revision: 4 } });
  }),
  script("LOCK-15", "a waiter whose connection is lost leaves the queue", async (s) => {
    const { watch } = await crowd(s);
    await grantAll(s, 8);
    const another = await s.connect();
    const waiter = lock(another, "l", 8);
    await watch.events(1);
    another.disconnect();
    s.equal((await watch.events(1))[0]?.type, "DELETE");
    await waiter.answer;
    (await timeToLive(s, 8)).shows({ grantedTTL: 600, keys: [] });
    (await queueOf(s, "l")).shows({ kvs: [{ key: "l/7" }], header: { revision: 4 } });
  }),
];

const losses = [
  script("LOCK-16", "a waiter whose lease is revoked, or runs out, never gets the lock", async (s) => {
    const { watch, waiters } = await crowd(s, 8);
    await s.grant(2, 9);
    const short = lock(s, "l", 9);
    await watch.events(1);
    await revoke(s, 8);
    const [revoked, expired] = await watch.events(2);
    s.equal([revoked?.type, expired?.type], ["DELETE", "DELETE"]);
    await unlock(s, "l/7");
    (await waiters[0]?.answer)?.refused(...queueRefusals.sessionExpired);
    (await short.answer).refused(...queueRefusals.sessionExpired);
    (await queueOf(s, "l")).shows({ count: 0, header: { revision: 7 } });
  }),
  script(
    "LOCK-16",
    "when it is told so",
    async (s) => {
      const { waiters } = await crowd(s, 8, 9);
      const order = new Order();
      const [revoked, deleted] = [order.note("revoked", waiters[0]!), order.note("deleted", waiters[1]!)];
      await revoke(s, 8);
      await settle(s);
      order.add("lease 8 is revoked");
      await s.deleteRange("l/9");
      await settle(s);
      order.add("key 9 is deleted");
      await unlock(s, "l/7");
      (await revoked.answer).refused(...queueRefusals.sessionExpired);
      (await deleted.answer).refused(...queueRefusals.sessionExpired);
      s.observe("order", [...order.seen].slice(0, 3));
    },
    {
      divergences: [
        {
          row: "LOCK-16",
          at: "order.value",
          etcd: ["lease 8 is revoked", "key 9 is deleted", /^(revoked|deleted)$/],
          holdfast: ["revoked", "lease 8 is revoked", "deleted"],
        },
      ],
    },
  ),
  script(
    "LOCK-17",
    "a waiter whose key is deleted and made again",
    async (s) => {
      const { watch, waiters } = await crowd(s, 8);
      await unlock(s, "l/8");
      const second = lock(s, "l", 8, { as: "second call" });
      await watch.events(2);
      await settle(s);
      await unlock(s, "l/7");
      (await waiters[0]?.answer)?.shows({ key: "l/8", header: { revision: 6 } });
      (await second.answer).shows({ key: "l/8", header: { revision: 6 } });
      (await queueOf(s, "l")).shows({ kvs: [{ key: "l/8", create_revision: 5 }] });
    },
    {
      divergences: [
        {
          row: "LOCK-17",
          at: "waiter 8",
          etcd: { status: "OK", response: { key: "l/8", header: { revision: 6 } } },
          holdfast: { status: "UNKNOWN", message: "mutex: session is expired" },
        },
      ],
    },
  ),
  script(
    "LOCK-19",
    "history that is compacted under a wait",
    async (s) => {
      await grantAll(s, 7, 8);
      const failed = await compactedWaits(s, {
        hold: (name) => lock(s, name, 7, { unobserved }).answer,
        wait: (name) => lock(s, name, 8, { unobserved }),
      });
      s.ok(failed.size <= 1, "all that fail do so alike");
      s.observe("failed waits", [...failed]);
    },
    {
      divergences: [
        {
          row: "LOCK-19",
          at: "failed waits.value",
          etcd: ["UNKNOWN etcdserver: mvcc: required revision has been compacted, keys left: 0"],
          holdfast: [],
        },
      ],
    },
  ),
];

/** The scripts of this section. */
export const scripts = [...turns, ...departures, ...losses];
