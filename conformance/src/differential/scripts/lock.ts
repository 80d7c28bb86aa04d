// LOCK-1, LOCK-2, LOCK-6 to LOCK-10, LOCK-12 to LOCK-14, LOCK-18, LOCK-21 to LOCK-23: locks nobody has to wait for.

import { readAll } from "../phrases.js";
import {
  allOf,
  grantAll,
  leases,
  lock,
  queueOf,
  queueRefusals,
  raiseNoSpace,
  revoke,
  timeToLive,
  unlock,
  watchQueue,
} from "../queues.js";
import { script } from "../script.js";

const layout = [
  script("LOCK-1", "the key is the name, a slash and the lease in lower-case hex", async (s) => {
    const largest = "9223372036854775807";
    const hex = new Map<number | string, string>([
      [7, "7"],
      [255, "ff"],
      [0x1234abcd, "1234abcd"],
      [-1, "-1"],
      [-255, "-ff"],
    ]);
    for (const [id, text] of hex) {
      await s.unary("etcdserverpb.Lease/LeaseGrant", { TTL: 600, ID: id });
      (await lock(s, "name", id).answer).shows({ key: `name/${text}` });
      (await s.range(`name/${text}`)).shows({ kvs: [{ value: "", lease: id, version: 1 }] });
      (await unlock(s, `name/${text}`)).succeeds();
    }
    await s.unary("etcdserverpb.Lease/LeaseGrant", { TTL: 600, ID: largest });
    (await lock(s, "name", largest).answer).shows({ key: "name/7fffffffffffffff" });
    (await s.range("name/7fffffffffffffff")).shows({ kvs: [{ value: "", lease: largest }] });
  }),
  script("LOCK-2", "one transaction takes part, and creates nothing that is there", async (s) => {
    await grantAll(s, 7);
    const watch = await watchQueue(s, "l");
    (await lock(s, "l", 7).answer).shows({ header: { revision: 2 } });
    (await lock(s, "l", 7).answer).shows({ header: { revision: 2 } });
    await unlock(s, "l/7");
    await s.put("l/7", "of somebody else");
    (await lock(s, "l", 7).answer).shows({ key: "l/7", header: { revision: 4 } });
    (await s.range("l/7")).shows({ kvs: [{ value: "of somebody else", lease: 0, version: 1 }] });
    await s.put("l/end", "");
    s.equal((await watch.events(4)).length, 4);
  }),
  script("LOCK-6", "a name is any bytes", async (s) => {
    await grantAll(s, 7);
    for (const name of ["a/b", "/", "//", "a/", "\0", "\xff", "\xff\xfe/\0", "é\n", "x".repeat(5_000)]) {
      (await lock(s, name, 7).answer).shows({ key: `${name}/7` });
    }
    (await readAll(s)).shows({ count: 9 });
  }),
  script("LOCK-6", "the empty name is the prefix of one slash, and queues behind all that begins so", async (s) => {
    await grantAll(s, 7, 8);
    (await lock(s, "", 7).answer).shows({ key: "/7", header: { revision: 2 } });
    await unlock(s, "/7");
    await s.put("/some/path", "");
    await s.put("some/path", "");
    const watch = await s.watch({ key: "/", range_end: "0" });
    const waiter = lock(s, "", 8);
    await watch.events(1);
    await s.deleteRange("/some/path");
    (await waiter.answer).shows({ key: "/8", header: { revision: 7 } });
  }),
];

const leaseHandling = [
  script("LOCK-7", "without a lease the server grants one of 60 seconds, and leaves it alone", async (s) => {
    const key = (await lock(s, "l").answer).text("key");
    s.ok(/^l\/[0-9a-f]+$/.test(key), `a key with a lease in hex, got ${key}`);
    const lease = (await s.range(key)).text("kvs.0.lease");
    s.equal(BigInt(`0x${key.slice(2)}`).toString(), lease);
    (await timeToLive(s, lease)).shows({ grantedTTL: 60, keys: [key] });
    (await unlock(s, key)).shows({ header: { revision: 3 } });
    (await timeToLive(s, lease)).shows({ grantedTTL: 60, keys: [] });
    (await lock(s, "l", 0).answer).shows({ header: { revision: 4 } });
    s.equal(((await leases(s)).at("leases") as readonly unknown[]).length, 2);
  }),
  script("LOCK-9", "an unknown lease is refused, and no key written", async (s) => {
    await grantAll(s, 7);
    (await lock(s, "l", 8).answer).refused(...queueRefusals.leaseNotFound);
    await lock(s, "l", 7).answer;
    (await lock(s, "l", 8).answer).refused(...queueRefusals.leaseNotFound);
    await revoke(s, 7);
    (await lock(s, "l", 7).answer).refused(...queueRefusals.leaseNotFound);
    (await readAll(s)).shows({ count: 0, header: { revision: 3 } });
  }),
  script("LOCK-10", "the holder's lease may lock again; that is not counted", async (s) => {
    await grantAll(s, 7, 8);
    for (let times = 0; times < 3; times++) {
      (await lock(s, "l", 7).answer).shows({ key: "l/7", header: { revision: 2 } });
    }
    (await unlock(s, "l/7")).shows({ header: { revision: 3 } });
    (await lock(s, "l", 8).answer).shows({ key: "l/8", header: { revision: 4 } });
    (await unlock(s, "l/7")).shows({ header: { revision: 4 } });
    (await queueOf(s, "l")).shows({ kvs: [{ key: "l/8" }] });
  }),
];

const answers = [
  script("LOCK-12", "the revision is that of the key, or for who holds already the current one", async (s) => {
    await grantAll(s, 7);
    await s.put("elsewhere", "");
    (await lock(s, "l", 7).answer).shows({ key: "l/7", header: { revision: 3 } });
    (await s.range("l/7")).shows({ kvs: [{ create_revision: 3 }] });
    await s.put("elsewhere", "");
    (await lock(s, "l", 7).answer).shows({ key: "l/7", header: { revision: 4 } });
  }),
  script(["LOCK-12", "LOCK-13"], "after a wait the answer's revision is that of the hand-over", async (s) => {
    await grantAll(s, 7, 8);
    const watch = await watchQueue(s, "l");
    await lock(s, "l", 7).answer;
    const waiter = lock(s, "l", 8);
    await watch.events(2);
    await s.put("elsewhere", "");
    await unlock(s, "l/7");
    (await waiter.answer).shows({ key: "l/8", header: { revision: 5 } });
    (await s.range("l/8")).shows({ kvs: [{ create_revision: 3 }] });
    const fenced = (create_revision: number) =>
      s.txn({
        compare: [{ key: "l/8", target: "CREATE", create_revision }],
        success: [{ request_put: { key: "guarded" } }],
      });
    (await fenced(5)).shows({ succeeded: false });
    (await fenced(3)).shows({ succeeded: true });
  }),
  script("LOCK-14", "whatever fails inside is Unknown with the inner text", async (s) => {
    await grantAll(s, 7);
    await lock(s, "held", 7).answer;
    await raiseNoSpace(s);
    (await lock(s, "l").answer).refused(...queueRefusals.noSpace);
    (await lock(s, "l", 7).answer).refused(...queueRefusals.noSpace);
    (await lock(s, "held", 7).answer).refused(...queueRefusals.noSpace);
    (await unlock(s, "")).refused(...queueRefusals.keyMissing);
    (await unlock(s, "held/7")).shows({ header: { revision: 3 } });
  }),
  script("LOCK-14", "a key too large to write is Unknown with its text", async (s) => {
    await grantAll(s, 7);
    const tooLarge = ["UNKNOWN", "etcdserver: request is too large"] as const;
    (await lock(s, "x".repeat(1_700_000), 7).answer).refused(...tooLarge);
    (await unlock(s, "x".repeat(1_700_000))).refused(...tooLarge);
    (await readAll(s)).shows({ count: 0, header: { revision: 1 } });
  }),
  script("LOCK-18", "a holder that disconnects, or asks again and gives up, holds on", async (s) => {
    await grantAll(s, 7);
    const holder = await s.connect();
    (await lock(holder, "l", 7).answer).shows({ key: "l/7" });
    holder.disconnect();
    await s.put("elsewhere", "");
    (await queueOf(s, "l")).shows({ kvs: [{ key: "l/7" }], header: { revision: 3 } });
    (await timeToLive(s, 7)).shows({ keys: ["l/7"] });
    const unobserved = "given up, perhaps before it was answered";
    const again = lock(s, "l", 7, { unobserved });
    again.cancel();
    await again.answer;
    await s.put("elsewhere", "");
    (await queueOf(s, "l")).shows({ kvs: [{ key: "l/7" }], header: { revision: 4 } });
  }),
];

const unlocking = [
  script("LOCK-21", "Unlock deletes whatever key it is given, and no other", async (s) => {
    await grantAll(s, 7, 8);
    await s.put("ordinary", "v");
    await s.put("ordinary/below", "v");
    (await unlock(s, "ordinary")).shows({ header: { revision: 4 } });
    await lock(s, "l", 7).answer;
    const another = await s.connect();
    (await unlock(another, "l/7")).shows({ header: { revision: 6 } });
    (await lock(s, "l", 8).answer).shows({ header: { revision: 7 } });
    (await unlock(s, "l/")).shows({ header: { revision: 7 } });
    (await readAll(s)).shows({ kvs: [{ key: "l/8" }, { key: "ordinary/below" }] });
  }),
  script("LOCK-22", "a key that is not there is unlocked, at the current revision", async (s) => {
    (await unlock(s, "l/7")).shows({ header: { revision: 1 } });
    await s.put("a", "v");
    (await unlock(s, "l/7")).shows({ header: { revision: 2 } });
    (await s.range(allOf("l").key, { range_end: "l0" })).shows({ count: 0 });
  }),
  script("LOCK-23", "an empty key cannot be unlocked", async (s) => {
    (await unlock(s, "")).refused(...queueRefusals.keyMissing);
    (await s.unary("v3lockpb.Lock/Unlock", {})).refused(...queueRefusals.keyMissing);
  }),
];

/** The scripts of this section. */
export const scripts = [...layout, ...leaseHandling, ...answers, ...unlocking];
