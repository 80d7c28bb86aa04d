import assert from "node:assert/strict";
import { test } from "node:test";
import { Actor } from "./actor.js";
import { keepAliveMethod } from "./call-methods.js";
import { defaultClientsConfig } from "./config.js";
import { Refresher } from "./keep-alive.js";
import { Scene } from "./scene.js";
import { ManualWorld } from "./testing/manual-world.js";
import { ending, ScriptedChannel } from "./testing/scripted-channel.js";

const { response } = keepAliveMethod;

function start() {
  const world = new ManualWorld();
  const scene = new Scene(world, defaultClientsConfig);
  const actor = new Actor(scene, world.party("a"));
  const grpc = new ScriptedChannel();
  const line = { drops: 0, ready: async () => ({ id: 4, grpc }), drop: () => void line.drops++ };
  return { world, scene, grpc, line, refresher: new Refresher(actor, "keep-alive", line) };
}

/** Lets the promises of an opened stream settle. */
async function turn(): Promise<void> {
  for (let at = 0; at < 5; at++) await Promise.resolve();
}

test("each refresh is a call of its own, answered in the order of requests (LEASE-17)", async () => {
  const { scene, grpc, refresher } = start();
  const first = refresher.refresh(1n);
  await turn();
  const second = refresher.refresh(2n);
  await turn();
  assert.equal(grpc.calls.length, 1);
  grpc.call.answer(response, { id: 1n, ttl: 5 });
  grpc.call.answer(response, { id: 2n, ttl: 0 });
  assert.deepEqual(
    (await Promise.all([first, second])).map((fate) => fate.fate === "done" && fate.response.ttl),
    [5, 0],
  );
  assert.deepEqual(
    scene.recorder.calls.map((call) => [call.kind, call.client, call.connection, call.result?.fate]),
    [
      ["leaseKeepAlive", "a/keep-alive", 4, "done"],
      ["leaseKeepAlive", "a/keep-alive", 4, "done"],
    ],
  );
  assert.deepEqual(scene.complaints, []);
});

test("an answer about another lease than the next is a complaint (LEASE-17)", async () => {
  const { scene, grpc, refresher } = start();
  void refresher.refresh(1n);
  await turn();
  grpc.call.answer(response, { id: 9n, ttl: 5 });
  assert.equal(scene.complaints.length, 1);
});

test("what waits when the stream ends is unknown, the line is dropped, and the next refresh has a new stream", async () => {
  const { grpc, line, refresher } = start();
  const waiting = refresher.refresh(1n);
  await turn();
  grpc.call.end(ending(14, "connection lost"));
  assert.equal((await waiting).fate, "unknown");
  assert.equal(line.drops, 1);
  void refresher.refresh(1n);
  await turn();
  assert.equal(grpc.calls.length, 2);
});

test("an end with OK before the answer leaves the refresh unknown", async () => {
  const { grpc, refresher } = start();
  const waiting = refresher.refresh(1n);
  await turn();
  grpc.call.end(ending(0, ""));
  assert.equal((await waiting).fate, "unknown");
});

test("a refresh without an answer ends at its deadline", async () => {
  const { world, grpc, refresher } = start();
  const waiting = refresher.refresh(1n);
  await turn();
  world.clock.advance(defaultClientsConfig.deadlineMs);
  assert.equal((await waiting).fate, "unknown");
  assert.equal(grpc.call.cancelled, true);
});
