/**
 * The event log across chunks.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EventLog } from "./event-log.js";
import { versionChunkLength } from "./limits.js";
import { deletionOf } from "./stored-version.js";
import { key } from "./testing/builders.js";
import { VersionStore } from "./version-store.js";

/** Two events per revision, from revision 2 on. */
function logOf(count: number): EventLog {
  const log = new EventLog(new VersionStore(() => {}));
  for (let position = 0; position < count; position++) log.push(0, deletionOf(key(`${position}`), 2 + (position >> 1)));
  return log;
}

test("positions keep their meaning while the front is dropped and the end grows", () => {
  const count = 3 * versionChunkLength + 10;
  const log = logOf(count);
  for (let dropped = 0; dropped < count - 5; dropped++) {
    assert.equal(log.at(log.start).key, `${dropped}`);
    log.dropFirst();
    if (dropped % 97 !== 0) continue;
    log.push(0, deletionOf(key(`${log.end}`), 2 + (log.end >> 1)));
    for (const position of [log.start, (log.start + log.end) >> 1, log.end - 1]) {
      assert.equal(log.at(position).key, `${position}`);
    }
  }
  assert.equal(log.start, count - 5);
});

test("a revision is found by its first event", () => {
  const log = logOf(3 * versionChunkLength);
  for (let dropped = 0; dropped < versionChunkLength + 1; dropped++) log.dropFirst();
  assert.equal(log.positionOf(2 + versionChunkLength), 2 * versionChunkLength);
  assert.equal(log.positionOf(0), log.start);
  assert.equal(log.positionOf(2 + versionChunkLength / 2), log.start);
  assert.equal(log.positionOf(1e9), log.end);
});

test("every revision is found, also one whose events lie in two chunks", () => {
  const log = new EventLog(new VersionStore(() => {}));
  const eventsEach = 3;
  const revisionsAll = versionChunkLength;
  for (let position = 0; position < eventsEach * revisionsAll; position++) {
    log.push(0, deletionOf(key(`${position}`), Math.floor(position / eventsEach)));
  }
  for (let revision = 0; revision < revisionsAll; revision++) {
    assert.equal(log.positionOf(revision), eventsEach * revision);
  }
  assert.equal(log.positionOf(revisionsAll), log.end);
});

test("a log emptied on a chunk border goes on", () => {
  const log = logOf(versionChunkLength);
  while (log.start < log.end) log.dropFirst();
  log.push(0, deletionOf(key("next"), 9999));
  assert.equal(log.at(log.start).key, "next");
});
