import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { byteString, Recorder } from "../testing/harness.js";
import { forEachWatcher, KeyWatchers } from "./key-watchers.js";
import { Watcher } from "./watcher.js";

function watcherOf(key: string): Watcher {
  const options = { key: byteString(key), rangeEnd: byteString(""), startRevision: 0 };
  return new Watcher({ ...options, dropPuts: false, dropDeletes: false, consumer: new Recorder() }, 1);
}

test("each key has those watchers that were added and not removed, in that order", () => {
  const step = fc.record({ watcher: fc.nat(7), isAdded: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const all = ["a", "a", "a", "b", "b", "c", "c", "d"].map(watcherOf);
      const watchers = new KeyWatchers();
      const expected: Watcher[] = [];
      for (const { watcher: number, isAdded } of steps) {
        const watcher = all[number]!;
        const at = expected.indexOf(watcher);
        if (isAdded === at >= 0) continue;
        if (isAdded) {
          expected.push(watcher);
          watchers.add(watcher);
        } else {
          expected.splice(at, 1);
          watchers.remove(watcher);
        }
      }
      assert.equal(watchers.isEmpty, expected.length === 0);
      for (const key of ["a", "b", "c", "d"].map(byteString)) {
        const found: Watcher[] = [];
        forEachWatcher(watchers.get(key), (watcher) => found.push(watcher));
        assert.deepEqual(
          found,
          expected.filter((watcher) => watcher.key === key),
        );
      }
    }),
  );
});

test("removing a watcher that is not there leaves the others", () => {
  const watchers = new KeyWatchers();
  const [first, second] = ["a", "a"].map(watcherOf);
  watchers.add(first!);
  watchers.remove(second!);
  assert.equal(watchers.get(byteString("a")), first);
});
