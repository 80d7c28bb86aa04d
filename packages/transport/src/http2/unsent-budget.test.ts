/** Who has to go when too much waits for all peers together (F37). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { newCounters } from "../counters.js";
import { defaultLimits } from "../limits.js";
import { ManualClock } from "../testing/manual-clock.js";
import { type UnsentAccount, UnsentBudget } from "./unsent-budget.js";

const MAX_BYTES = 1_000_000;

function budgetOf(clock = new ManualClock()) {
  const counters = newCounters();
  const budget = new UnsentBudget({ ...defaultLimits, unsentBytesTotalMax: MAX_BYTES }, counters, clock);
  const ended: string[] = [];
  const open = (name: string): UnsentAccount => budget.open(() => ended.push(name));
  return { budget, counters, clock, ended, open };
}

test("F37: the sum follows the accounts, and an account that is empty is forgotten", () => {
  const { budget, open } = budgetOf();
  const [one, other] = [open("one"), open("other")];
  one.settle(300, 0, 0);
  other.settle(500, 0, 0);
  one.settle(100, 200, 0);
  assert.equal(budget.bytes, 600);
  one.settle(0, 300, 0);
  other.settle(0, 500, 0);
  assert.equal(budget.bytes, 0);
});

test("F37: from half of the limit on memory is tight", () => {
  const { budget, open } = budgetOf();
  const account = open("one");
  account.settle(MAX_BYTES / 2, 0, 0);
  assert.equal(budget.tight, false);
  account.settle(MAX_BYTES / 2 + 1, 0, 0);
  assert.equal(account.tight, true);
});

test("F37, LIM-3: the largest answer may have any size", () => {
  const { budget, ended, open } = budgetOf();
  const huge = open("huge");
  for (let bytes = MAX_BYTES; bytes <= 20 * MAX_BYTES; bytes += MAX_BYTES) huge.settle(bytes, 0, bytes);
  open("other").settle(MAX_BYTES, 0, 0);
  assert.equal(budget.bytes, 21 * MAX_BYTES);
  assert.deepEqual(ended, []);
});

test("F37, LIMIT unsentBytesTotalMax: connections end until the others fit, those first that would take longest to empty", () => {
  const { budget, counters, clock, ended, open } = budgetOf();
  const [reading, stuck, slow, fresh] = ["reading", "stuck", "slow", "fresh"].map(open);
  reading.settle(900_000, 0, 900_000);
  stuck.settle(500_000, 0, 0);
  slow.settle(400_000, 0, 0);
  clock.advance(10_000);
  reading.settle(900_001, 50_000_000, 0);
  slow.settle(400_001, 100_000, 0);
  assert.deepEqual(ended, []);
  fresh.settle(500_000, 0, 0);
  assert.deepEqual(ended, ["stuck"]);
  assert.equal(counters.backlogsEnded, 1);
  assert.equal(budget.bytes, 900_001 + 400_001 + 500_000);
});

test("F37: many answers of one connection are no single large one", () => {
  const { ended, open } = budgetOf();
  const account = open("one");
  for (let count = 1; count <= 11; count++) account.settle(count * 100_000, 0, 100_000);
  assert.deepEqual(ended, []);
  account.settle(1_200_000, 0, 100_000);
  assert.deepEqual(ended, ["one"]);
});

test("F37: what an ended connection still does is not counted", () => {
  const { budget, ended, open } = budgetOf();
  const accounts = ["a", "b", "c"].map(open);
  for (const account of accounts) account.settle(600_000, 0, 600_000);
  assert.equal(ended.length, 1);
  const gone = accounts.find((account) => account.ended)!;
  gone.settle(5_000_000, 0, 0);
  gone.settle(0, 0, 0);
  assert.equal(budget.bytes, 1_200_000);
});
