// TXN-1 to TXN-8 and TXN-14 to TXN-18: what transactions compare, do and answer.

import { everything, putKeys, readAll, refusals } from "../phrases.js";
import { script } from "../script.js";
import type { Session } from "../session.js";
import type { Request } from "../wire.js";

const put = (key: string, value = ""): Request => ({ request_put: { key, value } });
const range = (key: string, more: Request = {}): Request => ({ request_range: { key, ...more } });
const remove = (key: string, more: Request = {}): Request => ({ request_delete_range: { key, ...more } });
const nested = (request: Request): Request => ({ request_txn: request });

/** Asks whether one compare holds. */
async function holds(s: Session, compare: Request, expected: boolean): Promise<void> {
  (await s.txn({ compare: [compare] })).shows({ succeeded: expected, responses: [] });
}

const results = ["EQUAL", "NOT_EQUAL", "GREATER", "LESS"] as const;

const branches = [
  script("TXN-1", "compares choose the branch; one response for each of its operations", async (s) => {
    await putKeys(s, "a");
    const both = { success: [put("s", "1"), range("a")], failure: [range("a"), range("b"), put("f", "1")] };
    (await s.txn({ compare: [{ key: "a", target: "VERSION", version: 1 }], ...both })).shows({
      succeeded: true,
      responses: [{ response_put: {} }, { response_range: { count: 1 } }],
    });
    (await s.txn({ compare: [{ key: "a", target: "VERSION", version: 2 }], ...both })).shows({
      succeeded: false,
      responses: [{ response_range: {} }, { response_range: { count: 0 } }, { response_put: {} }],
    });
    (await s.txn(both)).shows({ succeeded: true });
    const oneFails = [
      { key: "a", target: "VERSION", version: 1 },
      { key: "a", target: "CREATE", create_revision: 9 },
    ];
    (await s.txn({ compare: oneFails, ...both })).shows({ succeeded: false });
    (await readAll(s)).shows({ count: 3, header: { revision: 6 } });
  }),
  script("TXN-16", "an empty transaction succeeds", async (s) => {
    (await s.txn({})).shows({ succeeded: true, responses: [], header: { revision: 1 } });
    (await s.txn({ success: [nested({})] })).shows({
      responses: [{ response_txn: { succeeded: true, responses: [] } }],
    });
  }),
  script("TXN-17", "transactions that only read make no revision", async (s) => {
    await putKeys(s, "a");
    for (const serializable of [true, false]) {
      (await s.txn({ success: [range("a", { serializable })] })).shows({ header: { revision: 2 } });
      (await s.txn({ success: [nested({ success: [range("a", { serializable })] })] })).shows({
        header: { revision: 2 },
      });
      (await s.txn({ success: [range("a", { serializable }), remove("none")] })).shows({ header: { revision: 2 } });
    }
    (await s.txn({ compare: [{ key: "a", target: "VERSION" }], failure: [] })).shows({ succeeded: false });
    (await s.txn({ success: [range("a")], failure: [put("a")] })).shows({ header: { revision: 2 } });
  }),
];

const compares = [
  script("TXN-2", "every target with every result", async (s) => {
    await s.grant(600, 7);
    await putKeys(s, "a", "b");
    await s.put("a", "m", { lease: 7 });
    const actual = { version: 2, create_revision: 2, mod_revision: 4, lease: 7 };
    const targets = { version: "VERSION", create_revision: "CREATE", mod_revision: "MOD", lease: "LEASE" };
    for (const [field, target] of Object.entries(targets)) {
      const value = actual[field as keyof typeof actual];
      for (const operand of [value - 1, value, value + 1]) {
        const sign = Math.sign(value - operand);
        const expected = [sign === 0, sign !== 0, sign > 0, sign < 0];
        for (const [index, result] of results.entries()) {
          await holds(s, { key: "a", target, result, [field]: operand }, expected[index] === true);
        }
      }
    }
    for (const [value, sign] of [
      ["l", 1],
      ["m", 0],
      ["n", -1],
      ["mm", -1],
      ["", 1],
      ["\xff", -1],
      ["m\0", -1],
    ] as const) {
      const expected = [sign === 0, sign !== 0, sign > 0, sign < 0];
      for (const [index, result] of results.entries()) {
        await holds(s, { key: "a", target: "VALUE", result, value }, expected[index] === true);
      }
    }
  }),
  script("TXN-2", "results and targets that do not exist", async (s) => {
    await putKeys(s, "a");
    (await s.txn({ compare: [{ key: "a", target: "VERSION", result: 9, version: 1 }] })).succeeds();
    (await s.txn({ compare: [{ key: "a", target: "VERSION", result: 9, version: 5 }] })).succeeds();
    (await s.txn({ compare: [{ key: "a", target: 9, version: 5 }] })).succeeds();
    (await s.txn({ compare: [{ key: "a", target: 9, result: "LESS", version: 5 }] })).succeeds();
    (await s.txn({ compare: [{ key: "none", target: 9, result: 9 }] })).succeeds();
    (await s.txn({ compare: [{ key: "a", target: "VALUE", result: -1, value: "x" }] })).succeeds();
  }),
  script("TXN-3", "a missing key compares as zero; its value never holds", async (s) => {
    for (const [field, target] of [
      ["version", "VERSION"],
      ["create_revision", "CREATE"],
      ["mod_revision", "MOD"],
      ["lease", "LEASE"],
    ]) {
      await holds(s, { key: "none", target, [field as string]: 0 }, true);
      await holds(s, { key: "none", target, result: "LESS", [field as string]: 1 }, true);
      await holds(s, { key: "none", target, result: "GREATER", [field as string]: -1 }, true);
      await holds(s, { key: "none", target, result: "NOT_EQUAL", [field as string]: 0 }, false);
    }
    for (const result of results) {
      await holds(s, { key: "none", target: "VALUE", result, value: "v" }, false);
      await holds(s, { key: "none", target: "VALUE", result }, false);
    }
    await putKeys(s, "a");
    await s.deleteRange("a");
    await holds(s, { key: "a", target: "VERSION", version: 0 }, true);
    await holds(s, { key: "a", target: "CREATE", result: "GREATER", create_revision: 0 }, false);
  }),
  script("TXN-4", "a compare of an interval holds for every key, or for one missing key", async (s) => {
    await putKeys(s, "a1", "a2", "b", "a2");
    const all = { key: "a", range_end: "b" };
    await holds(s, { ...all, target: "VERSION", result: "GREATER", version: 0 }, true);
    await holds(s, { ...all, target: "VERSION", version: 1 }, false);
    await holds(s, { ...all, target: "MOD", result: "LESS", mod_revision: 6 }, true);
    await holds(s, { ...all, target: "MOD", result: "LESS", mod_revision: 5 }, false);
    await holds(s, { key: "x", range_end: "y", target: "VERSION", version: 0 }, true);
    await holds(s, { key: "x", range_end: "y", target: "VALUE", result: "NOT_EQUAL", value: "v" }, false);
    await holds(s, { key: "b", range_end: "a", target: "CREATE", create_revision: 0 }, true);
    await holds(s, { key: "a2", range_end: "\0", target: "VERSION", result: "GREATER", version: 0 }, true);
    await holds(s, { ...everything, target: "VERSION", version: 0 }, false);
    await holds(s, { key: "a1", range_end: "a2", target: "VALUE", value: "value of a1" }, true);
  }),
  script("TXN-5", "an operand not given, or given for another target, counts as zero or empty", async (s) => {
    await putKeys(s, "a");
    await s.put("empty", "");
    await holds(s, { key: "a", target: "VERSION" }, false);
    await holds(s, { key: "a", target: "VERSION", mod_revision: 1 }, false);
    await holds(s, { key: "a", target: "VERSION", result: "GREATER", mod_revision: 9 }, true);
    await holds(s, { key: "empty", target: "VALUE" }, true);
    await holds(s, { key: "empty", target: "VALUE", version: 3 }, true);
    await holds(s, { key: "a", target: "LEASE", value: "7" }, true);
    await holds(s, { key: "a" }, false);
  }),
  script("TXN-6", "all compares, nested ones too, see the state before the transaction", async (s) => {
    await putKeys(s, "a");
    const unchanged = {
      compare: [{ key: "a", target: "VERSION", version: 1 }],
      success: [range("a")],
      failure: [put("f")],
    };
    (await s.txn({ success: [put("a", "new"), nested(unchanged)] })).shows({
      responses: [
        {},
        { response_txn: { succeeded: true, responses: [{ response_range: { kvs: [{ value: "new" }] } }] } },
      ],
    });
    const absent = { compare: [{ key: "b", target: "CREATE", create_revision: 0 }], success: [put("c")] };
    (await s.txn({ success: [put("b"), nested(absent)] })).shows({
      responses: [{}, { response_txn: { succeeded: true } }],
    });
    const deep = nested({ success: [nested({ compare: [{ key: "d", target: "VERSION", version: 0 }] })] });
    (await s.txn({ success: [put("d"), deep] })).shows({
      responses: [{}, { response_txn: { responses: [{ response_txn: { succeeded: true } }] } }],
    });
  }),
];

const effects = [
  script("TXN-7", "operations see those before them", async (s) => {
    await putKeys(s, "a", "b");
    const ops = [
      put("a", "new"),
      range("a"),
      remove("b"),
      range("b"),
      put("c", "made"),
      range("a", { range_end: "z" }),
    ];
    (await s.txn({ success: ops })).shows({
      responses: [
        {},
        { response_range: { kvs: [{ value: "new", mod_revision: 4, version: 2 }] } },
        {},
        { response_range: { kvs: [] } },
        {},
        { response_range: { kvs: [{ key: "a" }, { key: "c", create_revision: 4 }], count: 2 } },
      ],
    });
    const again = [range("c"), remove("c"), range("c"), range("c", { revision: 4 }), range("\0", { range_end: "\0" })];
    (await s.txn({ success: again })).shows({ responses: [{}, {}, {}, { response_range: { count: 1 } }, {}] });
  }),
  script(["TXN-8", "GEN-3"], "revisions of the outer and the nested headers", async (s) => {
    await putKeys(s, "a");
    const revision = (number: number) => ({ header: { cluster_id: 0, member_id: 0, revision: number, raft_term: 0 } });
    const ops = [
      range("a"),
      remove("none"),
      put("b"),
      range("a"),
      remove("none"),
      nested({ success: [put("c"), range("a")] }),
    ];
    (await s.txn({ success: ops })).shows({
      header: { revision: 3 },
      responses: [
        { response_range: revision(2) },
        { response_delete_range: revision(2) },
        { response_put: revision(3) },
        { response_range: revision(3) },
        { response_delete_range: revision(3) },
        {
          response_txn: { ...revision(0), responses: [{ response_put: revision(3) }, { response_range: revision(3) }] },
        },
      ],
    });
    (await s.txn({ success: [range("a"), nested({ success: [range("b")] })] })).shows({ header: { revision: 3 } });
    (await s.txn({ success: [range("a", { revision: 2 }), put("a")] })).shows({
      responses: [{ response_range: revision(3) }, { response_put: revision(4) }],
    });
  }),
  script("TXN-18", "prev_kv sees earlier operations of the transaction", async (s) => {
    await putKeys(s, "a", "b");
    const ops = [
      { request_put: { key: "a", value: "new", prev_kv: true } },
      remove("b", { prev_kv: true }),
      remove("b", { prev_kv: true }),
      nested({ success: [{ request_put: { key: "c", prev_kv: true } }] }),
    ];
    (await s.txn({ success: ops })).shows({
      responses: [
        { response_put: { prev_kv: { value: "value of a" } } },
        { response_delete_range: { deleted: 1, prev_kvs: [{ key: "b" }] } },
        { response_delete_range: { deleted: 0, prev_kvs: [] } },
        { response_txn: { responses: [{ response_put: { prev_kv: null } }] } },
      ],
    });
    const open = [put("d", "one"), remove("d", { range_end: "\0", prev_kv: true })];
    (await s.txn({ success: open })).shows({
      responses: [{}, { response_delete_range: { prev_kvs: [{ value: "one" }] } }],
    });
  }),
];

const oddities = [
  script("TXN-14", "a range in a transaction at a revision below -1 is compacted", async (s) => {
    await putKeys(s, "a", "a");
    const at = (revision: number) => s.txn({ success: [range("a", { revision })] });
    (await at(-1)).shows({ responses: [{ response_range: { kvs: [{ version: 2 }] } }] });
    (await at(0)).succeeds();
    (await at(-2)).refused(...refusals.compacted);
    (await at(4)).refused(...refusals.future);
    await s.compact(2);
    (await at(-1)).refused(...refusals.compacted);
    (await at(-2)).refused(...refusals.compacted);
    (await at(1)).refused(...refusals.compacted);
    (await at(2)).succeeds();
    (await s.txn({ success: [put("b"), range("a", { revision: -2 })] })).refused(...refusals.compacted);
    (await readAll(s)).shows({ count: 1, header: { revision: 3 } });
  }),
  script("TXN-15", "an operation with nothing set is refused", async (s) => {
    (await s.txn({ success: [{}] })).refused(...refusals.keyNotFound);
    (await s.txn({ failure: [put("a"), {}] })).refused(...refusals.keyNotFound);
    (await s.txn({ success: [nested({ failure: [{}] })] })).refused(...refusals.keyNotFound);
  }),
];

/** The scripts of this section. */
export const scripts = [...branches, ...compares, ...effects, ...oddities];
