// LEASE-17 to LEASE-25: renewing leases, without what authentication and lost leaders do to it.

import { putKeys, readAll } from "../phrases.js";
import { script } from "../script.js";
import type { Session } from "../session.js";
import type { MessageStream } from "../stream.js";

const openKeepAlive = (s: Session): MessageStream => s.stream("etcdserverpb.Lease/LeaseKeepAlive");
const timeToLive = (s: Session, id: number) => s.unary("etcdserverpb.Lease/LeaseTimeToLive", { ID: id });

/** Resolves once a lease of this many seconds, granted now, has ended: how scripts let time pass. */
async function letPass(s: Session, seconds: number, id: number): Promise<void> {
  await s.grant(seconds, id);
  const watch = await s.watch({ key: `clock ${id}`, filters: ["NOPUT"] });
  await s.put(`clock ${id}`, "", { lease: id });
  await watch.events(1);
}

/** The scripts of this section. */
export const scripts = [
  script(["LEASE-17", "LEASE-22"], "one answer for each request, in their order", async (s) => {
    await s.grant(600, 7);
    await s.grant(60, 8);
    const stream = openKeepAlive(s);
    const asked = [7, 8, 7, 9, 8, 8, 0, 7];
    for (const id of asked) {
      stream.send({ ID: id });
    }
    for (const id of asked) {
      (await stream.next()).shows({ ID: id, TTL: { 7: 600, 8: 60 }[id] ?? 0 });
    }
    stream.send({ ID: 7 });
    (await stream.next()).shows({ ID: 7 });
  }),
  script("LEASE-22", "what was asked before the half-close is still answered", async (s) => {
    await s.grant(600, 7);
    const stream = openKeepAlive(s);
    for (const id of [7, 8, 7, 7]) {
      stream.send({ ID: id });
    }
    stream.halfClose();
    for (const id of [7, 8, 7, 7]) {
      (await stream.next()).shows({ ID: id });
    }
    (await stream.end()).succeeds();
    const silent = openKeepAlive(s);
    silent.halfClose();
    (await silent.end()).succeeds();
  }),
  script("LEASE-18", "a renewal gives the whole TTL again and makes no revision", async (s) => {
    await s.grant(20, 7);
    await letPass(s, 3, 8);
    const left = await s.unary(
      "etcdserverpb.Lease/LeaseTimeToLive",
      { ID: 7 },
      { unobserved: "the seconds depend on when it is asked" },
    );
    s.ok(left.number("TTL") <= 17, "three seconds have passed");
    const stream = openKeepAlive(s);
    stream.send({ ID: 7 });
    (await stream.next()).shows({ ID: 7, TTL: 20, header: { revision: 3 } });
    const renewed = await timeToLive(s, 7);
    s.ok(renewed.number("TTL") > 17, "the three seconds are given back");
    (await readAll(s)).shows({ header: { revision: 3 } });
  }),
  script("LEASE-18", "a lease that is renewed in time outlives its TTL", async (s) => {
    await s.grant(5, 7);
    await s.put("kept", "v", { lease: 7 });
    const stream = openKeepAlive(s);
    for (const clock of [11, 12, 13]) {
      await letPass(s, 2, clock);
      stream.send({ ID: 7 });
      (await stream.next()).shows({ ID: 7, TTL: 5 });
    }
    (await s.range("kept")).shows({ count: 1 });
  }),
  script("LEASE-19", "leases that are not there answer 0, and the stream goes on", async (s) => {
    await s.grant(600, 7);
    await s.grant(600, 8);
    await s.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 8 });
    await letPass(s, 2, 9);
    const stream = openKeepAlive(s);
    for (const id of [0, 8, 9, 99, -1]) {
      stream.send({ ID: id });
      (await stream.next()).shows({ ID: id, TTL: 0, header: { revision: 3 } });
    }
    stream.send({ ID: 7 });
    (await stream.next()).shows({ ID: 7, TTL: 600 });
    stream.halfClose();
    (await stream.end()).succeeds();
  }),
  script(["LEASE-20", "LEASE-21"], "a due lease is not revived: 0 is answered when its keys are gone", async (s) => {
    const due = Array.from({ length: 40 }, (_, index) => index + 1);
    await s.grant(600, 100);
    await Promise.all(due.map((id) => s.grant(4, id)));
    const puts = due.map((id) => ({ request_put: { key: `key of ${id}`, value: "v", lease: id } }));
    (await s.txn({ success: puts })).shows({ header: { revision: 2 } });
    const unobserved = "leases that are due at once end in no particular order";
    const stream = s.stream("etcdserverpb.Lease/LeaseKeepAlive", undefined, { unobserved });
    // Granted last: when it has ended the others are due, and some of them may not have ended yet.
    await s.grant(4, 99);
    const watch = await s.watch({ key: "last", filters: ["NOPUT"] }, { unobserved });
    await s.put("last", "", { lease: 99 });
    await watch.next();
    for (const id of [...due, 100]) {
      stream.send({ ID: id });
    }
    for (const id of due) {
      (await stream.next()).shows({ ID: id, TTL: 0 });
    }
    (await stream.next()).shows({ ID: 100, TTL: 600 });
    (await readAll(s)).shows({ count: 0, header: { revision: 44 } });
  }),
  script("LEASE-23", "the header tells the revision of the moment", async (s) => {
    await s.grant(600, 7);
    const stream = openKeepAlive(s);
    for (const revision of [1, 2, 3]) {
      stream.send({ ID: 7 });
      (await stream.next()).shows({ header: { revision } });
      await putKeys(s, "a");
    }
    stream.send({ ID: 99 });
    (await stream.next()).shows({ TTL: 0, header: { revision: 4 } });
  }),
  script("LEASE-25", "a lease just granted is known to every other connection", async (s) => {
    const other = await s.connect();
    const unobserved = "the revisions of writes at the same time depend on their order";
    const stream = other.stream("etcdserverpb.Lease/LeaseKeepAlive", undefined, { unobserved });
    for (let id = 1; id <= 20; id++) {
      const puts = Array.from({ length: 20 }, () => s.put("busy", "v", {}, { unobserved }));
      (await s.grant(600, id, { unobserved })).shows({ ID: id });
      stream.send({ ID: id });
      (await stream.next()).shows({ ID: id, TTL: 600 });
      await Promise.all(puts);
    }
    (await readAll(s)).shows({ kvs: [{ key: "busy", version: 400 }] });
  }),
];
