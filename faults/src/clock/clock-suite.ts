/** Clocks that lie: a wall clock that jumps by years (F11), and a monotonic clock that differs from start to start (F12). */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { byteStringFromText, kvService, leaseService } from "@holdfast/protocol";
import { Client } from "../client.js";
import { LeaseKeeper } from "../lease-keeper.js";
import { missingProgram, notRoot, runCommand } from "../processes.js";
import type { Scenario, ScenarioContext, Suite } from "../scenario.js";
import { ServerProcess } from "../server-process.js";
import { nowMs, pause, until } from "../waiting.js";
import { cannotFakeWallClock, makeWallClock } from "./wall-clock.js";

const ttlSeconds = 3;
const daySeconds = 86_400;
const yearSeconds = 365 * daySeconds;
const { leaseGrant, leaseTimeToLive } = leaseService.methods;

/** Milliseconds from the granting of a lease that nobody refreshes to the first look that finds it gone. */
async function lifeOfLeaseMs(
  client: Client,
  context: ScenarioContext,
  meanwhile: () => Promise<void>,
): Promise<number> {
  const startedMs = nowMs();
  const { id } = await client.must(leaseGrant, { ttl: ttlSeconds });
  await meanwhile();
  const gone = async (): Promise<boolean> => (await client.must(leaseTimeToLive, { id })).ttl === -1;
  await until("the lease ends", gone, ttlSeconds + 3, context.signal);
  return nowMs() - startedMs;
}

function assertLife(lifeMs: number): void {
  assert(lifeMs >= ttlSeconds * 1000, `a lease of ${ttlSeconds} s ended after ${lifeMs.toFixed(0)} ms`);
  assert(lifeMs <= (ttlSeconds + 2) * 1000, `a lease of ${ttlSeconds} s lived for ${lifeMs.toFixed(0)} ms`);
}

/** The wall clock as the server's own log lines have it. */
async function loggedSeconds(server: ServerProcess, client: Client): Promise<number> {
  const before = server.output.length;
  const { header } = await client.must(kvService.methods.put, { key: byteStringFromText("k") });
  await client.must(kvService.methods.compact, { revision: header?.revision ?? 0 });
  await until("the server logs something", () => server.output.length > before, 5);
  const { time } = JSON.parse(server.output.at(-1) ?? "{}") as { readonly time: string };
  return Date.parse(time) / 1000;
}

const wallJumps: Scenario = {
  title:
    "F11, I6: the wall clock jumps by days and years either way; leases live as long as ever, and what is kept alive stays",
  secondsMax: 60,
  missing: cannotFakeWallClock,
  run: async (context) => {
    const clock = await makeWallClock(context.folder);
    const options = { dataDir: `${context.folder}/data`, env: clock.env, args: ["--log-level", "debug"] };
    const server = await ServerProcess.start(options, context);
    const client = await Client.connect(server.endpoint);
    const keeper = await LeaseKeeper.start(server.endpoint, { ttlSeconds, everyMs: 300 });
    for (const offset of [daySeconds, -daySeconds, 30 * yearSeconds, -20 * yearSeconds, 0]) {
      const lifeMs = await lifeOfLeaseMs(client, context, () => clock.setOffset(offset));
      const seen = (await loggedSeconds(server, client)) - Date.now() / 1000;
      assert(Math.abs(seen - offset) < 60, `the server's clock is ${seen} s ahead instead of ${offset}`);
      assertLife(lifeMs);
      context.note(
        `wall clock ${offset >= 0 ? "+" : ""}${offset} s: a lease of ${ttlSeconds} s lived for ${lifeMs.toFixed(0)} ms`,
      );
      assert.equal(keeper.lostCount, 0, "a lease that was kept alive has ended");
    }
    keeper.stop();
  },
};

async function cannotShiftMonotonicClock(): Promise<string | undefined> {
  const missing = notRoot() ?? (await missingProgram("unshare"));
  if (missing !== undefined) return missing;
  const { exitCode } = await runCommand("unshare", ["--time", "--monotonic", "1000", "true"]);
  return exitCode === 0 ? undefined : "there are no time namespaces here";
}

function shiftedBy(seconds: number): string[] {
  return ["unshare", "--time", "--fork", "--monotonic", String(seconds), "--boottime", String(seconds)];
}

const monotonicShifts: Scenario = {
  title:
    "F12, I6: the monotonic clock is years ahead after one restart and back after the next; each lease gets its full TTL again, and ends",
  secondsMax: 60,
  missing: cannotShiftMonotonicClock,
  run: async (context) => {
    const dataDir = `${context.folder}/data`;
    for (const offset of [20 * yearSeconds, daySeconds]) {
      const wrapper = shiftedBy(offset);
      const server = await ServerProcess.start({ dataDir, wrapper }, context);
      const offsets = await readFile(`/proc/${server.pid}/timens_offsets`, "utf8");
      assert.match(offsets, new RegExp(`^monotonic\\s+${offset}\\s`, "m"), "the server's clock is the machine's");
      const client = await Client.connect(server.endpoint);
      const keeper = await LeaseKeeper.start(server.endpoint, { ttlSeconds, everyMs: 300 });
      assertLife(await lifeOfLeaseMs(client, context, async () => undefined));
      assert.equal(keeper.lostCount, 0, "a lease that was kept alive has ended");
      keeper.stop();
      const { id } = await client.must(leaseGrant, { ttl: 5 });
      await server.kill();
      await restartKeeps(context, { dataDir, wrapper: shiftedBy(0) }, id);
    }
  },
};

/** A lease granted before the restart has its whole TTL after it, and ends then. */
async function restartKeeps(
  context: ScenarioContext,
  options: { dataDir: string; wrapper: string[] },
  id: bigint,
): Promise<void> {
  const server = await ServerProcess.start(options, context);
  const client = await Client.connect(server.endpoint);
  const { ttl } = await client.must(leaseTimeToLive, { id });
  assert(ttl >= 3 && ttl <= 5, `a lease of 5 s has ${ttl} s left after a restart`);
  const gone = async (): Promise<boolean> => (await client.must(leaseTimeToLive, { id })).ttl === -1;
  await pause(3000, context.signal);
  assert(!(await gone()), "it ended early");
  await until("the lease ends after a restart", gone, 5, context.signal);
  await server.kill();
}

export const clockSuite: Suite = {
  name: "clock",
  summary: "wall clocks that jump, monotonic clocks that differ from start to start",
  scenarios: [wallJumps, monotonicShifts],
};
