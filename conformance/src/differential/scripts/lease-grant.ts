// LEASE-1 to LEASE-8: granting leases. LEASE-15 and LEASE-16: revoking them.

import { putKeys, readAll, refusals } from "../phrases.js";
import { type Script, script } from "../script.js";
import type { Session } from "../session.js";

const int64Max = "9223372036854775807";
const int64Min = "-9223372036854775808";

const grantWith = (s: Session, ttlSeconds: number | string, id: number | string) =>
  s.unary("etcdserverpb.Lease/LeaseGrant", { TTL: ttlSeconds, ID: id });
const revoke = (s: Session, id: number | string) => s.unary("etcdserverpb.Lease/LeaseRevoke", { ID: id });
const timeToLive = (s: Session, id: number | string, keys = false) =>
  s.unary("etcdserverpb.Lease/LeaseTimeToLive", { ID: id, keys });

const grants = [
  script("LEASE-1", "without an id the server draws a positive one", async (s) => {
    const drawn: string[] = [];
    for (const ttl of [600, 600, 60]) {
      const granted = await grantWith(s, ttl, 0);
      granted.shows({ TTL: ttl, header: { revision: 1 } });
      drawn.push(granted.text("ID"));
    }
    s.equal(new Set(drawn).size, 3);
    for (const id of drawn) {
      s.ok(BigInt(id) > 0n && BigInt(id) <= BigInt(int64Max), `${id} is a positive int64`);
      await s.put(`key of ${drawn.indexOf(id)}`, "v", { lease: id });
      (await timeToLive(s, id, true)).shows({ ID: granted64(id), keys: [`key of ${drawn.indexOf(id)}`] });
    }
    (await revoke(s, drawn[0] as string)).shows({ header: { revision: 5 } });
    (await readAll(s)).shows({ count: 2 });
  }),
  script("LEASE-2", "a chosen id is used as given, negative and extreme ones too", async (s) => {
    for (const id of [1, 7, -1, -7, int64Max, int64Min]) {
      (await grantWith(s, 600, id)).shows({ ID: id, TTL: 600, error: "" });
      (await s.put(`key of ${id}`, "v", { lease: id })).succeeds();
      (await timeToLive(s, id, true)).shows({ ID: id, grantedTTL: 600, keys: [`key of ${id}`] });
      const keepAlive = s.stream("etcdserverpb.Lease/LeaseKeepAlive");
      keepAlive.send({ ID: id });
      (await keepAlive.next()).shows({ ID: id, TTL: 600 });
    }
    (await readAll(s)).shows({ count: 6 });
    (await revoke(s, -7)).shows({ header: { revision: 8 } });
    (await revoke(s, int64Min)).shows({ header: { revision: 9 } });
    (await readAll(s)).shows({ count: 4 });
  }),
  script("LEASE-3", "an id in use is refused and its lease left as it was", async (s) => {
    await s.grant(600, 7);
    await s.put("a", "v", { lease: 7 });
    (await s.grant(60, 7)).refused("FAILED_PRECONDITION", "etcdserver: lease already exists");
    (await s.grant(600, 7)).refused("FAILED_PRECONDITION", "etcdserver: lease already exists");
    (await timeToLive(s, 7, true)).shows({ grantedTTL: 600, keys: ["a"], header: { revision: 2 } });
    (await revoke(s, 7)).succeeds();
    (await s.grant(60, 7)).shows({ ID: 7, TTL: 60 });
    (await timeToLive(s, 7, true)).shows({ grantedTTL: 60, keys: [] });
  }),
  script("LEASE-4", "9,000,000,000 seconds are the most; that is checked before the id", async (s) => {
    const tooLarge = ["OUT_OF_RANGE", "etcdserver: too large lease TTL"] as const;
    (await grantWith(s, 9_000_000_000, 7)).shows({ ID: 7, TTL: 9_000_000_000 });
    (await grantWith(s, 9_000_000_001, 8)).refused(...tooLarge);
    (await grantWith(s, int64Max, 8)).refused(...tooLarge);
    (await grantWith(s, 9_000_000_001, 0)).refused(...tooLarge);
    (await grantWith(s, 9_000_000_001, 7)).refused(...tooLarge);
    (await timeToLive(s, 7)).shows({ grantedTTL: 9_000_000_000 });
    (await timeToLive(s, 8)).shows({ TTL: -1 });
  }),
  script("LEASE-5", "a TTL below the least one is raised to it", async (s) => {
    for (const [index, ttl] of [2, 1, 0, -1, -600, int64Min].entries()) {
      (await grantWith(s, ttl, index + 1)).shows({ ID: index + 1, TTL: 2 });
      (await timeToLive(s, index + 1)).shows({ grantedTTL: 2 });
    }
    (await grantWith(s, 3, 9)).shows({ TTL: 3 });
  }),
  script("LEASE-7", "a grant makes no revision", async (s) => {
    (await s.grant(600, 7)).shows({ header: { revision: 1 }, error: "" });
    await putKeys(s, "a", "b");
    (await s.grant(600, 8)).shows({ header: { revision: 3 }, error: "" });
    (await s.grant(600, 8)).refused("FAILED_PRECONDITION", /./);
    (await readAll(s)).shows({ header: { revision: 3 } });
  }),
];

/** Election timeout and heartbeat interval in milliseconds, and the least TTL that follows. */
const leastTtls = [
  { election: 1000, heartbeat: 100, seconds: 2 },
  { election: 500, heartbeat: 100, seconds: 1 },
  { election: 2000, heartbeat: 300, seconds: 3 },
  { election: 5000, heartbeat: 500, seconds: 8 },
];

const leastTtlScripts: readonly Script[] = leastTtls.map(({ election, heartbeat, seconds }) =>
  script(
    "LEASE-6",
    `the least TTL is ${seconds} s with an election timeout of ${election} ms and a heartbeat of ${heartbeat} ms`,
    async (s) => {
      (await s.grant(0, 1)).shows({ TTL: seconds });
      (await s.grant(seconds, 2)).shows({ TTL: seconds });
      (await s.grant(seconds + 1, 3)).shows({ TTL: seconds + 1 });
    },
    { args: ["--election-timeout", String(election), "--heartbeat-interval", String(heartbeat)] },
  ),
);

const noSpace = ["RESOURCE_EXHAUSTED", "etcdserver: mvcc: database space exceeded"] as const;

const quota = [
  script("LEASE-8", "under the NOSPACE alarm nothing is granted", async (s) => {
    await s.grant(600, 7);
    await s.put("a", "v", { lease: 7 });
    const unobserved = "the maintenance scripts compare alarms";
    const alarm = "etcdserverpb.Maintenance/Alarm";
    (await s.unary(alarm, { action: "ACTIVATE", alarm: "NOSPACE" }, { unobserved })).succeeds();
    (await s.grant(600, 8)).refused(...noSpace);
    (await s.grant(600, 7)).refused(...noSpace);
    (await timeToLive(s, 8)).shows({ TTL: -1 });
    const keepAlive = s.stream("etcdserverpb.Lease/LeaseKeepAlive");
    keepAlive.send({ ID: 7 });
    (await keepAlive.next()).shows({ ID: 7, TTL: 600 });
    (await revoke(s, 7)).shows({ header: { revision: 3 } });
    (await s.unary(alarm, { action: "DEACTIVATE", alarm: "NOSPACE" }, { unobserved })).succeeds();
    (await s.grant(600, 8)).succeeds();
  }),
  script(
    "LEASE-8",
    "a grant counts against the quota and raises the alarm",
    async (s) => {
      (await s.grant(600, 7)).refused(...noSpace);
      const raised = await s.unary("etcdserverpb.Maintenance/Alarm", { action: "GET", alarm: "NONE" });
      raised.shows({ alarms: [{ alarm: "NOSPACE" }] });
      (await timeToLive(s, 7)).shows({ TTL: -1 });
    },
    { args: ["--quota-backend-bytes", "32"] },
  ),
];

const revokes = [
  script("LEASE-15", "an unknown lease cannot be revoked", async (s) => {
    for (const id of [0, 7, -1, int64Max]) {
      (await revoke(s, id)).refused(...refusals.leaseNotFound);
    }
    await s.grant(600, 7);
    (await revoke(s, 7)).succeeds();
    (await revoke(s, 7)).refused(...refusals.leaseNotFound);
  }),
  script("LEASE-16", "a revoke's revision is that in which the keys went", async (s) => {
    await s.grant(600, 7);
    await s.grant(600, 8);
    await s.put("a", "v", { lease: 7 });
    await s.put("b", "v", { lease: 7 });
    (await revoke(s, 7)).shows({ header: { revision: 4 } });
    (await readAll(s)).shows({ count: 0, header: { revision: 4 } });
    (await revoke(s, 8)).shows({ header: { revision: 4 } });
    (await s.put("c", "v")).shows({ header: { revision: 5 } });
  }),
];

/** A 64-bit integer as messages show it. */
function granted64(id: string): string | number {
  return Number.isSafeInteger(Number(id)) ? Number(id) : id;
}

/** The scripts of this section. */
export const scripts = [...grants, ...leastTtlScripts, ...quota, ...revokes];
