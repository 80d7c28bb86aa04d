import assert from "node:assert/strict";
import { test } from "node:test";
import { Actor } from "./actor.js";
import { defaultClientsConfig } from "./config.js";
import { LeaseKeeper } from "./lease-keeper.js";
import { Scene } from "./scene.js";
import { Tenure } from "./tenure.js";
import { ManualWorld } from "./testing/manual-world.js";

const TTL_SECONDS = 2;
/** TTL × (1 − 2 × 0.5 %) − 100 ms. */
const TRUSTED_MS = 1_880;

function begin(careful: boolean): { world: ManualWorld; scene: Scene; actor: Actor; tenure: Tenure } {
  const world = new ManualWorld();
  const scene = new Scene(world, defaultClientsConfig);
  const actor = new Actor(scene, world.party("a"));
  const lease = new LeaseKeeper(actor, 7n, TTL_SECONDS, world.nowMs);
  const grant = { name: "lock", kind: "lock" as const, key: "lock/7", token: 3, from: world.moment() };
  return { world, scene, actor, tenure: Tenure.begin(actor, lease, grant, careful)! };
}

test("a careful holder stops a little before its lease can end, counted on its own clock (I4c)", () => {
  const { world, scene, tenure } = begin(true);
  world.clock.advance(TRUSTED_MS - 1);
  assert.equal(tenure.write(), true);
  world.clock.advance(1);
  assert.equal(tenure.write(), false);
  assert.equal(scene.recorder.resourceWrites.length, 1);
  assert.equal(scene.recorder.holds[0]?.until?.ms, TRUSTED_MS - 1);
});

test("the record of a careful hold goes to its end although the holder did nothing (I4c)", () => {
  const { world, scene } = begin(true);
  world.clock.advance(10 * TRUSTED_MS);
  assert.equal(scene.recorder.holds[0]?.until?.ms, TRUSTED_MS - 1);
});

test("a careful holder that has overslept does nothing more (I4c)", () => {
  const { world, scene, tenure } = begin(true);
  world.clock.advance(500);
  assert.equal(tenure.holds(), true);
  world.clock.oversleep(3 * TRUSTED_MS);
  assert.equal(tenure.write(), false);
  assert.equal(scene.recorder.resourceWrites.length, 0);
  assert.equal(scene.recorder.holds[0]?.until?.ms, 500);
});

test("nothing begins on a lease that cannot be trusted any more (I4c)", () => {
  const { world, actor } = begin(true);
  const lease = new LeaseKeeper(actor, 8n, TTL_SECONDS, world.nowMs);
  world.clock.advance(TRUSTED_MS);
  const grant = { name: "lock", kind: "lock" as const, key: "lock/8", token: 4, from: world.moment() };
  assert.equal(Tenure.begin(actor, lease, grant, true), undefined);
  assert.notEqual(Tenure.begin(actor, lease, grant, false), undefined);
});

test("a careless holder goes on writing until it lets go (I5)", () => {
  const { world, scene, tenure } = begin(false);
  world.clock.oversleep(5_000);
  assert.equal(tenure.write(), true);
  tenure.end();
  assert.equal(tenure.write(), false);
  assert.equal(scene.recorder.holds[0]?.until?.ms, 5_000);
});

test("a hold ends with the life of its holder", () => {
  const { world, scene, actor } = begin(false);
  world.clock.advance(40);
  actor.party.kill();
  assert.equal(scene.recorder.holds[0]?.until?.ms, 40);
});
