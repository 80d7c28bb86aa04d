// MAINT-3 to MAINT-6: alarms, and the quota that raises one.

import type { Answer } from "../answer.js";
import type { CallOptions, Client } from "../client.js";
import { putKeys, readAll } from "../phrases.js";
import { script } from "../script.js";
import type { Session } from "../session.js";
import type { Request } from "../wire.js";

const alarm = (client: Client, request: Request = {}, options?: CallOptions): Promise<Answer> =>
  client.unary("etcdserverpb.Maintenance/Alarm", request, options);

const noSpace = ["RESOURCE_EXHAUSTED", "etcdserver: mvcc: database space exceeded"] as const;
const corrupt = ["DATA_LOSS", "etcdserver: corrupt cluster"] as const;

const put = (key: string): Request => ({ request_put: { key, value: "v" } });
const range = (key: string): Request => ({ request_range: { key } });
const remove = (key: string): Request => ({ request_delete_range: { key } });
const nested = (request: Request): Request => ({ request_txn: request });

/** Transactions with a put somewhere, whether it would be done or not. */
const puttingTxns: readonly Request[] = [
  { success: [put("t")] },
  { failure: [put("t")] },
  { success: [range("a"), nested({ failure: [put("t")] })] },
  { success: [remove("a"), put("t")] },
];
/** Transactions that only delete, whether or not there is something to delete. */
const deletingTxns: readonly Request[] = [
  { success: [remove("none")] },
  { failure: [nested({ success: [remove("a")] })] },
];
const readingTxns: readonly Request[] = [{}, { success: [range("a")] }, { failure: [range("a")] }];
const nestingReadingTxn: Request = { success: [nested({ success: [range("a")] })] };

const lists = [
  script("MAINT-3", "alarms are raised, listed by kind, and cleared", async (s) => {
    (await alarm(s)).shows({ header: { revision: 1 }, alarms: [] });
    (await alarm(s, { action: "ACTIVATE", alarm: "NOSPACE" })).shows({ alarms: [{ memberID: 0, alarm: "NOSPACE" }] });
    (await alarm(s, { action: "ACTIVATE", alarm: "CORRUPT", memberID: 5 })).shows({
      alarms: [{ memberID: 5, alarm: "CORRUPT" }],
    });
    (await alarm(s, { action: "ACTIVATE", alarm: "NOSPACE" })).shows({ alarms: [{ alarm: "NOSPACE" }] });
    (await alarm(s, { action: "GET", alarm: "NOSPACE" })).shows({ alarms: [{ alarm: "NOSPACE" }] });
    (await alarm(s, { action: "GET", alarm: "CORRUPT" })).shows({ alarms: [{ memberID: 5 }] });
    (await alarm(s, { action: "GET", alarm: "CORRUPT", memberID: 9 })).shows({ alarms: [{ memberID: 5 }] });
    (await alarm(s, { action: "DEACTIVATE", alarm: "NOSPACE", memberID: 5 })).shows({ alarms: [] });
    (await alarm(s, { action: "DEACTIVATE", alarm: "NOSPACE" })).shows({ alarms: [{ alarm: "NOSPACE" }] });
    (await alarm(s, { action: "DEACTIVATE", alarm: "NOSPACE" })).shows({ alarms: [] });
    (await alarm(s)).shows({ alarms: [{ memberID: 5, alarm: "CORRUPT" }] });
  }),
  script("MAINT-3", "of all alarms, every one is listed", async (s) => {
    for (const memberID of [1, 2]) {
      await alarm(s, { action: "ACTIVATE", alarm: "NOSPACE", memberID });
      await alarm(s, { action: "ACTIVATE", alarm: "CORRUPT", memberID });
    }
    const all = await alarm(s, {}, { unobserved: "etcd lists them in random order" });
    const listed = all.message.alarms as readonly { memberID: number; alarm: string }[];
    s.observe("sorted", listed.map(({ memberID, alarm }) => `${alarm} ${memberID}`).sort());
    (await alarm(s, { action: "DEACTIVATE", alarm: "CORRUPT", memberID: 2 })).shows({ alarms: [{ memberID: 2 }] });
  }),
  script("MAINT-3", "NONE, and kinds that do not exist, as alarms", async (s) => {
    (await alarm(s, { action: "ACTIVATE", alarm: "NONE" })).shows({ alarms: [] });
    (await alarm(s, { action: "DEACTIVATE", alarm: "NONE" })).shows({ alarms: [] });
    (await alarm(s, { action: "GET", alarm: 9 })).shows({ alarms: [] });
    (await alarm(s, { action: "DEACTIVATE", alarm: 9 })).shows({ alarms: [] });
    (await alarm(s)).shows({ alarms: [] });
    (await s.put("a", "v")).succeeds();
  }),
  script("MAINT-3", "a kind without a name can be raised", async (s) => {
    (await alarm(s, { action: "ACTIVATE", alarm: 9, memberID: 3 }, { as: "raised" })).shows({
      alarms: [{ memberID: 3 }],
    });
    (await alarm(s, {}, { as: "listed" })).shows({ alarms: [{ memberID: 3 }] });
    (await s.put("a", "v")).succeeds();
  }),
  script(
    "MAINT-3",
    "an action without a name",
    async (s) => {
      // etcd does not come through it.
      const answer = await alarm(s, { action: 9, alarm: "NOSPACE" }, { as: "unknown action" });
      answer.refused("CONNECTION LOST", "");
    },
    {
      divergences: [{ row: "MAINT-3", at: "unknown action", etcd: {}, holdfast: { status: "INVALID_ARGUMENT" } }],
    },
  ),
  script("MAINT-3", "alarms outlive the server", async (s) => {
    await alarm(s, { action: "ACTIVATE", alarm: "NOSPACE", memberID: 4 });
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      await s.restart(signal);
      (await alarm(s)).shows({ alarms: [{ memberID: 4, alarm: "NOSPACE" }] });
      (await s.put("a", "v")).refused(...noSpace);
    }
    await alarm(s, { action: "DEACTIVATE", alarm: "NOSPACE", memberID: 4 });
    await s.restart();
    (await alarm(s)).shows({ alarms: [] });
    (await s.put("a", "v")).shows({ header: { revision: 2 } });
  }),
];

const effects = [
  script("MAINT-4", "NOSPACE stops what takes space, and nothing else", async (s) => {
    await putKeys(s, "a", "b", "c");
    await s.grant(600, 7);
    await alarm(s, { action: "ACTIVATE", alarm: "NOSPACE" });
    (await s.put("a", "v")).refused(...noSpace);
    (await s.put("", "v")).refused("INVALID_ARGUMENT", "etcdserver: key is not provided");
    (await s.grant(600, 8)).refused(...noSpace);
    for (const txn of puttingTxns) {
      (await s.txn(txn)).refused(...noSpace);
    }
    for (const txn of [...readingTxns, nestingReadingTxn, ...deletingTxns]) {
      (await s.txn(txn)).succeeds();
    }
    (await s.unary("v3lockpb.Lock/Lock", { name: "l", lease: 7 })).refused("UNKNOWN", /database space exceeded/);
    (await s.deleteRange("b")).shows({ deleted: 1 });
    (await s.compact(4)).succeeds();
    (await s.unary("etcdserverpb.Maintenance/Defragment", {})).succeeds();
    (await s.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 7 })).succeeds();
    (await s.put("a", "v")).refused(...noSpace);
    (await readAll(s)).shows({ count: 2 });
    await alarm(s, { action: "DEACTIVATE", alarm: "NOSPACE" });
    (await s.put("a", "v")).succeeds();
  }),
  script("MAINT-4", "who raised it, and for whom, does not matter", async (s) => {
    await alarm(s, { action: "ACTIVATE", alarm: "NOSPACE", memberID: 1 });
    await alarm(s, { action: "ACTIVATE", alarm: "NOSPACE", memberID: 2 });
    await alarm(s, { action: "DEACTIVATE", alarm: "NOSPACE", memberID: 1 });
    (await s.put("a", "v")).refused(...noSpace);
    await alarm(s, { action: "DEACTIVATE", alarm: "NOSPACE", memberID: 2 });
    (await s.put("a", "v")).shows({ header: { revision: 2 } });
  }),
  script("MAINT-5", "CORRUPT stops all writes, and no reads", async (s) => {
    await putKeys(s, "a", "b", "c");
    await s.grant(600, 7);
    await alarm(s, { action: "ACTIVATE", alarm: "CORRUPT" });
    (await s.put("a", "v")).refused(...corrupt);
    (await s.deleteRange("a")).refused(...corrupt);
    (await s.deleteRange("none")).refused(...corrupt);
    (await s.compact(2)).refused(...corrupt);
    (await s.grant(600, 8)).refused(...corrupt);
    (await s.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 7 })).refused(...corrupt);
    for (const txn of [...puttingTxns, ...deletingTxns]) {
      (await s.txn(txn)).refused(...corrupt);
    }
    for (const txn of readingTxns) {
      (await s.txn(txn)).succeeds();
    }
    (await s.txn(nestingReadingTxn)).refused(...corrupt);
    (await readAll(s)).shows({ count: 3, header: { revision: 4 } });
    (await s.range("a", { serializable: true })).shows({ count: 1 });
    (await s.unary("etcdserverpb.Lease/LeaseTimeToLive", { ID: 7 })).shows({ grantedTTL: 600 });
    const keepAlive = s.stream("etcdserverpb.Lease/LeaseKeepAlive");
    keepAlive.send({ ID: 7 });
    (await keepAlive.next()).shows({ TTL: 600 });
    await s.watch({ key: "a" });
    (await s.unary("etcdserverpb.Auth/UserAdd", { name: "u", password: "p" }, { as: "user" })).succeeds();
    await alarm(s, { action: "DEACTIVATE", alarm: "CORRUPT" });
    (await s.put("a", "v")).shows({ header: { revision: 5 } });
  }),
  script("MAINT-5", "CORRUPT wins over NOSPACE", async (s) => {
    await alarm(s, { action: "ACTIVATE", alarm: "NOSPACE" });
    await alarm(s, { action: "ACTIVATE", alarm: "CORRUPT" });
    (await s.put("a", "v")).refused(...corrupt);
    (await s.grant(600, 7)).refused(...corrupt);
    (await s.txn({ success: [put("a")] })).refused(...corrupt);
    await alarm(s, { action: "DEACTIVATE", alarm: "CORRUPT" });
    (await s.put("a", "v")).refused(...noSpace);
  }),
  script("MAINT-5", "a key that is missing is told before a corrupt cluster", async (s) => {
    await alarm(s, { action: "ACTIVATE", alarm: "CORRUPT" });
    (await s.put("", "v")).refused("INVALID_ARGUMENT", "etcdserver: key is not provided");
    (await s.compact(99)).refused(...corrupt);
    (await s.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 99 })).refused(...corrupt);
    (await s.put("a", "v", { lease: 99 })).refused(...corrupt);
  }),
];

/** Puts until one is refused, and demands that it is for want of space. */
async function fill(s: Session, value: string): Promise<void> {
  const unobserved = "how much fits depends on the storage";
  for (let number = 0; number < 10_000; number += 1) {
    const answer = await s.put(`k${number}`, value, {}, { unobserved });
    if (answer.status !== "OK") {
      answer.refused(...noSpace);
      return;
    }
  }
  throw new Error("nothing was refused");
}

const quota = [
  script(
    "MAINT-6",
    "a put that would exceed the quota is refused and raises the alarm",
    async (s) => {
      await fill(s, "v".repeat(10_000));
      const listed = await alarm(s, {}, { unobserved: "the revision tells how much fitted" });
      listed.shows({ alarms: [{ memberID: listed.at("header.member_id") as string, alarm: "NOSPACE" }] });
      (await s.put("a", "")).refused(...noSpace);
      (await s.deleteRange("k", { range_end: "l" }, { unobserved: "as many as fitted" })).succeeds();
      (await s.put("a", "")).refused(...noSpace);
    },
    { args: ["--quota-backend-bytes", "500000"] },
  ),
  script(
    "MAINT-6",
    "what costs is counted before it is done, failed compares and all",
    async (s) => {
      const big = { request_put: { key: "b", value: "v".repeat(1_200_000) } };
      (await s.txn({ success: [range("a")], failure: [nested({ success: [big] })] })).refused(...noSpace);
      (await alarm(s)).shows({ alarms: [{ alarm: "NOSPACE" }] });
      (await readAll(s)).shows({ header: { revision: 1 } });
    },
    { args: ["--quota-backend-bytes", "1000000"] },
  ),
  script(
    "MAINT-6",
    "a put as large as the quota is refused, and costs nothing",
    async (s) => {
      (await s.put("a", "v".repeat(1_000_000))).refused(...noSpace);
      (await alarm(s)).shows({ alarms: [{ alarm: "NOSPACE" }] });
      await alarm(s, {
        action: "DEACTIVATE",
        alarm: "NOSPACE",
        memberID: (await s.range("a")).text("header.member_id"),
      });
      (await s.put("a", "v")).shows({ header: { revision: 2 } });
    },
    { args: ["--quota-backend-bytes", "1000000"] },
  ),
  script(
    "MAINT-6",
    "a quota below what a grant costs refuses it",
    async (s) => {
      (await s.grant(600, 7)).refused(...noSpace);
      (await alarm(s)).shows({ alarms: [{ alarm: "NOSPACE" }] });
    },
    { args: ["--quota-backend-bytes", "60"] },
  ),
  script(
    "MAINT-6",
    "a quota below 0 is none",
    async (s) => {
      for (let number = 0; number < 5; number += 1) {
        (await s.put("a", "v".repeat(1_000_000))).succeeds();
      }
      (await alarm(s)).shows({ alarms: [] });
    },
    { args: ["--quota-backend-bytes=-1"] },
  ),
];

/** The scripts of this section. */
export const scripts = [...lists, ...effects, ...quota];
