/**
 * Versions of keys found by revision, over many chunks of the log.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { KeySpace } from "./key-space.js";
import { versionChunkLength } from "./limits.js";
import { bytes, key, text } from "./testing/builders.js";

const names = ["a", "b", "c"];
const revisions = 5 * versionChunkLength;

/** Three keys, of which revision `r` writes number `r * r % 3`, and every hundredth revision all. */
function writtenAt(revision: number): string[] {
  return revision % 100 === 0 ? names : [names[(revision * revision) % 3]!];
}

function filled(): KeySpace {
  const keys = new KeySpace();
  for (let revision = 2; revision <= revisions; revision++) {
    for (const name of writtenAt(revision)) {
      keys.put(keys.numberOf(key(name)), key(name), bytes(`${name}${revision}`), 0n, revision);
    }
    keys.revision = revision;
  }
  return keys;
}

/** What each key held at each revision from `from` on must be what was written last. */
function checkFrom(keys: KeySpace, from: number): void {
  const held = new Map<string, string>();
  for (let revision = 2; revision <= revisions; revision++) {
    for (const name of writtenAt(revision)) held.set(name, `${name}${revision}`);
    if (revision < from) continue;
    for (const name of names) {
      const version = keys.liveAt(key(name), revision);
      assert.equal(version && text(version.value), held.get(name), `${name} at ${revision}`);
    }
  }
}

test("KV-12: every key is found as it was at every revision, over many chunks", () => {
  checkFrom(filled(), 2);
});

test("KV-12, COMP-3: so it is behind a compaction, whose survivors have moved", () => {
  const keys = filled();
  keys.compactRevision = 3 * versionChunkLength + 7;
  while (!keys.sweep(1_000));
  checkFrom(keys, keys.compactRevision);
});
