import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { measureWorkload, type RunnerOptions } from "./runner.js";
import type { Launch } from "./servers/launch.js";
import type { Bench, Load, Workload } from "./workload.js";

/** Launches that are never started: the workloads here need no server. */
const launches = (["etcd", "Holdfast"] as const).map(
  (name): Launch => ({ name, version: "0", program: "false", args: () => [] }),
);

function optionsOf(t: TestContext): RunnerOptions {
  const folder = mkdtempSync(join(tmpdir(), "bench-runner-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return { rounds: 3, seconds: 1, isQuick: true, folder };
}

function workloadOf(open: (bench: Bench) => Promise<Load>): Workload {
  return { name: "w", group: "g", unit: "calls/s", goal: { ratio: 1, sense: "at least" }, open };
}

const nothing = { operations: 1, serverCpuSeconds: 0, driverCpuSeconds: 0 };

test("rounds take turns, and who begins changes", async (t) => {
  const events: string[] = [];
  const workload = workloadOf(async ({ launch: { name } }) => ({
    round: async () => ({ ...nothing, figure: events.push(`round ${name}`) }),
    close: async () => void events.push(`close ${name}`),
  }));
  const outcome = await measureWorkload(workload, launches, optionsOf(t));
  assert.deepEqual(events, [
    ...["round etcd", "round Holdfast", "round Holdfast", "round etcd", "round etcd", "round Holdfast"],
    ...["close etcd", "close Holdfast"],
  ]);
  assert.ok("servers" in outcome);
  const figures = outcome.servers.map(({ name, samples }) => [name, samples.map(({ figure }) => figure)]);
  assert.deepEqual(figures, [
    ["etcd", [1, 4, 5]],
    ["Holdfast", [2, 3, 6]],
  ]);
});

test("every server gets an empty folder of its own, and none is left", async (t) => {
  const options = optionsOf(t);
  const folders: string[] = [];
  const workload = workloadOf(async ({ folder }) => {
    assert.ok(existsSync(folder));
    folders.push(folder);
    return { round: async () => ({ ...nothing, figure: 1 }), close: async () => {} };
  });
  await measureWorkload(workload, launches, options);
  assert.equal(new Set(folders).size, 2);
  assert.ok(folders.every((folder) => !existsSync(folder)));
});

test("a workload whose rounds are long has fewer of them", async (t) => {
  const open = async () => ({ round: async () => ({ ...nothing, figure: 1 }), close: async () => {} });
  const roundsOf = async (roundsMax: number) => {
    const outcome = await measureWorkload({ ...workloadOf(open), roundsMax }, launches, optionsOf(t));
    return "servers" in outcome ? outcome.servers.map(({ samples }) => samples.length) : [];
  };
  assert.deepEqual(await roundsOf(1), [1, 1]);
  assert.deepEqual(await roundsOf(9), [3, 3]);
});

test("a workload about Holdfast alone leaves etcd in peace", async (t) => {
  const opened: string[] = [];
  const workload = workloadOf(async ({ launch: { name } }) => {
    opened.push(name);
    return { round: async () => ({ ...nothing, figure: 1 }), close: async () => {} };
  });
  const alone = { ...workload, isHoldfastAlone: true };
  await measureWorkload(alone, launches, optionsOf(t));
  assert.deepEqual(opened, ["Holdfast"]);
  const withoutIt = launches.filter(({ name }) => name === "etcd");
  assert.ok("skipped" in (await measureWorkload(alone, withoutIt, optionsOf(t))));
});

test("a wrong answer fails the workload, names the server, and what was opened is closed", async (t) => {
  const closed: string[] = [];
  const workload = workloadOf(async ({ launch: { name } }) => ({
    round: async () => {
      if (name === "Holdfast") throw new Error("wrong answer");
      return { ...nothing, figure: 1 };
    },
    close: async () => void closed.push(name),
  }));
  const outcome = await measureWorkload(workload, launches, optionsOf(t));
  assert.deepEqual(outcome, { workload, failed: "Holdfast: wrong answer" });
  assert.deepEqual(closed, ["etcd", "Holdfast"]);
});

test("a server that ends instead of serving fails the workload", async (t) => {
  const workload = workloadOf(async (bench) => {
    await bench.start();
    return assert.fail("it did not start");
  });
  const outcome = await measureWorkload(workload, launches, optionsOf(t));
  assert.match("failed" in outcome ? outcome.failed : "", /^etcd: etcd ended/);
});
