// The parsing of the documents that the table of rules is made from.

import assert from "node:assert/strict";
import { test } from "node:test";
import { leftOut } from "./left-out.js";
import { conformanceTable } from "./report.js";
import { divergenceRows, statedRules, testsOfRules } from "./rules.js";
import { script } from "./script.js";

test("the rules of the reference are found, in order and once", () => {
  const rules = statedRules();
  assert.equal(new Set(rules).size, rules.length);
  for (const rule of ["GEN-1", "LEASE-1", "KV-30", "K8S-15", "NODE-1", "ORD-5"]) {
    assert.ok(rules.includes(rule), rule);
  }
  assert.ok(rules.indexOf("KV-1") < rules.indexOf("KV-2"));
});

test("a row of the divergences may name several rules", () => {
  const rows = divergenceRows();
  assert.ok(rows.has("LEASE-39") && rows.has("LEASE-41") && rows.has("LOCK-16"));
  assert.ok(!rows.has("KV-1"));
});

test("names of tests elsewhere are found, in packages and here", () => {
  const files = testsOfRules().get("LOCK-16") ?? [];
  assert.ok(files.some((file) => /^packages\/[a-z-]+\/src\/.*\.test\.ts$/.test(file)));
  assert.ok([...testsOfRules().values()].flat().some((file) => file.startsWith("conformance/src/")));
});

test("what is left out is stated, and is shown by no other test", () => {
  for (const rule of Object.keys(leftOut)) {
    assert.ok(statedRules().includes(rule), rule);
    assert.equal(testsOfRules().get(rule), undefined, rule);
  }
});

test("the table tells scripts, other tests and nothing apart", () => {
  const same = { script: script("KV-1", "a|b", async () => undefined), outcome: "same", complaints: [] } as const;
  const table = conformanceTable({
    rules: ["KV-1", "KV-2", "KV-3", "KV-4"],
    results: [same],
    random: { rules: ["KV-1", "KV-2"], passed: false },
    testsOfRules: new Map([["KV-3", ["x.test.ts"]]]),
  });
  assert.ok(table.includes("| KV-1 | a\\|b; random scripts | same, **differs** |"));
  assert.ok(table.includes("| KV-2 | random scripts | **differs** |"));
  assert.ok(table.includes("| KV-3 | `x.test.ts` | tested elsewhere |"));
  assert.ok(table.includes("| KV-4 | no test |  |"));
  assert.ok(table.includes("4 rules: 2 by scripts, 1 by other tests, 1 by none."));
});
