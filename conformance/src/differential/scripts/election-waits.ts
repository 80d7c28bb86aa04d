// ELECT-10, ELECT-11, ELECT-21: candidates that go while they wait.

import {
  campaign,
  compactedWaits,
  deadlineRace,
  grantAll,
  leader,
  lock,
  Order,
  proclaim,
  queueOf,
  queueRefusals,
  resign,
  revoke,
  settle,
  timeToLive,
  watchQueue,
} from "../queues.js";
import { script } from "../script.js";
import type { Session } from "../session.js";

const leaderKey = (lease: number, rev: number) => ({ name: "e", key: `e/${lease}`, rev, lease });
const stand = (s: Session, lease: number, as?: string) =>
  campaign(s, { name: "e", lease, value: `value of ${lease}` }, as === undefined ? {} : { as });

/** Has lease 7 lead election `e`, and returns a watch of its keys. */
async function led(s: Session) {
  await grantAll(s, 7, 8);
  await stand(s, 7).answer;
  return await watchQueue(s, "e");
}

const departures = [
  script("ELECT-10", "a candidate that is cancelled while it waits is removed, its lease is not", async (s) => {
    const watch = await led(s);
    const waiter = stand(s, 8);
    await watch.events(1);
    waiter.cancel();
    await waiter.answer;
    s.equal((await watch.events(1))[0]?.type, "DELETE");
    (await timeToLive(s, 8)).shows({ grantedTTL: 600, keys: [] });
    (await queueOf(s, "e")).shows({ kvs: [{ key: "e/7" }], header: { revision: 4 } });
  }),
  script("ELECT-10", "so is one whose deadline passes", async (s) => {
    const watch = await led(s);
    const request = { name: "e", lease: 8, value: "v" };
    const waiter = campaign(s, request, { deadlineMs: 500, unobserved: deadlineRace });
    s.equal((await watch.events(2))[1]?.type, "DELETE");
    const { status } = await waiter.answer;
    s.ok(["DEADLINE_EXCEEDED", "RESET 8"].includes(status), `the deadline passed, got ${status}`);
    (await queueOf(s, "e")).shows({ kvs: [{ key: "e/7" }], header: { revision: 4 } });
  }),
  script("ELECT-10", "so is one whose connection is lost", async (s) => {
    const watch = await led(s);
    const another = await s.connect();
    const waiter = campaign(another, { name: "e", lease: 8, value: "v" });
    await watch.events(1);
    another.disconnect();
    s.equal((await watch.events(1))[0]?.type, "DELETE");
    await waiter.answer;
    (await queueOf(s, "e")).shows({ kvs: [{ key: "e/7" }], header: { revision: 4 } });
  }),
  script(
    "ELECT-10",
    "a key that was deleted and made again meanwhile is left alone",
    async (s) => {
      const watch = await led(s);
      const waiter = stand(s, 8, "waiter");
      await watch.events(1);
      await s.deleteRange("e/8");
      await s.put("e/8", "of somebody else");
      await settle(s);
      waiter.cancel();
      await waiter.answer;
      await settle(s);
      (await queueOf(s, "e")).shows({
        kvs: [{ key: "e/7" }, { key: "e/8", create_revision: 5, value: "of somebody else" }],
        header: { revision: 5 },
      });
    },
    {
      divergences: [
        {
          row: "ELECT-11",
          at: "waiter",
          etcd: { status: "CANCELLED BY THE CLIENT" },
          holdfast: { status: "UNKNOWN", message: "mutex: session is expired" },
        },
      ],
    },
  ),
  script(
    "ELECT-10",
    "history that is compacted under a wait",
    async (s) => {
      const unobserved = "etcd may have seen the older key's history or not";
      await grantAll(s, 7, 8);
      const failed = await compactedWaits(s, {
        hold: (name) => lock(s, name, 7, { unobserved }).answer,
        wait: (name) => campaign(s, { name, lease: 8, value: "v" }, { unobserved }),
      });
      s.ok(failed.size <= 1, "all that fail do so alike");
      s.observe("failed waits", [...failed]);
    },
    {
      divergences: [
        {
          row: "ELECT-10",
          at: "failed waits.value",
          etcd: ["UNKNOWN etcdserver: mvcc: required revision has been compacted, keys left: 1"],
          holdfast: [],
        },
      ],
    },
  ),
];

const losses = [
  script(
    "ELECT-11",
    "a candidate whose lease is revoked while it waits",
    async (s) => {
      const watch = await led(s);
      const order = new Order();
      const waiter = order.note("told", stand(s, 8, "waiter"));
      await watch.events(1);
      await revoke(s, 8);
      await settle(s);
      order.add("the leader resigns");
      await resign(s, leaderKey(7, 2));
      (await waiter.answer).shows({ leader: leaderKey(8, 3), header: { revision: 3 } });
      (await leader(s, "e")).refused(...queueRefusals.noLeader);
      (await proclaim(s, leaderKey(8, 3), "v")).refused(...queueRefusals.notLeader);
      s.observe("order", order.seen);
    },
    {
      divergences: [
        {
          row: "ELECT-11",
          at: "waiter",
          etcd: { status: "OK", message: "", response: { leader: { key: "e/8", rev: 3 } } },
          holdfast: { status: "UNKNOWN", message: "mutex: session is expired" },
        },
        {
          row: "ELECT-11",
          at: "order.value",
          etcd: ["the leader resigns", "told"],
          holdfast: ["told", "the leader resigns"],
        },
      ],
    },
  ),
  script(
    "ELECT-11",
    "a candidate whose key is removed by the cancel of another call of its lease",
    async (s) => {
      const watch = await led(s);
      const first = stand(s, 8);
      await watch.events(1);
      const second = stand(s, 8, "second call");
      await settle(s);
      first.cancel();
      s.equal((await watch.events(1))[0]?.type, "DELETE");
      await resign(s, leaderKey(7, 2));
      (await second.answer).shows({ leader: leaderKey(8, 3) });
      (await queueOf(s, "e")).shows({ count: 0, header: { revision: 5 } });
    },
    {
      divergences: [
        {
          row: "ELECT-11",
          at: "second call",
          etcd: { status: "OK", message: "", response: { leader: { key: "e/8", rev: 3 } } },
          holdfast: { status: "UNKNOWN", message: "mutex: session is expired" },
        },
      ],
    },
  ),
  script(
    ["ELECT-21", "ELECT-11"],
    "a candidate that resigns while it waits leaves the queue",
    async (s) => {
      const watch = await led(s);
      const waiter = stand(s, 8, "waiter");
      await watch.events(1);
      (await resign(s, leaderKey(8, 3))).shows({ header: { revision: 4 } });
      (await queueOf(s, "e")).shows({ kvs: [{ key: "e/7" }] });
      (await timeToLive(s, 8)).shows({ grantedTTL: 600, keys: [] });
      await resign(s, leaderKey(7, 2));
      (await waiter.answer).shows({ leader: leaderKey(8, 3) });
      (await leader(s, "e")).refused(...queueRefusals.noLeader);
    },
    {
      divergences: [
        {
          row: "ELECT-11",
          at: "waiter",
          etcd: { status: "OK", message: "", response: { leader: { key: "e/8", rev: 3 } } },
          holdfast: { status: "UNKNOWN", message: "mutex: session is expired" },
        },
      ],
    },
  ),
];

/** The scripts of this section. */
export const scripts = [...departures, ...losses];
