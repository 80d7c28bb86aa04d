import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ByteString,
  eventCodec,
  keyValueCodec,
  responseHeaderCodec,
  type WatchResponse,
  watchCreateRequestCodec,
  watchResponseCodec,
} from "@holdfast/protocol";
import { Recorder } from "./recorder.js";
import { ManualWorld } from "./testing/manual-world.js";
import { WatchCursor } from "./watch-cursor.js";

const world = new ManualWorld();

function cursorFrom(startRevision: number, resumedFrom?: number): WatchCursor {
  const request = watchCreateRequestCodec.create({ startRevision });
  return new WatchCursor(
    new Recorder(world).beginWatch({ client: "w", connection: 1 }, request, resumedFrom),
    resumedFrom,
  );
}

/** Takes a response with a header of `revision` and events of `revisions`. */
function take(cursor: WatchCursor, revision: number, revisions: number[], fields: Partial<WatchResponse> = {}): void {
  const header = responseHeaderCodec.create({ revision });
  const events = revisions.map((modRevision) =>
    eventCodec.create({ kv: keyValueCodec.create({ key: "k" as ByteString, modRevision }) }),
  );
  cursor.take(watchResponseCodec.create({ header, events, ...fields }), world.moment());
}

test("a watch goes on behind the last event that came (I8, CLI-7)", () => {
  const cursor = cursorFrom(3);
  assert.equal(cursor.nextRevision, 3);
  take(cursor, 90, [], { created: true });
  // The header of a response with events can be far ahead of them (WATCH-20).
  take(cursor, 90, [4, 6, 6]);
  assert.equal(cursor.nextRevision, 7);
});

test("a revision of which only a fragment came is asked for again (I8)", () => {
  const cursor = cursorFrom(3);
  take(cursor, 9, [], { created: true });
  take(cursor, 9, [5, 6], { fragment: true });
  assert.equal(cursor.nextRevision, 6);
  take(cursor, 9, [6]);
  assert.equal(cursor.nextRevision, 7);
});

test("a progress notice tells that everything up to it came (I8, WATCH-32)", () => {
  const cursor = cursorFrom(3);
  take(cursor, 9, [], { created: true });
  take(cursor, 9, []);
  assert.equal(cursor.nextRevision, 10);
});

test("a watch that began now goes on with the revision that it was told then (I8, WATCH-5, CLI-7)", () => {
  const cursor = cursorFrom(0);
  assert.equal(cursor.nextRevision, 0);
  take(cursor, 9, [], { created: true });
  assert.equal(cursor.nextRevision, 9);
});

test("a watch of the future that is resumed does not begin earlier (I8)", () => {
  const cursor = cursorFrom(50);
  take(cursor, 9, [], { created: true });
  take(cursor, 20, []);
  assert.equal(cursor.nextRevision, 50);
});

test("a watch that is cancelled has ended, and has seen no more than before (WATCH-22)", () => {
  const cursor = cursorFrom(3);
  take(cursor, 9, [], { created: true });
  take(cursor, 9, [4]);
  assert.equal(cursor.record.ended, undefined);
  take(cursor, 0, [], { canceled: true, compactRevision: 7 });
  assert.equal(cursor.nextRevision, 5);
  assert.notEqual(cursor.record.ended, undefined);
});
