/**
 * The key index against a sorted list, at sizes where chunks are split and joined.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteString } from "@holdfast/protocol";
import fc from "fast-check";
import type { IndexedKeys } from "./index-chunk.js";
import { KeyIndex } from "./key-index.js";
import { indexChunkKeysMax } from "./limits.js";
import { key } from "./testing/builders.js";

/** Keys whose numbers are handed out one after the other. */
class Names implements IndexedKeys {
  readonly #names: ByteString[] = [];
  readonly #dead = new Set<number>();

  readonly #spread: number;

  /** Numbers are multiples of `spread`. */
  constructor(spread: number) {
    this.#spread = spread;
  }

  add(name: string): number {
    return (this.#names.push(key(name)) - 1) * this.#spread;
  }

  kill(number: number): void {
    this.#dead.add(number);
  }

  key(number: number): ByteString {
    return this.#names[number / this.#spread]!;
  }

  compareKey(number: number, other: ByteString): number {
    const name = this.key(number);
    return name < other ? -1 : name > other ? 1 : 0;
  }

  keyHead(number: number, offset: number): number {
    return Buffer.from(
      this.key(number)
        .slice(offset, offset + 4)
        .padEnd(4, "\0"),
      "latin1",
    ).readUInt32BE();
  }

  isLive(number: number): boolean {
    return !this.#dead.has(number);
  }
}

/** An index with its keys. */
class Tried {
  readonly names: Names;
  readonly index: KeyIndex;

  constructor(spread = 1) {
    this.names = new Names(spread);
    this.index = new KeyIndex(this.names);
  }

  insert(name: string): number {
    const number = this.names.add(name);
    this.index.insert(key(name), number);
    return number;
  }

  kill(number: number): void {
    this.names.kill(number);
    this.index.changeLive(this.names.key(number), number, -1);
  }

  remove(number: number): void {
    if (this.names.isLive(number)) this.kill(number);
    this.index.remove(this.names.key(number));
  }
}

function check(
  { index, names }: Tried,
  numbers: ReadonlyMap<string, number>,
  from: string,
  to: string | undefined,
): void {
  const known = [...numbers.keys()].sort().filter((name) => name >= from && (to === undefined || name < to));
  const live = known.filter((name) => names.isLive(numbers.get(name)!));
  const end = to === undefined ? undefined : key(to);
  const seen: string[] = [];
  const seenLive: string[] = [];
  index.visit(key(from), end, (number) => seen.push(names.key(number)));
  index.visitLive(key(from), end, (number) => seenLive.push(names.key(number)));
  assert.deepEqual([seen, seenLive], [known, live]);
  assert.equal(index.countKnown(key(from), end), known.length);
  assert.equal(index.countLive(key(from), end), live.length);
}

function checkChunks({ index, names }: Tried): void {
  for (const chunk of index.chunks) {
    assert.ok(chunk.length > 0 && chunk.length <= indexChunkKeysMax);
    assert.equal(chunk.liveCount, chunk.entries().filter((number) => names.isLive(number)).length);
    for (const [position, number] of chunk.entries().entries())
      assert.equal(chunk.positionOf(names.key(number)), position);
  }
}

/** Names of which some begin with others, and many differ only behind what they share with their neighbours. */
function nameOf(number: number): string {
  const stem = `k${number >> 2}`;
  return [stem, `${stem}\0`, `${stem}/same/${number}`, `${stem}/same/\xff`][number & 3]!;
}

const name = fc.nat(3000).map(nameOf);
const action = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("insert" as const),
      first: fc.nat(3000),
      step: fc.integer({ min: -3, max: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("kill" as const), first: fc.nat(3000), step: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("remove" as const), first: fc.nat(3000), step: fc.nat(3) }) },
);

test("inserts, deaths and removals in runs of any direction leave what a sorted list would", () => {
  fc.assert(
    fc.property(
      fc.array(action, { minLength: 5, maxLength: 30, size: "max" }),
      fc.array(fc.tuple(name, fc.option(name))),
      (actions, ranges) => {
        const tried = new Tried();
        const numbers = new Map<string, number>();
        for (const { kind, first, step } of actions) {
          for (let count = 0; count < 400; count++) {
            const text = nameOf((first + count * step + 3000) % 3000);
            const number = numbers.get(text);
            if (kind === "insert" && number === undefined) numbers.set(text, tried.insert(text));
            if (number === undefined) continue;
            if (kind === "kill" && tried.names.isLive(number)) tried.kill(number);
            if (kind === "remove") {
              tried.remove(number);
              numbers.delete(text);
            }
          }
        }
        checkChunks(tried);
        check(tried, numbers, "", undefined);
        for (const [from, to] of ranges) check(tried, numbers, from, to ?? undefined);
      },
    ),
    { numRuns: 60 },
  );
});

test("all lives of an interval end at once, those outside go on", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(3000), { minLength: 1, maxLength: 700, size: "max" }),
      name,
      fc.option(name),
      (all, from, to) => {
        const tried = new Tried();
        const numbers = new Map(all.map((number) => [nameOf(number), tried.insert(nameOf(number))]));
        for (const number of numbers.values()) if (number % 5 === 0) tried.kill(number);
        const end = to ?? undefined;
        const expected: string[] = [];
        tried.index.visitLive(key(from), end === undefined ? end : key(end), (number) => {
          expected.push(tried.names.key(number));
        });
        const ended = tried.index.endLives(key(from), end === undefined ? end : key(end));
        assert.deepEqual(
          ended.map((number) => tried.names.key(number)),
          expected,
        );
        for (const number of ended) tried.names.kill(number);
        checkChunks(tried);
        check(tried, numbers, "", undefined);
      },
    ),
  );
});

function checkNeighbours({ names, index }: Tried, numbers: readonly number[], length: number): void {
  for (const number of numbers) {
    const asked = names.key(number);
    const likeIt = Math.min(length, asked.length);
    const others = numbers.filter((other) => names.key(other).startsWith(asked.slice(0, likeIt)));
    const living = others.filter((other) => other !== number && names.isLive(other));
    const told = index.hasLiveLike(asked, number, likeIt);
    if (told === undefined) assert.ok(others.length - living.length > 8);
    else assert.equal(told, living.length > 0);
  }
}

test("whether a key has a living neighbour of the same beginning is told as from a list, or not at all beside many dead ones", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(3000), { minLength: 1, maxLength: 700, size: "max" }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      (all, livesEvery, length) => {
        const tried = new Tried();
        const numbers = all.map((number) => tried.insert(nameOf(number)));
        for (const number of numbers) if (number % livesEvery !== 0) tried.kill(number);
        checkNeighbours(tried, numbers, length);
      },
    ),
    { numRuns: 60 },
  );
});

test("living neighbours are told right when keys came and went since their places were remembered", () => {
  for (const spread of [1, 2_048, 4_096]) {
    const tried = new Tried(spread);
    const insert = (part: number): number[] =>
      Array.from({ length: 300 }, (_, at) => tried.insert(nameOf((at * 7 + part) % 3000)));
    const first = insert(0);
    checkNeighbours(tried, first, 3);
    const gone = first.filter((_, at) => at % 3 === 1);
    for (const number of gone) tried.remove(number);
    const known = [...first.filter((number) => !gone.includes(number)), ...insert(2), ...insert(3)];
    for (const length of [2, 3]) checkNeighbours(tried, known, length);
    for (const [at, number] of known.entries()) if (at % 4 !== 1) tried.kill(number);
    checkNeighbours(tried, known, 3);
    checkChunks(tried);
  }
});

test("keys inserted in descending order do not leave chunks of one", () => {
  const tried = new Tried();
  for (let number = 9999; number >= 1000; number--) tried.insert(`k${number}`);
  assert.ok(tried.index.chunks.length <= (2 * 9000) / indexChunkKeysMax + 1);
});

test("keys inserted in ascending order fill their chunks", () => {
  const tried = new Tried();
  for (let number = 1000; number < 9999; number++) tried.insert(`k${number}`);
  assert.equal(tried.index.chunks.length, Math.ceil(8999 / indexChunkKeysMax));
});

test("removing nearly everything joins the chunks", () => {
  const tried = new Tried();
  const numbers = Array.from({ length: 9000 }, (_, number) => tried.insert(`k${1000 + number}`));
  for (const [index, number] of numbers.entries()) if (index % 100 !== 0) tried.remove(number);
  checkChunks(tried);
  assert.ok(tried.index.chunks.length <= 3);
  assert.equal(tried.index.countLive(key(""), undefined), 90);
});

test("a visitor that returns false ends the walk", () => {
  const { index, names } = new Tried();
  for (const text of ["a", "b", "c"]) index.insert(key(text), names.add(text));
  const seen: string[] = [];
  index.visit(key(""), undefined, (number) => {
    seen.push(names.key(number));
    return names.key(number) !== "b";
  });
  assert.deepEqual(seen, ["a", "b"]);
});
