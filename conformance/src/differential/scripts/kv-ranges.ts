// KV-1 to KV-13: Range.

import { putKeys, readAll, refusals } from "../phrases.js";
import { script } from "../script.js";
import type { Session } from "../session.js";

const targets = ["KEY", "VERSION", "CREATE", "MOD", "VALUE"] as const;

/** Four keys whose orders by key, version, creation, change and value are all different, and none has equals. */
async function putSortable(s: Session): Promise<void> {
  const puts = ["c2", "a9", "d1", "b5", "a4", "a3", "d7", "a8", "b6", "d0"] as const;
  for (const [key = "", value = ""] of puts) {
    await s.put(key, value);
  }
}

const intervals = [
  script("KV-1", "range_end empty, zero, a key, and the ends of prefixes", async (s) => {
    await putKeys(s, "a", "a\0", "aa", "ab", "b", "\xff", "\xff\xff", "\0");
    (await s.range("a")).shows({ kvs: [{ key: "a" }], count: 1 });
    (await s.range("aa", { range_end: "\0" })).shows({ count: 5 });
    (await s.range("a", { range_end: "ab" })).shows({ kvs: [{ key: "a" }, { key: "a\0" }, { key: "aa" }], count: 3 });
    (await readAll(s)).shows({ count: 8 });
    (await s.range("a", { range_end: "b" })).shows({ count: 4 });
    (await s.range("\xff", { range_end: "\0" })).shows({ kvs: [{ key: "\xff" }, { key: "\xff\xff" }] });
    (await s.range("missing")).shows({ kvs: [], count: 0, more: false });
    (await s.range("a", { range_end: "\0\0" })).shows({ count: 0 });
  }),
  script("KV-2", "an interval that ends before it begins is empty", async (s) => {
    await putKeys(s, "a", "b", "c");
    (await s.range("c", { range_end: "a" })).shows({ kvs: [], count: 0 });
    (await s.range("b", { range_end: "b" })).shows({ kvs: [], count: 0 });
    (await s.deleteRange("c", { range_end: "a", prev_kv: true })).shows({ deleted: 0, header: { revision: 4 } });
    (await s.deleteRange("b", { range_end: "b" })).shows({ deleted: 0 });
  }),
  script("KV-3", "an empty key is refused everywhere", async (s) => {
    (await s.range("")).refused(...refusals.keyMissing);
    (await s.range("", { range_end: "z" })).refused(...refusals.keyMissing);
    (await s.put("", "v")).refused(...refusals.keyMissing);
    (await s.deleteRange("")).refused(...refusals.keyMissing);
    (await s.deleteRange("", { range_end: "\0" })).refused(...refusals.keyMissing);
    (await s.txn({ compare: [{ target: "MOD" }] })).refused(...refusals.keyMissing);
    (await s.txn({ success: [{ request_range: {} }] })).refused(...refusals.keyMissing);
    (await s.txn({ failure: [{ request_put: { value: "v" } }] })).refused(...refusals.keyMissing);
    (await s.txn({ success: [{ request_delete_range: {} }] })).refused(...refusals.keyMissing);
    const nested = { request_txn: { failure: [{ request_put: { value: "v" } }] } };
    (await s.txn({ success: [nested] })).refused(...refusals.keyMissing);
    (await readAll(s)).shows({ header: { revision: 1 } });
  }),
  script("KV-4", "keys are in bytewise order", async (s) => {
    await putKeys(s, "b", "\xff", "a", "B", "aa", "\0", "\x80", "a\0", "\x7f");
    (await readAll(s)).shows({
      kvs: ["\0", "B", "a", "a\0", "aa", "b", "\x7f", "\x80", "\xff"].map((key) => ({ key })),
    });
  }),
];

const parts = [
  script("KV-5", "limit cuts the list; more and count tell of the rest", async (s) => {
    await putKeys(s, "a", "b", "c");
    (await s.range("a", { range_end: "d", limit: 2 })).shows({ kvs: [{}, {}], more: true, count: 3 });
    (await s.range("a", { range_end: "d", limit: 3 })).shows({ kvs: [{}, {}, {}], more: false, count: 3 });
    (await s.range("a", { range_end: "d", limit: 4 })).shows({ more: false, count: 3 });
    (await s.range("a", { range_end: "d", limit: 0 })).shows({ kvs: [{}, {}, {}], more: false });
    (await s.range("a", { range_end: "d", limit: -1 })).shows({ kvs: [{}, {}, {}], more: false });
    (await s.range("a", { range_end: "d", limit: "-9223372036854775808" })).shows({ more: false, count: 3 });
    (await s.range("a", { range_end: "d", limit: "9223372036854775807" })).shows({ more: false, count: 3 });
    (await s.range("a", { limit: 1 })).shows({ more: false, count: 1 });
  }),
  script("KV-6", "count_only counts and ignores limit", async (s) => {
    await putKeys(s, "a", "b", "c");
    (await s.range("a", { range_end: "z", count_only: true })).shows({ kvs: [], count: 3, more: false });
    (await s.range("a", { range_end: "z", count_only: true, limit: 1 })).shows({ kvs: [], count: 3, more: false });
    (await s.range("a", { range_end: "z", count_only: true, revision: 2 })).shows({
      count: 1,
      header: { revision: 4 },
    });
    (await s.range("x", { count_only: true })).shows({ count: 0 });
    (await s.range("a", { range_end: "z", count_only: true, keys_only: true, sort_order: "DESCEND" })).shows({
      count: 3,
    });
    (await s.range("a", { range_end: "z", count_only: true, min_mod_revision: 4 })).succeeds();
  }),
  script("KV-7", "keys_only leaves values and leases out", async (s) => {
    await s.grant(600, 7);
    await s.put("a", "one", { lease: 7 });
    await s.put("b", "two");
    await s.put("a", "three", { lease: 7 });
    const keysOnly = { range_end: "c", keys_only: true };
    (await s.range("a", keysOnly)).shows({
      kvs: [{ key: "a", value: "", create_revision: 2, mod_revision: 4, version: 2, lease: 0 }, { key: "b" }],
    });
    (await s.range("a", { keys_only: true })).shows({ kvs: [{ value: "", lease: 0 }] });
    for (const sort_target of targets) {
      for (const sort_order of ["NONE", "ASCEND", "DESCEND"]) {
        const lease = sort_target === "VALUE" ? 7 : 0;
        const sorted = await s.range("a", { ...keysOnly, sort_order, sort_target });
        s.ok(sorted.text("kvs.0.value") === "" && sorted.text("kvs.1.value") === "", "values are left out");
        s.equal(sorted.number("kvs.0.lease") + sorted.number("kvs.1.lease"), lease);
      }
    }
    (await s.txn({ success: [{ request_range: { key: "a", ...keysOnly } }] })).succeeds();
    (await s.range("a", { ...keysOnly, min_mod_revision: 3 })).succeeds();
  }),
];

const orders = [
  script("KV-8", "sorting covers the whole interval, then limit cuts", async (s) => {
    await putSortable(s);
    const best: Readonly<Record<string, readonly [string, string]>> = {
      KEY: ["a", "d"],
      VERSION: ["c", "a"],
      CREATE: ["c", "b"],
      MOD: ["c", "d"],
      VALUE: ["d", "a"],
    };
    for (const sort_target of targets) {
      for (const [index, sort_order] of ["ASCEND", "DESCEND"].entries()) {
        const first = best[sort_target]?.[index] ?? "";
        const sorted = { range_end: "z", sort_order, sort_target };
        const cut = { more: true, count: 4 };
        (await s.range("a", sorted)).shows({ kvs: [{ key: first }, {}, {}, {}], more: false, count: 4 });
        (await s.range("a", { ...sorted, limit: 1 })).shows({ kvs: [{ key: first }], ...cut });
        (await s.range("a", { ...sorted, limit: 3 })).shows({ kvs: [{ key: first }, {}, {}], ...cut });
        (await s.range("a", { ...sorted, limit: 2, keys_only: true })).shows({ kvs: [{ key: first, value: "" }, {}] });
        await s.range("a", { ...sorted, limit: 2, revision: 6 });
      }
    }
  }),
  script("KV-9", "order NONE with a target sorts what limit has already cut, one more included", async (s) => {
    await putSortable(s);
    (await s.range("a", { range_end: "z", sort_target: "VALUE" })).shows({ kvs: [{ key: "d" }, {}, {}, {}] });
    (await s.range("a", { range_end: "z", sort_target: "VALUE", limit: 1 })).shows({ kvs: [{ key: "b" }], more: true });
    for (const sort_target of targets) {
      for (const limit of [1, 2, 3, 4]) {
        (await s.range("a", { range_end: "z", sort_target, limit })).shows({ count: 4, more: limit < 4 });
      }
    }
  }),
  script("KV-10", "sort orders and targets that do not exist are refused", async (s) => {
    await putKeys(s, "a");
    (await s.range("a", { sort_order: 3 })).refused(...refusals.sortUnknown);
    (await s.range("a", { sort_target: 5 })).refused(...refusals.sortUnknown);
    (await s.range("a", { sort_order: -1 })).refused(...refusals.sortUnknown);
    (await s.range("a", { sort_target: 2_147_483_647 })).refused(...refusals.sortUnknown);
    (await s.range("", { sort_order: 3 })).refused(...refusals.keyMissing);
    (await s.txn({ failure: [{ request_range: { key: "a", sort_order: 9 } }] })).refused(...refusals.sortUnknown);
  }),
];

const filters = [
  script("KV-11", "revision filters drop keys before limit; count does not see them", async (s) => {
    await putSortable(s);
    const all = { range_end: "z" };
    (await s.range("a", { ...all, min_mod_revision: 9 })).shows({
      kvs: [{ key: "a" }, { key: "b" }, { key: "d" }],
      count: 4,
    });
    (await s.range("a", { ...all, max_mod_revision: 9 })).shows({ kvs: [{ key: "a" }, { key: "c" }], count: 4 });
    (await s.range("a", { ...all, min_create_revision: 4 })).shows({ kvs: [{ key: "b" }, { key: "d" }], count: 4 });
    (await s.range("a", { ...all, max_create_revision: 3 })).shows({ kvs: [{ key: "a" }, { key: "c" }], count: 4 });
    (await s.range("a", { ...all, min_mod_revision: 9, limit: 2 })).shows({ kvs: [{}, {}], more: true, count: 4 });
    (await s.range("a", { ...all, min_mod_revision: 9, limit: 3 })).shows({ kvs: [{}, {}, {}], more: false });
    (await s.range("a", { ...all, min_mod_revision: 99 })).shows({ kvs: [], more: false, count: 4 });
    (await s.range("a", { ...all, min_mod_revision: -5, max_mod_revision: -1 })).succeeds();
    (await s.range("a", { ...all, max_create_revision: 4, min_mod_revision: 10, limit: 1 })).succeeds();
    (await s.range("a", { ...all, max_mod_revision: 9, count_only: true })).succeeds();
    const sorted = { ...all, min_create_revision: 3, sort_order: "DESCEND", sort_target: "CREATE", limit: 1 };
    (await s.range("a", sorted)).shows({ kvs: [{ key: "b" }], more: true });
    (await s.range("a", { ...all, max_mod_revision: 6, revision: 6 })).succeeds();
  }),
  script("KV-12", "old revisions are read as they were; future and compacted ones are refused", async (s) => {
    await putKeys(s, "a", "b");
    await s.put("a", "second");
    await s.deleteRange("b");
    (await s.range("a", { range_end: "z", revision: 2 })).shows({ kvs: [{ key: "a", value: "value of a" }], count: 1 });
    (await s.range("a", { range_end: "z", revision: 3 })).shows({ count: 2 });
    (await s.range("a", { range_end: "z", revision: 1 })).shows({ count: 0 });
    (await s.range("a", { range_end: "z", revision: 5 })).shows({ kvs: [{ value: "second", version: 2 }] });
    (await s.range("a", { revision: -1 })).shows({ kvs: [{ value: "second" }] });
    (await s.range("a", { revision: 6 })).refused(...refusals.future);
    await s.compact(4);
    (await s.range("a", { revision: 3 })).refused(...refusals.compacted);
    (await s.range("a", { range_end: "z", revision: 4 })).shows({ count: 2 });
    (await s.range("b", { revision: 5, count_only: true })).shows({ count: 0 });
    (await s.range("b", { revision: 3, count_only: true })).refused(...refusals.compacted);
    (await s.range("a", { revision: -100 })).shows({ kvs: [{ value: "second" }] });
    (await s.range("z", { range_end: "a", revision: 99 })).refused(...refusals.future);
  }),
  script("KV-13", "serializable reads the same", async (s) => {
    await putKeys(s, "a", "b");
    (await s.range("a", { range_end: "z", serializable: true })).shows({ count: 2, header: { revision: 3 } });
    (await s.range("a", { revision: 4, serializable: true })).refused(...refusals.future);
    (await s.range("", { serializable: true })).refused(...refusals.keyMissing);
    await s.compact(3);
    (await s.range("a", { revision: 2, serializable: true })).refused(...refusals.compacted);
  }),
];

/** The scripts of this section. */
export const scripts = [...intervals, ...parts, ...orders, ...filters];
