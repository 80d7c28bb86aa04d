// LEASE-26 to LEASE-37: what is told of leases, and which keys belong to them.

import { everything, putKeys, readAll, refusals } from "../phrases.js";
import { script } from "../script.js";
import type { Session } from "../session.js";

const timeToLive = (s: Session, id: number, keys = true) =>
  s.unary("etcdserverpb.Lease/LeaseTimeToLive", { ID: id, keys });
const revoke = (s: Session, id: number) => s.unary("etcdserverpb.Lease/LeaseRevoke", { ID: id });
const listLeases = (s: Session) => s.unary("etcdserverpb.Lease/LeaseLeases", {});

const reads = [
  script("LEASE-26", "the seconds left are rounded down; the TTL granted is the raised one", async (s) => {
    await s.grant(60, 7);
    const first = await timeToLive(s, 7);
    first.shows({ ID: 7, grantedTTL: 60, header: { revision: 1 } });
    s.ok(first.number("TTL") < 60, "not all of the 60 seconds are left");
    await s.grant(1, 8);
    const raised = await timeToLive(s, 8);
    raised.shows({ grantedTTL: 2 });
    s.ok(raised.number("TTL") <= 1, "not all of the 2 seconds are left");
  }),
  script(["LEASE-26", "LEASE-27"], "in its last second a lease has 0 left and is alive", async (s) => {
    const watch = await s.watch({ ...everything, filters: ["NOPUT"] });
    await s.grant(2, 7);
    await s.grant(4, 8);
    await s.put("clock", "", { lease: 7 });
    await s.put("a", "v", { lease: 8 });
    await watch.next();
    const unobserved = "how often it is asked depends on the time";
    const ask = () => s.unary("etcdserverpb.Lease/LeaseTimeToLive", { ID: 8 }, { unobserved });
    let last = await ask();
    while (last.number("TTL") > 0) {
      last = await ask();
    }
    last.shows({ TTL: 0, grantedTTL: 4 });
    (await s.range("a")).shows({ count: 1 });
    (await watch.next()).shows({ events: [{ kv: { key: "a" } }] });
    (await timeToLive(s, 8)).shows({ TTL: -1, grantedTTL: 0 });
  }),
  script("LEASE-28", "an unknown lease is an answer, not an error", async (s) => {
    await putKeys(s, "a");
    const unknown = { TTL: -1, grantedTTL: 0, keys: [], header: { revision: 2 } };
    for (const id of [0, 7, -1]) {
      (await timeToLive(s, id, true)).shows({ ID: id, ...unknown });
      const bare = await timeToLive(s, id, false);
      bare.shows({ ID: id, ...unknown });
      s.equal(bare.at("TTL"), -1);
    }
    await s.grant(600, 7);
    await revoke(s, 7);
    (await timeToLive(s, 7)).shows({ ID: 7, ...unknown });
  }),
  script("LEASE-29", "keys are told only when they are asked for", async (s) => {
    await s.grant(600, 7);
    await s.grant(600, 8);
    (await timeToLive(s, 7)).shows({ keys: [] });
    for (const key of ["b", "a", "\xff\0"]) {
      await s.put(key, "v", { lease: 7 });
    }
    const keys = (await timeToLive(s, 7)).at("keys") as readonly string[];
    s.equal([...keys].sort(), ["a", "b", "\xff\0"]);
    (await timeToLive(s, 7, false)).shows({ keys: [] });
    (await timeToLive(s, 8)).shows({ keys: [] });
  }),
  script("LEASE-30", "leases are listed the soonest to expire first", async (s) => {
    (await listLeases(s)).shows({ leases: [], header: { revision: 1 } });
    for (const [id, ttl] of [
      [1, 300],
      [2, 100],
      [3, 500],
      [-4, 200],
      [5, 400],
    ] as const) {
      await s.grant(ttl, id);
    }
    await putKeys(s, "a");
    const order = (...ids: readonly number[]) => ({ leases: ids.map((ID) => ({ ID })) });
    (await listLeases(s)).shows({ ...order(2, -4, 1, 5, 3), header: { revision: 2 } });
    await revoke(s, 1);
    await s.grant(150, 6);
    (await listLeases(s)).shows(order(2, 6, -4, 5, 3));
  }),
];

const attachments = [
  script("LEASE-31", "a put with an unknown lease writes nothing", async (s) => {
    for (const lease of [7, -1, "9223372036854775807"]) {
      (await s.put("a", "v", { lease })).refused(...refusals.leaseNotFound);
    }
    await s.grant(600, 7);
    await revoke(s, 7);
    (await s.put("a", "v", { lease: 7 })).refused(...refusals.leaseNotFound);
    const put = (lease: number) => ({ request_put: { key: `key of ${lease}`, lease } });
    (await s.txn({ success: [put(0), put(7)] })).refused(...refusals.leaseNotFound);
    (await readAll(s)).shows({ count: 0, header: { revision: 1 } });
  }),
  script("LEASE-32", "a put with another lease moves the key", async (s) => {
    await s.grant(600, 7);
    await s.grant(600, 8);
    await s.put("a", "v", { lease: 7 });
    await s.put("b", "v", { lease: 7 });
    (await s.put("a", "v", { lease: 8 })).shows({ header: { revision: 4 } });
    (await timeToLive(s, 7)).shows({ keys: ["b"] });
    (await timeToLive(s, 8)).shows({ keys: ["a"] });
    (await revoke(s, 7)).shows({ header: { revision: 5 } });
    (await readAll(s)).shows({ kvs: [{ key: "a", lease: 8 }] });
    (await revoke(s, 8)).shows({ header: { revision: 6 } });
    (await readAll(s)).shows({ count: 0 });
  }),
  script("LEASE-32", "a refused move leaves the key where it was", async (s) => {
    await s.grant(600, 7);
    await s.put("a", "v", { lease: 7 });
    (await s.put("a", "new", { lease: 99 })).refused(...refusals.leaseNotFound);
    (await timeToLive(s, 7)).shows({ keys: ["a"] });
    (await revoke(s, 7)).shows({ header: { revision: 3 } });
    (await readAll(s)).shows({ count: 0 });
  }),
  script("LEASE-33", "a put without a lease detaches the key", async (s) => {
    await s.grant(600, 7);
    await s.put("a", "v", { lease: 7 });
    await s.put("b", "kept", { lease: 7 });
    (await s.put("a", "v")).succeeds();
    (await s.put("b", "", { ignore_value: true })).succeeds();
    (await timeToLive(s, 7)).shows({ keys: [] });
    (await revoke(s, 7)).shows({ header: { revision: 5 } });
    (await readAll(s)).shows({ kvs: [{ lease: 0 }, { value: "kept", lease: 0 }] });
  }),
  script("LEASE-34", "ignore_lease keeps the lease of the key", async (s) => {
    await s.grant(600, 7);
    await s.grant(600, 8);
    await s.put("a", "v", { lease: 7 });
    await s.put("b", "v");
    (await s.put("a", "new", { ignore_lease: true })).succeeds();
    (await s.put("b", "new", { ignore_lease: true })).succeeds();
    (await readAll(s)).shows({
      kvs: [
        { value: "new", lease: 7, version: 2 },
        { value: "new", lease: 0, version: 2 },
      ],
    });
    (await s.put("a", "v", { ignore_lease: true, lease: 8 })).refused(...refusals.leaseGiven);
    (await s.put("a", "v", { ignore_lease: true, lease: 7 })).refused(...refusals.leaseGiven);
    (await s.put("none", "v", { ignore_lease: true })).refused(...refusals.keyNotFound);
    (await timeToLive(s, 7)).shows({ keys: ["a"] });
    (await s.put("a", "", { ignore_lease: true, ignore_value: true })).shows({ header: { revision: 6 } });
    (await revoke(s, 7)).shows({ header: { revision: 7 } });
    (await s.put("a", "v", { ignore_lease: true })).refused(...refusals.keyNotFound);
  }),
  script("LEASE-35", "deleting a key detaches it", async (s) => {
    await s.grant(600, 7);
    await s.put("a", "v", { lease: 7 });
    await s.put("b", "v", { lease: 7 });
    await s.deleteRange("a", { range_end: "c" });
    (await timeToLive(s, 7)).shows({ keys: [] });
    await s.put("a", "again");
    (await revoke(s, 7)).shows({ header: { revision: 5 } });
    (await readAll(s)).shows({ kvs: [{ key: "a", value: "again", lease: 0 }] });
  }),
  script("LEASE-36", "a put with the same lease is a write like any other", async (s) => {
    await s.grant(600, 7);
    await s.put("a", "v", { lease: 7 });
    const watch = await s.watch({ key: "a" });
    (await s.put("a", "v", { lease: 7 })).shows({ header: { revision: 3 } });
    (await watch.next()).shows({ events: [{ kv: { version: 2, lease: 7 } }] });
    (await timeToLive(s, 7)).shows({ keys: ["a"] });
    (await revoke(s, 7)).shows({ header: { revision: 4 } });
    (await watch.next()).shows({ events: [{ type: "DELETE" }] });
  }),
  script("LEASE-37", "a put does not renew the lease", async (s) => {
    const watch = await s.watch({ ...everything, filters: ["NOPUT"] });
    await s.grant(3, 7);
    await s.grant(20, 8);
    await s.put("clock", "", { lease: 7 });
    await watch.next();
    await s.put("a", "v", { lease: 8 });
    await s.put("a", "v", { ignore_lease: true });
    const unobserved = "the seconds depend on when it is asked";
    const left = await s.unary("etcdserverpb.Lease/LeaseTimeToLive", { ID: 8 }, { unobserved });
    left.shows({ grantedTTL: 20 });
    s.ok(left.number("TTL") <= 17, "three seconds have passed");
    s.ok(left.number("TTL") > 2, "it lives");
  }),
];

/** The scripts of this section. */
export const scripts = [...reads, ...attachments];
