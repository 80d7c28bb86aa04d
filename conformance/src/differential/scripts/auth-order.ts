// ORD-1 to ORD-5 while authentication is on: what wins when several things are wrong. LEASE-8: grants without space.

import { putKeys, readAll, refusals } from "../phrases.js";
import { script } from "../script.js";
import { authRefusals, badToken, logIn, quickPasswords, secure } from "../secured.js";
import type { Request } from "../wire.js";

const args = quickPasswords;
const noSpace = ["RESOURCE_EXHAUSTED", "etcdserver: mvcc: database space exceeded"] as const;
const corrupt = ["DATA_LOSS", "etcdserver: corrupt cluster"] as const;
const leaseExists = ["FAILED_PRECONDITION", "etcdserver: lease already exists"] as const;
const largeTtl = ["OUT_OF_RANGE", "etcdserver: too large lease TTL"] as const;
const alarm = "etcdserverpb.Maintenance/Alarm";

const put = (key: string, more: Request = {}): Request => ({ request_put: { key, ...more } });
const range = (key: string, more: Request = {}): Request => ({ request_range: { key, ...more } });

const writes = [
  script(
    "ORD-1",
    "writes: shape, then the token, then size, then the right, then the state",
    async (s) => {
      await secure(s, { ann: [["READWRITE", "a", "c"]] });
      const ann = await logIn(s, "ann");
      const bad = await s.connect({ metadata: { token: badToken } });
      const large = "x".repeat(2000);
      for (const client of [s, bad, ann]) {
        (await client.put("", large)).refused(...refusals.keyMissing);
        (await client.put("z", "v", { ignore_value: true })).refused(...refusals.valueGiven);
        (await client.deleteRange("")).refused(...refusals.keyMissing);
        (await client.txn({ success: [put("z"), put("z")] })).refused(...refusals.duplicateKey);
        (await client.txn({ success: [{}] })).refused(...refusals.keyNotFound);
      }
      (await bad.put("z", large)).refused(...authRefusals.badToken);
      (await bad.txn({ success: [put("z", { value: large })] })).refused(...authRefusals.badToken);
      (await bad.deleteRange("z".repeat(2000))).refused(...authRefusals.badToken);
      (await s.put("z", large)).refused(...refusals.tooLarge);
      (await ann.put("z", large, { lease: 9 })).refused(...refusals.tooLarge);
      (await ann.put("z", "v", { lease: 9 })).refused(...authRefusals.denied);
      (await ann.put("z", "", { ignore_value: true })).refused(...authRefusals.denied);
      (await s.put("a", "v", { lease: 9 })).refused(...authRefusals.userEmpty);
      (await ann.put("a", "v", { lease: 9 })).refused(...refusals.leaseNotFound);
      (await ann.put("a", "", { ignore_value: true })).refused(...refusals.keyNotFound);
      (await ann.txn({ success: [put("a", { lease: 9 })], failure: [put("z")] })).refused(...authRefusals.denied);
      (await ann.txn({ success: [range("a", { revision: 9 }), put("b")] })).refused(...refusals.future);
      (await ann.txn({ success: [range("z", { revision: 9 }), put("b")] })).refused(...authRefusals.denied);
    },
    { args: [...args, "--max-request-bytes", "1000"] },
  ),
  script(
    ["ORD-1", "LEASE-8"],
    "alarms come after the token and the size, and before the right",
    async (s) => {
      const root = await secure(s, { ann: [["READWRITE", "a"]] });
      const ann = await logIn(s, "ann");
      const bad = await s.connect({ metadata: { token: badToken } });
      await root.grant(600, 5);
      await root.put("z", "v", { lease: 5 });
      const alarms: readonly (readonly [name: string, refusal: readonly [status: string, details: string]])[] = [
        ["NOSPACE", noSpace],
        ["CORRUPT", corrupt],
      ];
      for (const [name, refusal] of alarms) {
        (await root.unary(alarm, { action: "ACTIVATE", alarm: name })).succeeds();
        (await ann.put("a", "v")).refused(...refusal);
        (await ann.put("z", "v", { lease: 9 })).refused(...refusal);
        (await s.put("z", "v")).refused(...refusal);
        (await bad.put("z", "v")).refused(...authRefusals.badToken);
        (await ann.put("", "v")).refused(...refusals.keyMissing);
        (await ann.put("z", "x".repeat(2000))).refused(...refusals.tooLarge);
        (await ann.grant(60, 7)).refused(...refusal);
        (await s.grant(60, 7)).refused(...authRefusals.userEmpty);
        await s.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 7 });
        await ann.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 7 });
        await ann.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 5 });
        await s.deleteRange("a");
        await ann.deleteRange("z");
        await s.compact(9);
        await s.txn({ success: [put("z")] });
        (await ann.txn({ success: [put("z")] })).refused(...refusal);
        (await ann.txn({ success: [range("z")] })).refused(...authRefusals.denied);
        (await ann.range("z")).refused(...authRefusals.denied);
      }
      (await ann.deleteRange("z")).refused(...corrupt);
      await root.unary(alarm, { action: "DEACTIVATE", alarm: "CORRUPT" });
      (await ann.put("a", "v")).refused(...noSpace);
      (await ann.deleteRange("z")).refused(...authRefusals.denied);
      (await ann.deleteRange("a")).succeeds();
    },
    { args: [...args, "--max-request-bytes", "1000"] },
  ),
  script(
    "ORD-1",
    "leases: the token, then the user, then the state",
    async (s) => {
      const root = await secure(s, { ann: [["READWRITE", "a"]] });
      const ann = await logIn(s, "ann");
      const bad = await s.connect({ metadata: { token: badToken } });
      await root.grant(600, 7);
      await root.put("z", "v", { lease: 7 });
      (await bad.grant(9_000_000_001, 7)).refused(...authRefusals.badToken);
      (await s.grant(9_000_000_001, 7)).refused(...authRefusals.userEmpty);
      (await s.grant(60, 7)).refused(...authRefusals.userEmpty);
      (await ann.grant(9_000_000_001, 7)).refused(...largeTtl);
      (await ann.grant(60, 7)).refused(...leaseExists);
      const revoke = "etcdserverpb.Lease/LeaseRevoke";
      (await s.unary(revoke, { ID: 9 })).refused(...authRefusals.userEmpty);
      (await ann.unary(revoke, { ID: 9 })).refused(...refusals.leaseNotFound);
      (await ann.unary(revoke, { ID: 7 })).refused(...authRefusals.denied);
      const timeToLive = "etcdserverpb.Lease/LeaseTimeToLive";
      (await s.unary(timeToLive, { ID: 9 })).refused(...authRefusals.userEmpty);
      (await ann.unary(timeToLive, { ID: 9, keys: true })).shows({ TTL: -1 });
      (await ann.unary(timeToLive, { ID: 7 })).shows({ grantedTTL: 600, keys: [] });
      (await ann.unary(timeToLive, { ID: 7, keys: true })).refused(...authRefusals.denied);
      (await ann.unary("etcdserverpb.Lease/LeaseLeases", {})).refused(...authRefusals.denied);
      (await root.unary("etcdserverpb.Lease/LeaseLeases", {})).shows({ leases: [{ ID: 7 }] });
    },
    { args },
  ),
  script(
    ["AUTH-20", "ORD-1"],
    "a key is tied to a lease only by who may write all keys of the lease",
    async (s) => {
      const root = await secure(s, { ann: [["READWRITE", "a", "c"]] });
      const ann = await logIn(s, "ann");
      await root.grant(600, 7);
      await ann.grant(600, 8);
      (await ann.put("a", "v", { lease: 7 })).succeeds();
      (await root.put("z", "v", { lease: 7 })).succeeds();
      (await ann.put("b", "v", { lease: 7 })).refused(...authRefusals.denied);
      (await ann.put("a", "w", { lease: 7 })).refused(...authRefusals.denied);
      (await ann.txn({ failure: [put("b", { lease: 7 })] })).refused(...authRefusals.denied);
      (await ann.put("a", "w", { ignore_lease: true })).succeeds();
      (await ann.put("b", "v", { lease: 8 })).succeeds();
      (await ann.unary("etcdserverpb.Lease/LeaseTimeToLive", { ID: 8, keys: true })).shows({ keys: ["b"] });
      (await ann.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 8 })).succeeds();
      (await ann.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 7 })).refused(...authRefusals.denied);
      (await root.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 7 })).succeeds();
      (await readAll(root)).shows({ count: 0 });
    },
    { args },
  ),
];

const reads = [
  script(
    "ORD-2",
    "a range: shape, then the token, then the right, then the revision",
    async (s) => {
      const root = await secure(s, { ann: [["READ", "a"]] });
      await putKeys(root, "a", "b");
      await root.compact(3);
      const ann = await logIn(s, "ann");
      const bad = await s.connect({ metadata: { token: badToken } });
      for (const serializable of [false, true]) {
        for (const client of [s, bad, ann]) {
          (await client.range("", { revision: 99, serializable })).refused(...refusals.keyMissing);
          (await client.range("z", { sort_order: 9, serializable })).refused(...refusals.sortUnknown);
        }
        for (const revision of [0, 1, 99]) {
          (await bad.range("a", { revision, serializable })).refused(...authRefusals.badToken);
          (await s.range("a", { revision, serializable })).refused(...authRefusals.userEmpty);
          (await ann.range("z", { revision, serializable })).refused(...authRefusals.denied);
        }
        (await ann.range("a", { revision: 99, serializable })).refused(...refusals.future);
        (await ann.range("a", { revision: 1, serializable })).refused(...refusals.compacted);
      }
    },
    { args },
  ),
  script(
    ["ORD-3", "AUTH-20"],
    "a transaction: its shape, then the rights for both branches and all compares",
    async (s) => {
      await secure(s, {
        ann: [
          ["READ", "r"],
          ["WRITE", "w"],
        ],
      });
      const ann = await logIn(s, "ann");
      const compare = (key: string, more: Request = {}): Request => ({ key, target: "VERSION", ...more });
      (await ann.txn({ compare: [compare("r")], success: [put("w")], failure: [range("r")] })).shows({
        succeeded: true,
      });
      for (const denied of [
        { compare: [compare("w")], success: [put("w")] },
        { compare: [compare("r", { range_end: "s" })], success: [put("w")] },
        { success: [put("w")], failure: [put("r")] },
        { success: [put("w"), range("w")] },
        { success: [put("w", { prev_kv: true })] },
        { success: [{ request_delete_range: { key: "w", prev_kv: true } }] },
        { success: [{ request_delete_range: { key: "r" } }] },
        { success: [put("w")], failure: [{ request_txn: { success: [put("r")] } }] },
        { success: [put("w")], failure: [{ request_txn: { compare: [compare("w")] } }] },
        { failure: [range("w")] },
        { compare: [compare("w")] },
      ]) {
        (await ann.txn(denied)).refused(...authRefusals.denied);
      }
      (await ann.txn({ success: [{ request_delete_range: { key: "w" } }] })).succeeds();
      (await ann.txn({ success: [put("w")], failure: [{}] })).refused(...refusals.keyNotFound);
      (await ann.txn({ compare: [compare("")], success: [put("z")] })).refused(...refusals.keyMissing);
      (await ann.txn({})).succeeds();
    },
    { args },
  ),
  script(
    "ORD-5",
    "a compaction: the right before the revision",
    async (s) => {
      const root = await secure(s, { ann: [["READWRITE", "\0", "\0"]] });
      const ann = await logIn(s, "ann");
      const bad = await s.connect({ metadata: { token: badToken } });
      for (const revision of [-1, 0, 1, 99]) {
        (await bad.compact(revision)).refused(...authRefusals.badToken);
        (await s.compact(revision)).refused(...authRefusals.userEmpty);
        (await ann.compact(revision)).refused(...authRefusals.denied);
      }
      (await root.compact(99)).refused(...refusals.future);
      await putKeys(root, "a");
      (await root.compact(2)).succeeds();
      (await root.compact(2)).refused(...refusals.compacted);
    },
    { args },
  ),
];

const grants = [
  script("LEASE-8", "a grant without space", async (s) => {
    (await s.grant(60, 7)).succeeds();
    await s.unary(alarm, { action: "ACTIVATE", alarm: "NOSPACE" });
    (await s.grant(60, 8)).refused(...noSpace);
    (await s.grant(9_000_000_001, 8)).refused(...noSpace);
    (await s.grant(60, 7)).refused(...noSpace);
    (await s.unary("etcdserverpb.Lease/LeaseLeases", {})).shows({ leases: [{ ID: 7 }] });
    (await s.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 7 })).succeeds();
    (await s.unary("v3lockpb.Lock/Lock", { name: "l" })).refused("UNKNOWN", noSpace[1]);
    await s.unary(alarm, { action: "DEACTIVATE", alarm: "NOSPACE" });
    (await s.grant(60, 8)).succeeds();
  }),
  script(
    "LEASE-8",
    "a grant that the quota has no room for raises the alarm",
    async (s) => {
      (await s.grant(60, 7)).refused(...noSpace);
      (await s.unary(alarm, { action: "GET" })).shows({ alarms: [{ alarm: "NOSPACE" }] });
      (await s.put("a", "v")).refused(...noSpace);
      (await s.unary("etcdserverpb.Lease/LeaseLeases", {})).shows({ leases: [] });
    },
    { args: ["--quota-backend-bytes", "60"] },
  ),
];

/** The scripts of this section. */
export const scripts = [...writes, ...reads, ...grants];
