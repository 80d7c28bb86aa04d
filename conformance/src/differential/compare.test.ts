// What the comparison lets pass, and what it does not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { differencesOf, unexplained } from "./compare.js";
import { Roughly } from "./masks.js";

const said = (status: string, revision: number) => [
  { name: "first", value: { status: "OK" } },
  { name: "the waiter", value: { status, response: { header: { revision }, keys: ["a", "b"] } } },
];

const divergence = { row: "LOCK-16", at: "the waiter.status", etcd: "OK", holdfast: /^UNK/ };

test("equal observations do not differ", () => {
  assert.deepEqual(differencesOf(said("OK", 1), said("OK", 1)), []);
});

test("a difference is told with its path and both values", () => {
  assert.deepEqual(differencesOf(said("OK", 1), said("OK", 2)), [
    { path: "the waiter.response.header.revision", etcd: 1, holdfast: 2 },
  ]);
});

test("an observation, a field or an item that only one server has is a difference", () => {
  assert.equal(differencesOf(said("OK", 1), said("OK", 1).slice(1)).length, 1);
  assert.equal(differencesOf([{ name: "x", value: { a: [] } }], [{ name: "x", value: {} }]).length, 1);
  assert.equal(differencesOf([{ name: "x", value: { a: [1] } }], [{ name: "x", value: { a: [1, 2] } }]).length, 1);
});

test("a declared divergence explains itself and nothing else", () => {
  assert.deepEqual(unexplained(said("OK", 1), said("UNKNOWN", 1), [divergence]), []);
  assert.match(unexplained(said("OK", 1), said("UNKNOWN", 2), [divergence]).join(), /header\.revision/);
});

test("a declared divergence that takes another form, or no longer occurs, is not explained", () => {
  assert.match(unexplained(said("OK", 1), said("ABORTED", 1), [divergence]).join(), /Holdfast says "ABORTED"/);
  assert.match(unexplained(said("OK", 1), said("OK", 1), [divergence]).join(), /does not occur/);
});

test("a divergence may cover a whole subtree, or an observation", () => {
  const whole = { row: "LOCK-16", at: "the waiter", etcd: { status: "OK" }, holdfast: { status: "UNKNOWN" } };
  assert.deepEqual(unexplained(said("OK", 1), said("UNKNOWN", 2), [whole]), []);
});

test("rough numbers may be off by one, not by two", () => {
  const left = (seconds: number) => [{ name: "x", value: { ttl: new Roughly(seconds) } }];
  assert.deepEqual(differencesOf(left(59), left(60)), []);
  assert.equal(differencesOf(left(58), left(60)).length, 1);
});
