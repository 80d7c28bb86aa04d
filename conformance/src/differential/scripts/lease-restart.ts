// LEASE-38 to LEASE-41: what a restart does to leases.

import { everything, readAll } from "../phrases.js";
import { script } from "../script.js";
import type { Session } from "../session.js";

const unobserved = "the seconds left depend on how long the start took";
const secondsLeft = async (s: Session, id: number | string): Promise<number> =>
  (await s.unary("etcdserverpb.Lease/LeaseTimeToLive", { ID: id }, { unobserved })).number("TTL");

const survivals = (["SIGTERM", "SIGKILL"] as const).map((signal) =>
  script("LEASE-38", `leases and their keys survive a restart by ${signal}`, async (s) => {
    await s.grant(600, 7);
    await s.grant(60, -8);
    await s.grant(600, 9);
    await s.put("a", "v", { lease: 7 });
    await s.put("b", "v", { lease: -8 });
    await s.put("c", "v", { lease: 7 });
    await s.put("c", "v", { lease: -8 });
    await s.put("d", "v", { lease: 9 });
    await s.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 9 });
    await s.restart(signal);
    const leases = await s.unary("etcdserverpb.Lease/LeaseLeases", {});
    leases.shows({ leases: [{ ID: -8 }, { ID: 7 }], header: { revision: 7 } });
    const ask = (id: number) =>
      s.unary("etcdserverpb.Lease/LeaseTimeToLive", { ID: id, keys: true }, { unobserved: "see LEASE-39" });
    (await ask(7)).shows({ ID: 7, grantedTTL: 600, keys: ["a"] });
    (await ask(-8)).shows({ ID: -8, grantedTTL: 60 });
    (await ask(9)).shows({ TTL: -1, grantedTTL: 0 });
    (await s.unary("etcdserverpb.Lease/LeaseRevoke", { ID: -8 })).shows({ header: { revision: 8 } });
    (await readAll(s)).shows({ kvs: [{ key: "a", lease: 7 }] });
    (await s.grant(60, 7)).refused("FAILED_PRECONDITION", "etcdserver: lease already exists");
  }),
);

const clocks = [
  script(["LEASE-38", "LEASE-39"], "a restart gives every lease its whole TTL again", async (s) => {
    const watch = await s.watch({ ...everything, filters: ["NOPUT"] });
    await s.grant(60, 7);
    await s.grant(10, 8);
    await s.put("clock", "", { lease: 8 });
    await watch.next();
    s.ok((await secondsLeft(s, 7)) <= 50, "ten seconds have passed");
    await s.restart();
    s.ok((await secondsLeft(s, 7)) > 50, "they are given back");
  }),
  script("LEASE-39", "after a restart a lease still never ends before its TTL", async (s) => {
    await s.grant(3, 7);
    await s.put("a", "v", { lease: 7 });
    const before = performance.now();
    await s.restart("SIGKILL");
    const watch = await s.watch({ ...everything, start_revision: 2, filters: ["NOPUT"] });
    (await watch.next()).shows({ header: { revision: 3 }, events: [{ type: "DELETE", kv: { key: "a" } }] });
    s.ok(performance.now() - before >= 3000, "three seconds have passed");
  }),
  script(
    "LEASE-39",
    "etcd adds an election timeout to the TTL",
    async (s) => {
      await s.grant(60, 7);
      await s.restart();
      s.observe("more than was granted", (await secondsLeft(s, 7)) > 60);
      (await s.range("a")).shows({ count: 0 });
    },
    {
      args: ["--election-timeout", "20000", "--heartbeat-interval", "500"],
      divergences: [{ row: "LEASE-39", at: "more than was granted.value", etcd: true, holdfast: false }],
    },
  ),
  script(
    "LEASE-40",
    "a stored TTL below the least one is raised at the start",
    async (s) => {
      await s.grant(1, 7);
      await s.grant(20, 8);
      await s.put("a", "v", { lease: 7 });
      await s.restart("SIGTERM", ["--election-timeout", "5000", "--heartbeat-interval", "500"]);
      const ask = (id: number) => s.unary("etcdserverpb.Lease/LeaseTimeToLive", { ID: id, keys: true }, { unobserved });
      (await ask(7)).shows({ grantedTTL: 8, keys: ["a"] });
      (await ask(8)).shows({ grantedTTL: 20 });
      const keepAlive = s.stream("etcdserverpb.Lease/LeaseKeepAlive");
      keepAlive.send({ ID: 7 });
      (await keepAlive.next()).shows({ ID: 7, TTL: 8 });
    },
    { args: ["--election-timeout", "500", "--heartbeat-interval", "100"] },
  ),
  script(
    "LEASE-41",
    "etcd spreads the ends of a thousand leases and more after a restart",
    async (s) => {
      const ids = Array.from({ length: 6000 }, (_, index) => index + 1);
      // Not all at once: above 5,000 waiting entries etcd refuses (LEASE-42).
      for (let first = 0; first < ids.length; first += 1000) {
        const some = ids.slice(first, first + 1000);
        await Promise.all(some.map((id) => s.grant(600, id, { unobserved: "their number is the point" })));
      }
      await s.restart();
      const { leases } = (await s.unary("etcdserverpb.Lease/LeaseLeases", {}, { unobserved })).message;
      const listed = leases as readonly { readonly ID: number }[];
      s.equal(listed.length, ids.length);
      const last = await secondsLeft(s, (listed.at(-1) as { readonly ID: number }).ID);
      // 750 of 6,000 leases in each second make eight seconds.
      s.observe("seconds were added", last > 601);
      s.ok(last > 590, "the whole TTL is left");
      (await readAll(s)).shows({ count: 0 });
    },
    { divergences: [{ row: "LEASE-41", at: "seconds were added.value", etcd: true, holdfast: false }] },
  ),
];

/** The scripts of this section. */
export const scripts = [...survivals, ...clocks];
