import assert from "node:assert/strict";
import { test } from "node:test";
import { responseHeaderCodec, type WatchRequest, type WatchResponse, watchService } from "@holdfast/protocol";
import { Actor } from "./actor.js";
import { defaultClientsConfig } from "./config.js";
import { Scene } from "./scene.js";
import { ManualWorld } from "./testing/manual-world.js";
import { ending, ScriptedChannel } from "./testing/scripted-channel.js";
import { WatchStream } from "./watch-stream.js";

const { request, response } = watchService.methods.watch;

function start() {
  const world = new ManualWorld();
  const scene = new Scene(world, defaultClientsConfig);
  const grpc = new ScriptedChannel();
  const stream = new WatchStream(new Actor(scene, world.party("a")), { id: 4, grpc });
  const answer = (revision: number, fields: Partial<WatchResponse>): void =>
    grpc.call.answer(response, { header: responseHeaderCodec.create({ revision }), ...fields });
  const lastSent = (): WatchRequest => request.decode(grpc.call.sent.at(-1)!);
  return { scene, grpc, stream, answer, lastSent };
}

test("created responses belong to the requests in their order, whatever ids the server chooses (WATCH-1)", () => {
  const { stream, answer } = start();
  const first = stream.create({ startRevision: 3 });
  const second = stream.create({ startRevision: 5 });
  answer(9, { watchId: 8n, created: true });
  answer(9, { watchId: 2n, created: true });
  answer(9, { watchId: 2n });
  assert.equal(first.watchId, 8n);
  assert.equal(second.watchId, 2n);
  assert.deepEqual(
    [first, second].map(({ record }) => record.messages.length),
    [1, 2],
  );
});

test("a watch that is refused when it is created has ended, and takes no id (WATCH-3, WATCH-9)", () => {
  const { stream, answer } = start();
  const refused = stream.create({ startRevision: -1 });
  answer(9, { watchId: -1n, created: true, canceled: true, cancelReason: "no" });
  assert.notEqual(refused.record.ended, undefined);
  assert.equal(refused.record.messages[0]?.cancelReason, "no");
  assert.deepEqual(stream.cursors, []);
});

test("the progress of the whole stream is told to each watch that is open (WATCH-31)", () => {
  const { stream, answer } = start();
  const first = stream.create({ startRevision: 3 });
  const second = stream.create({ startRevision: 3 });
  answer(9, { watchId: 1n, created: true });
  answer(9, { watchId: -1n });
  assert.equal(first.seen, 9);
  assert.equal(second.seen, undefined);
});

test("a watch that compaction has ended is cancelled as well, so that the stream is not behind for ever (WATCH-24)", () => {
  const { scene, stream, answer, lastSent } = start();
  stream.create({ startRevision: 3 });
  answer(9, { watchId: 1n, created: true });
  answer(0, { watchId: 1n, canceled: true, compactRevision: 7 });
  assert.equal(lastSent().cancelRequest?.watchId, 1n);
  assert.equal(scene.compactedRevision, 7);
  answer(9, { watchId: 1n, canceled: true });
  assert.deepEqual(scene.complaints, []);
});

test("watches that were open when the stream ended have ended, and can be gone on with", () => {
  const { grpc, stream, answer } = start();
  const told = stream.create({ startRevision: 3 });
  const untold = stream.create({ startRevision: 4 });
  answer(9, { watchId: 1n, created: true });
  grpc.call.end(ending(14, "connection lost"));
  assert.equal(stream.open, false);
  assert.deepEqual(new Set(stream.orphans), new Set([told, untold]));
  for (const { record } of stream.orphans) assert.notEqual(record.ended, undefined);
});

test("what nobody asked for is a complaint", () => {
  const { scene, answer } = start();
  answer(9, { watchId: 1n, created: true });
  answer(9, { watchId: 5n });
  assert.equal(scene.complaints.length, 2);
});
