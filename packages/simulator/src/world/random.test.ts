import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "./random.js";

function words(random: SeededRandom, count = 20): number[] {
  return Array.from({ length: count }, () => random.word());
}

test("the same seed gives the same numbers, another seed others", () => {
  assert.deepEqual(words(new SeededRandom(7)), words(new SeededRandom(7)));
  assert.notDeepEqual(words(new SeededRandom(7)), words(new SeededRandom(8)));
});

test("a fork depends on seed and name only, not on what was drawn before", () => {
  const random = new SeededRandom(7);
  const before = words(random.fork("disk"));
  words(random, 100);
  assert.deepEqual(words(random.fork("disk")), before);
  assert.notDeepEqual(words(random.fork("network")), before);
  assert.notDeepEqual(words(new SeededRandom(8).fork("disk")), before);
});

test("the first numbers of the forks of neighbouring seeds are spread evenly", () => {
  const counts = Array.from({ length: 10 }, () => 0);
  for (let seed = 0; seed < 10_000; seed++) counts[new SeededRandom(seed).fork("a").fork("b").below(10)]! += 1;
  for (const count of counts) assert.ok(count > 850 && count < 1_150, `${count} of 10,000 in one tenth`);
});

test("numbers stay within what was asked for, and reach both ends", () => {
  const random = new SeededRandom(1);
  const drawn = new Set(Array.from({ length: 1_000 }, () => random.between(3, 6)));
  assert.deepEqual([...drawn].sort(), [3, 4, 5, 6]);
  for (let i = 0; i < 1_000; i++) {
    const within = random.within(0.995, 1.005);
    assert.ok(within >= 0.995 && within < 1.005);
  }
  assert.deepEqual(random.shuffled([1, 2, 3, 4, 5]).sort(), [1, 2, 3, 4, 5]);
});
