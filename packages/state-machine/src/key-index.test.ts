/**
 * The key index against a sorted list, at sizes where chunks are split and joined.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { KeyHistory, StoredVersion } from "./key-history.js";
import { KeyIndex } from "./key-index.js";
import { indexChunkKeysMax } from "./limits.js";
import { bytes, key } from "./testing/builders.js";

function historyOf(name: string): KeyHistory {
  return new KeyHistory(new StoredVersion(key(name), bytes(""), 2, 2, 1, 0n));
}

function kill(index: KeyIndex, history: KeyHistory): void {
  history.append(new StoredVersion(history.key, bytes(""), 0, 3, 0, 0n));
  index.changeLive(history.key, -1);
}

function check(
  index: KeyIndex,
  histories: ReadonlyMap<string, KeyHistory>,
  from: string,
  to: string | undefined,
): void {
  const known = [...histories.keys()].sort().filter((name) => name >= from && (to === undefined || name < to));
  const live = known.filter((name) => histories.get(name)!.isLive);
  const end = to === undefined ? undefined : key(to);
  const seen: string[] = [];
  const seenLive: string[] = [];
  index.visit(key(from), end, (history) => seen.push(history.key));
  index.visitLive(key(from), end, (history) => seenLive.push(history.key));
  assert.deepEqual([seen, seenLive], [known, live]);
  assert.equal(index.countKnown(key(from), end), known.length);
  assert.equal(index.countLive(key(from), end), live.length);
}

function checkChunks(index: KeyIndex): void {
  for (const chunk of index.chunks) {
    assert.ok(chunk.length > 0 && chunk.length <= indexChunkKeysMax);
    assert.equal(chunk.liveCount, chunk.entries.filter((history) => history.isLive).length);
    for (const [position, history] of chunk.entries.entries()) assert.equal(chunk.positionOf(history.key), position);
  }
}

const name = fc.nat(3000).map((number) => `k${number}`);
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
        const index = new KeyIndex();
        const histories = new Map<string, KeyHistory>();
        for (const { kind, first, step } of actions) {
          for (let count = 0; count < 400; count++) {
            const text = `k${(first + count * step + 3000) % 3000}`;
            const history = histories.get(text);
            if (kind === "insert" && history === undefined) {
              histories.set(text, historyOf(text));
              index.insert(histories.get(text)!);
            }
            if (kind === "kill" && history?.isLive) kill(index, history);
            if (kind === "remove" && history !== undefined) {
              if (history.isLive) kill(index, history);
              index.remove(history);
              histories.delete(text);
            }
          }
        }
        checkChunks(index);
        check(index, histories, "", undefined);
        for (const [from, to] of ranges) check(index, histories, from, to ?? undefined);
      },
    ),
    { numRuns: 60 },
  );
});

test("keys inserted in descending order do not leave chunks of one", () => {
  const index = new KeyIndex();
  for (let number = 9999; number >= 1000; number--) index.insert(historyOf(`k${number}`));
  assert.ok(index.chunks.length <= (2 * 9000) / indexChunkKeysMax + 1);
});

test("keys inserted in ascending order fill their chunks", () => {
  const index = new KeyIndex();
  for (let number = 1000; number < 9999; number++) index.insert(historyOf(`k${number}`));
  assert.equal(index.chunks.length, Math.ceil(8999 / indexChunkKeysMax));
});

test("removing nearly everything joins the chunks", () => {
  const index = new KeyIndex();
  const histories = Array.from({ length: 9000 }, (_, number) => historyOf(`k${1000 + number}`));
  for (const history of histories) index.insert(history);
  for (const [number, history] of histories.entries()) {
    if (number % 100 === 0) continue;
    kill(index, history);
    index.remove(history);
  }
  checkChunks(index);
  assert.ok(index.chunks.length <= 3);
  assert.equal(index.countLive(key(""), undefined), 90);
});

test("a visitor that returns false ends the walk", () => {
  const index = new KeyIndex();
  for (const text of ["a", "b", "c"]) index.insert(historyOf(text));
  const seen: string[] = [];
  index.visit(key(""), undefined, (history) => {
    seen.push(history.key);
    return history.key !== "b";
  });
  assert.deepEqual(seen, ["a", "b"]);
});
