/** The search itself, on a register that holds one number. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Operation, search } from "./search.js";

const never = Number.POSITIVE_INFINITY;

function operation(
  from: number,
  to: number,
  required: boolean,
  step: (state: number) => number | undefined,
): Operation<number> {
  return { name: `${from} to ${to}`, from, to, required, isRead: false, isPast: () => false, after: undefined, step };
}

const write = (from: number, to: number, value: number) => operation(from, to, to !== never, () => value);
const read = (from: number, to: number, value: number): Operation<number> => {
  return { ...operation(from, to, true, (state) => (state === value ? state : undefined)), isRead: true };
};

function resultOf(operations: readonly Operation<number>[], statesMax = 1000): string {
  return search({ operations, initial: 0, fingerprint: String, statesMax }).result;
}

test("C3: what overlaps may come in any order, what does not may not", () => {
  assert.equal(resultOf([write(1, 10, 5), read(2, 4, 0), read(5, 7, 5)]), "order found");
  assert.equal(resultOf([write(1, 10, 5), read(2, 4, 5), read(5, 7, 0)]), "no order");
  assert.equal(resultOf([write(1, 2, 5), read(3, 4, 0)]), "no order");
  assert.equal(resultOf([write(1, 10, 5), write(2, 11, 6), read(12, 13, 5), read(14, 15, 5)]), "order found");
  assert.equal(resultOf([write(1, 10, 5), write(2, 11, 6), read(12, 13, 5), read(14, 15, 6)]), "no order");
});

test("C3: what is of unknown fate may come late, or never, but only once", () => {
  assert.equal(resultOf([write(1, never, 5), read(2, 3, 0), read(20, 21, 5)]), "order found");
  assert.equal(resultOf([write(1, never, 5), read(2, 3, 0)]), "order found");
  const twice = [write(1, never, 5), read(2, 3, 5), write(4, 5, 6), read(6, 7, 6), read(8, 9, 5)];
  assert.equal(resultOf(twice), "no order");
});

test("C3: what must follow something else waits for it", () => {
  const first = write(1, 10, 5);
  assert.equal(resultOf([first, { ...read(1, 10, 0), after: first }]), "no order");
  assert.equal(resultOf([first, { ...read(1, 10, 5), after: first }]), "order found");
});

test("C3: a state that makes a missed call impossible is left at once", () => {
  const missed = { ...read(1, 10, 0), isPast: (state: number) => state > 0 };
  assert.equal(resultOf([write(1, 9, 5), missed]), "order found");
  assert.equal(resultOf([write(1, 2, 5), { ...missed, from: 3 }]), "no order");
});

test("C3: a search that takes too long is given up, not passed", () => {
  const writes = Array.from({ length: 12 }, (_, at) => operation(1, 100, true, (state) => state * 13 + at));
  assert.equal(resultOf([...writes, read(200, 201, -1)], 500), "gave up");
});
