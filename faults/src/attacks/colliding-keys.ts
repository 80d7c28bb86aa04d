/**
 * Keys chosen to fall into the same places of a hash table (F46).
 *
 * V8 hashes short strings of digits by their number alone, without the seed that protects other strings: whoever knows the
 * number of places in a table can choose keys that share one, up to 256 of them in a table of 65,536. The figures are those of
 * the server's processor time, side by side in one process each, so that they do not depend on how fast the machine is.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { byteStringFromText, kvService, leaseService, type WatchRequest, watchService } from "@holdfast/protocol";
import { Client } from "../client.js";
import type { Scenario, ScenarioContext } from "../scenario.js";
import { ServerProcess } from "../server-process.js";

const KEYS = 30_000;
/** What differs only above these bits shares a place in tables up to that size. */
const PLACES = 65_536;
const NUMBERS_MAX = 2 ** 24;
const CALLS_AT_ONCE = 100;
/** How much dearer chosen keys may be than others: noise and deeper trees, but no chains. */
const RATIO_MAX = 3;

/** Numbers that share few places: as many as fit into each before the next is begun. */
function collidingKeys(): string[] {
  const perPlace = NUMBERS_MAX / PLACES;
  return Array.from({ length: KEYS }, (_, i) => String((i % perPlace) * PLACES + Math.floor(i / perPlace)));
}

/** As many numbers, spread over all places. */
function spreadKeys(): string[] {
  return Array.from({ length: KEYS }, (_, i) => String((i * 65_537 + 12_345) % NUMBERS_MAX));
}

async function inTurns(keys: readonly string[], work: (key: string) => Promise<unknown>): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    for (let at = next++; at < keys.length; at = next++) await work(keys[at] as string);
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, one));
}

/** Puts, reads, watches and deletes the keys, and answers the processor seconds the server spent on it. */
async function cost(context: ScenarioContext, name: string, keys: readonly string[]): Promise<number> {
  const server = await ServerProcess.start({ dataDir: join(context.folder, name) }, context);
  const client = await Client.connect(server.endpoint);
  const lease = (await client.must(leaseService.methods.leaseGrant, { ttl: 600 })).id;
  const watches = client.open(watchService.methods.watch, () => {});
  const before = server.cpuSeconds();
  for (const key of keys.slice(0, KEYS / 10)) watches.send(watchOf(key));
  const { put, range, deleteRange } = kvService.methods;
  await inTurns(keys, (key) => client.must(put, { key: byteStringFromText(key), lease }));
  await inTurns(keys, (key) => client.must(range, { key: byteStringFromText(key) }));
  await inTurns(keys, (key) => client.must(deleteRange, { key: byteStringFromText(key) }));
  const seconds = server.cpuSeconds() - before;
  client.destroy();
  await server.kill();
  return seconds;
}

function watchOf(key: string): Partial<WatchRequest> {
  return {
    createRequest: {
      key: byteStringFromText(key),
      rangeEnd: byteStringFromText(""),
      startRevision: 0,
      progressNotify: false,
      filters: [],
      prevKv: false,
      watchId: 0n,
      fragment: false,
    },
  };
}

export const collidingKeyScenarios: readonly Scenario[] = [
  {
    title: `F46, I12: ${KEYS} keys chosen to collide cost less than ${RATIO_MAX} times what others do`,
    secondsMax: 120,
    run: async (context) => {
      const spread = await cost(context, "spread", spreadKeys());
      const colliding = await cost(context, "colliding", collidingKeys());
      const ratio = colliding / spread;
      context.note(
        `${spread.toFixed(1)} s of processor time for spread keys, ${colliding.toFixed(1)} s for chosen ones`,
      );
      assert.ok(ratio < RATIO_MAX, `chosen keys cost ${ratio.toFixed(1)} times as much`);
    },
  },
];
