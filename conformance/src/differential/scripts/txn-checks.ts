// TXN-9 to TXN-13: what transactions are refused for.

import { everything, putKeys, readAll, refusals } from "../phrases.js";
import { script } from "../script.js";
import type { Request } from "../wire.js";

const put = (key: string, more: Request = {}): Request => ({ request_put: { key, ...more } });
const range = (key: string, more: Request = {}): Request => ({ request_range: { key, ...more } });
const remove = (key: string, more: Request = {}): Request => ({ request_delete_range: { key, ...more } });
const nested = (request: Request): Request => ({ request_txn: request });
const many = (count: number): readonly Request[] => Array.from({ length: count }, () => range("a"));
const compares = (count: number): readonly Request[] => Array.from({ length: count }, () => ({ key: "a" }));

/** An operation, and what it is refused for. */
type Wrong = readonly [Request, readonly [string, string]];

const counts = [
  script("TXN-9", "at most 128 compares, 128 operations and 128 others", async (s) => {
    (await s.txn({ success: many(128), failure: many(128), compare: compares(128) })).succeeds();
    (await s.txn({ success: many(129) })).refused(...refusals.tooManyOperations);
    (await s.txn({ failure: many(129) })).refused(...refusals.tooManyOperations);
    (await s.txn({ compare: compares(129) })).refused(...refusals.tooManyOperations);
  }),
  script("TXN-9", "a nested transaction has what the largest outer list leaves", async (s) => {
    const inner = (count: number) => nested({ success: many(count) });
    (await s.txn({ success: [inner(127)] })).succeeds();
    (await s.txn({ success: [inner(128)] })).refused(...refusals.tooManyOperations);
    (await s.txn({ success: [inner(118)], failure: many(10) })).succeeds();
    (await s.txn({ success: [inner(119)], failure: many(10) })).refused(...refusals.tooManyOperations);
    (await s.txn({ success: [inner(100)], compare: compares(29) })).refused(...refusals.tooManyOperations);
    (await s.txn({ success: [...many(9), inner(118)] })).succeeds();
    (await s.txn({ success: [...many(10), inner(118)] })).refused(...refusals.tooManyOperations);
    (await s.txn({ success: [nested({ success: [inner(126)] })] })).succeeds();
    (await s.txn({ success: [nested({ success: [inner(127)] })] })).refused(...refusals.tooManyOperations);
    (await s.txn({ success: [inner(100), inner(100)] })).succeeds();
    (await s.txn({ success: [nested({ compare: compares(128) })] })).refused(...refusals.tooManyOperations);
  }),
  script(
    "TXN-9",
    "the limit is the configured one",
    async (s) => {
      (await s.txn({ success: many(3) })).succeeds();
      (await s.txn({ success: many(4) })).refused(...refusals.tooManyOperations);
      (await s.txn({ success: [nested({ success: many(3) })] })).refused(...refusals.tooManyOperations);
    },
    { args: ["--max-txn-ops", "3"] },
  ),
];

const duplicates = [
  script("TXN-10", "a key is put at most once, and not deleted as well", async (s) => {
    (await s.txn({ success: [put("a"), put("a")] })).refused(...refusals.duplicateKey);
    (await s.txn({ success: [put("a"), put("b"), put("a")] })).refused(...refusals.duplicateKey);
    (await s.txn({ failure: [put("a"), put("a")] })).refused(...refusals.duplicateKey);
    (await s.txn({ success: [put("a"), remove("a")] })).refused(...refusals.duplicateKey);
    (await s.txn({ success: [remove("a"), put("a")] })).refused(...refusals.duplicateKey);
    (await s.txn({ success: [put("b"), remove("a", { range_end: "c" })] })).refused(...refusals.duplicateKey);
    (await s.txn({ success: [remove("a", { range_end: "c" }), put("b")] })).refused(...refusals.duplicateKey);
    (await s.txn({ success: [put("c"), remove("a", { range_end: "c" })] })).succeeds();
    (await s.txn({ success: [put("a")], failure: [put("a"), remove("b")] })).succeeds();
    (await s.txn({ success: [put("a")], failure: [remove("a")] })).succeeds();
    (await s.txn({ success: [remove("a", { range_end: "d" }), remove("b", { range_end: "e" })] })).shows({
      responses: [{ response_delete_range: { deleted: 2 } }, { response_delete_range: { deleted: 0 } }],
    });
    (await s.txn({ success: [put("b"), remove("c", { range_end: "a" })] })).succeeds();
    (await readAll(s)).shows({ count: 1 });
  }),
  script("TXN-10", "nested transactions count with the branch that holds them", async (s) => {
    const refused = [
      [put("a"), nested({ success: [put("a")] })],
      [nested({ success: [put("a")] }), put("a")],
      [nested({ success: [put("a")] }), nested({ success: [put("a")] })],
      [nested({ success: [put("a")] }), nested({ failure: [put("a")] })],
      [put("a"), nested({ failure: [remove("a")] })],
      [remove("a"), nested({ success: [put("a")] })],
      [nested({ success: [remove("a", { range_end: "c" })] }), put("b")],
      [nested({ success: [remove("a", { range_end: "c" })] }), nested({ failure: [put("b")] })],
      [put("a"), nested({ success: [nested({ failure: [put("a")] })] })],
    ];
    for (const success of refused) {
      (await s.txn({ success })).refused(...refusals.duplicateKey);
    }
    (await s.txn({ success: [nested({ success: [put("a")], failure: [put("a")] })] })).succeeds();
    (await s.txn({ success: [nested({ success: [put("a")], failure: [remove("a")] })] })).succeeds();
    (await s.txn({ success: [nested({ success: [remove("a")] }), nested({ success: [remove("a")] })] })).succeeds();
    (await readAll(s)).shows({ count: 0 });
  }),
  script("TXN-11", "a delete without end escapes the check; put and delete share a revision", async (s) => {
    await putKeys(s, "a", "b");
    const watch = await s.watch(everything);
    (await s.txn({ success: [put("a", { value: "x" }), remove("a", { range_end: "\0" })] })).shows({
      responses: [{}, { response_delete_range: { deleted: 2 } }],
      header: { revision: 4 },
    });
    (await watch.next()).shows({
      events: [
        { type: "PUT", kv: { key: "a", mod_revision: 4 } },
        { type: "DELETE", kv: { key: "a", mod_revision: 4 } },
        { type: "DELETE", kv: { key: "b" } },
      ],
    });
    (await s.txn({ success: [remove("a", { range_end: "\0" }), put("a", { value: "y", prev_kv: true })] })).succeeds();
    (await watch.next()).shows({ events: [{ type: "PUT", kv: { key: "a" } }] });
    (await s.txn({ success: [remove("a", { range_end: "\0" }), put("a", { value: "z", prev_kv: true })] })).succeeds();
    await watch.next();
    (await readAll(s)).shows({ kvs: [{ key: "a", value: "z", version: 1 }] });
    await s.range("a", { revision: 5 });
    await s.range("a", { revision: 4 });
  }),
  script(
    "TXN-11",
    "keeping the value of a key that the same transaction deletes",
    async (s) => {
      await putKeys(s, "a");
      const request = { success: [remove("a", { range_end: "\0" }), put("a", { ignore_value: true })] };
      const answer = await s.txn(request, { as: "keep" });
      s.ok(answer.status === "CONNECTION LOST" || answer.status === "OK", "it stops etcd, and Holdfast goes on");
    },
    { divergences: [{ row: "TXN-11", at: "keep", etcd: { status: "CONNECTION LOST" }, holdfast: { status: "OK" } }] },
  ),
];

const checks = [
  script("TXN-12", "the shape of both branches is checked, and nothing is written", async (s) => {
    const shapes: readonly Wrong[] = [
      [put(""), refusals.keyMissing],
      [put("b", { value: "v", ignore_value: true }), refusals.valueGiven],
      [put("b", { lease: 7, ignore_lease: true }), refusals.leaseGiven],
      [range("a", { sort_order: 8 }), refusals.sortUnknown],
      [nested({ success: many(128) }), refusals.tooManyOperations],
      [nested({ failure: [put("z"), put("z")] }), refusals.duplicateKey],
    ];
    for (const [bad, refusal] of shapes) {
      (await s.txn({ success: [put("a"), bad] })).refused(...refusal);
      (await s.txn({ success: [put("a")], failure: [bad] })).refused(...refusal);
    }
    (await readAll(s)).shows({ count: 0, header: { revision: 1 } });
  }),
  script(
    ["TXN-12", "TXN-13"],
    "the state matters on the chosen path only, as it was before the transaction",
    async (s) => {
      await putKeys(s, "x");
      const states: readonly Wrong[] = [
        [put("b", { lease: 9 }), refusals.leaseNotFound],
        [put("b", { ignore_value: true }), refusals.keyNotFound],
        [put("b", { ignore_lease: true }), refusals.keyNotFound],
        [range("a", { revision: 3 }), refusals.future],
        [range("a", { revision: 99 }), refusals.future],
      ];
      for (const [bad, refusal] of states) {
        (await s.txn({ success: [put("a"), bad] })).refused(...refusal);
        (await s.txn({ success: [put("a"), nested({ success: [bad] })] })).refused(...refusal);
        const unchosen = nested({ success: [], failure: [bad] });
        (await s.txn({ success: [range("x"), unchosen], failure: [bad] })).succeeds();
      }
      (await readAll(s)).shows({ count: 1, header: { revision: 2 } });
      await s.grant(600, 7);
      (await s.txn({ success: [put("x", { lease: 7, ignore_value: true }), range("x")] })).succeeds();
      await s.compact(3);
      (await s.txn({ success: [range("x", { revision: 2 })] })).refused(...refusals.compacted);
      (await s.txn({ success: [put("y"), range("x", { revision: 2 })] })).refused(...refusals.compacted);
    },
  ),
];

/** The scripts of this section. */
export const scripts = [...counts, ...duplicates, ...checks];
