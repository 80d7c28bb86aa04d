// KV-22 to KV-30: Put, DeleteRange and the revisions they make.

import { everything, putKeys, readAll, refusals } from "../phrases.js";
import { script } from "../script.js";

const puts = [
  script("KV-22", "every put makes a revision; create_revision stays, version grows", async (s) => {
    (await s.put("a", "v")).shows({ header: { revision: 2 }, prev_kv: null });
    (await s.range("a")).shows({ kvs: [{ create_revision: 2, mod_revision: 2, version: 1 }] });
    (await s.put("a", "v")).shows({ header: { revision: 3 } });
    (await s.range("a")).shows({ kvs: [{ create_revision: 2, mod_revision: 3, version: 2, value: "v" }] });
    (await s.put("a", "")).shows({ header: { revision: 4 } });
    (await s.range("a")).shows({ kvs: [{ version: 3, value: "" }] });
    (await s.unary("etcdserverpb.KV/Put", { key: "b" })).shows({ header: { revision: 5 } });
    (await s.range("b")).shows({ kvs: [{ value: "", create_revision: 5 }] });
    (await s.put("binary", "\0\xff\x80")).succeeds();
    (await s.range("binary")).shows({ kvs: [{ value: "\0\xff\x80" }] });
  }),
  script("KV-23", "prev_kv gives the old key-value", async (s) => {
    (await s.put("a", "one", { prev_kv: true })).shows({ prev_kv: null });
    (await s.put("a", "two", { prev_kv: true })).shows({ prev_kv: { value: "one", version: 1, mod_revision: 2 } });
    (await s.put("a", "three")).shows({ prev_kv: null });
    await s.deleteRange("a");
    (await s.put("a", "four", { prev_kv: true })).shows({ prev_kv: null });
    await s.grant(600, 7);
    await s.put("a", "five", { lease: 7 });
    (await s.put("a", "six", { prev_kv: true })).shows({ prev_kv: { value: "five", lease: 7 } });
  }),
  script("KV-24", "ignore_value keeps the value of a key that exists", async (s) => {
    (await s.put("a", "", { ignore_value: true })).refused(...refusals.keyNotFound);
    await s.put("a", "kept");
    (await s.put("a", "v", { ignore_value: true })).refused(...refusals.valueGiven);
    (await s.put("", "v", { ignore_value: true })).refused(...refusals.keyMissing);
    await s.grant(600, 7);
    (await s.put("a", "", { ignore_value: true, lease: 7, prev_kv: true })).shows({ prev_kv: { value: "kept" } });
    (await s.range("a")).shows({ kvs: [{ value: "kept", lease: 7, version: 2 }] });
    (await s.put("a", "", { ignore_value: true })).succeeds();
    (await s.range("a")).shows({ kvs: [{ value: "kept", lease: 0, version: 3 }] });
    await s.deleteRange("a");
    (await s.put("a", "", { ignore_value: true })).refused(...refusals.keyNotFound);
    (await readAll(s)).shows({ header: { revision: 5 } });
  }),
  script("KV-25", "leases of puts: kept, replaced, taken away, missing", async (s) => {
    await s.grant(600, 7);
    (await s.put("a", "v", { lease: 8 })).refused(...refusals.leaseNotFound);
    (await s.put("a", "v", { lease: 7, ignore_lease: true })).refused(...refusals.leaseGiven);
    (await s.put("a", "v", { ignore_lease: true })).refused(...refusals.keyNotFound);
    await s.put("a", "v", { lease: 7 });
    (await s.put("a", "w", { ignore_lease: true })).succeeds();
    (await s.range("a")).shows({ kvs: [{ value: "w", lease: 7 }] });
    (await s.put("a", "", { ignore_lease: true, ignore_value: true })).succeeds();
    (await s.range("a")).shows({ kvs: [{ value: "w", lease: 7, version: 3 }] });
    (await s.put("a", "x")).succeeds();
    (await s.range("a")).shows({ kvs: [{ lease: 0 }] });
    (await s.put("a", "x", { lease: -1 })).refused(...refusals.leaseNotFound);
  }),
];

const deletes = [
  script("KV-26", "deleted counts; prev_kvs are in key order and only there when asked for", async (s) => {
    await putKeys(s, "c", "a", "b", "d");
    (await s.deleteRange("a", { range_end: "c", prev_kv: true })).shows({
      deleted: 2,
      prev_kvs: [{ key: "a" }, { key: "b" }],
      header: { revision: 6 },
    });
    (await s.deleteRange("c")).shows({ deleted: 1, prev_kvs: [] });
    (await s.deleteRange("\0", { range_end: "\0", prev_kv: true })).shows({ deleted: 1, prev_kvs: [{ key: "d" }] });
    (await readAll(s)).shows({ count: 0, header: { revision: 8 } });
  }),
  script("KV-27", "a delete that matches nothing changes nothing", async (s) => {
    await putKeys(s, "a");
    (await s.deleteRange("b", { prev_kv: true })).shows({ deleted: 0, prev_kvs: [], header: { revision: 2 } });
    (await s.deleteRange("b", { range_end: "c" })).shows({ deleted: 0, header: { revision: 2 } });
    (await s.deleteRange("a")).shows({ deleted: 1, header: { revision: 3 } });
    (await s.deleteRange("a")).shows({ deleted: 0, header: { revision: 3 } });
  }),
  script("KV-28", "a deleted key starts a new life", async (s) => {
    await putKeys(s, "a", "a");
    await s.deleteRange("a");
    (await s.put("a", "again", { prev_kv: true })).shows({ prev_kv: null });
    (await s.range("a")).shows({ kvs: [{ create_revision: 5, mod_revision: 5, version: 1 }] });
    (await s.range("a", { revision: 3 })).shows({ kvs: [{ create_revision: 2, version: 2 }] });
    (await s.range("a", { revision: 4 })).shows({ kvs: [] });
  }),
];

const revisions = [
  script("KV-29", "one request makes one revision; its changes are in order of execution", async (s) => {
    const watch = await s.watch(everything);
    const puts = ["c", "a", "b"].map((key) => ({ request_put: { key, value: key } }));
    (await s.txn({ success: puts })).shows({ header: { revision: 2 } });
    (await s.deleteRange("a", { range_end: "c" })).shows({ deleted: 2, header: { revision: 3 } });
    (await watch.next()).shows({ events: [{ kv: { key: "c" } }, { kv: { key: "a" } }, { kv: { key: "b" } }] });
    (await watch.next()).shows({
      events: [{ type: "DELETE", kv: { key: "a", mod_revision: 3 } }, { kv: { key: "b" } }],
    });
  }),
  script("KV-30", "what changes no key makes no revision", async (s) => {
    await putKeys(s, "a");
    await s.range("a");
    await s.put("b", "", { ignore_value: true });
    await s.deleteRange("b");
    await s.txn({ success: [{ request_range: { key: "a" } }] });
    await s.txn({ success: [{ request_delete_range: { key: "b" } }] });
    await s.txn({ compare: [{ key: "a", target: "VERSION", version: 9 }], success: [{ request_put: { key: "a" } }] });
    await s.grant(600, 7);
    await s.grant(600, 7);
    await s.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 7 });
    await s.compact(2);
    await s.unary("etcdserverpb.Cluster/MemberList", {}, { unobserved: "the Cluster scripts compare it" });
    await s.unary("etcdserverpb.Maintenance/Status", {}, { unobserved: "the Maintenance scripts compare it" });
    (await readAll(s)).shows({ header: { revision: 2 } });
  }),
];

/** The scripts of this section. */
export const scripts = [...puts, ...deletes, ...revisions];
