import assert from "node:assert/strict";
import { test } from "node:test";
import { type Finding, FindingBuilder } from "../checks/finding.js";
import { startClients } from "../clients/index.js";
import type { History } from "../history/history.js";
import { faultNames } from "./fault-names.js";
import { historyText } from "./history-text.js";
import { overriddenConfig } from "./overrides.js";
import { type RunOptions, simulate } from "./run.js";
import { shrink } from "./shrink.js";
import { configOf } from "./swarm.js";

const unjudged: RunOptions = { startClients, judge: () => [] };

test("C13: the same seed gives the same trace and the same history, byte for byte", async () => {
  for (const seed of [2, 3, 5]) {
    const config = overriddenConfig(seed, { safetyMs: 8_000 });
    const lines: string[][] = [[], []];
    const [first, second] = [
      await simulate(config, { ...unjudged, onLine: (line) => lines[0]!.push(line) }),
      await simulate(config, { ...unjudged, onLine: (line) => lines[1]!.push(line) }),
    ];
    assert.deepEqual(lines[0], lines[1]);
    assert.equal(first.traceHash, second.traceHash, `seed ${seed}`);
    assert.equal(historyText(first.history), historyText(second.history));
    assert.equal(first.steps, second.steps);
  }
});

test("two seeds give two traces", async () => {
  const [first, second] = await Promise.all(
    [2, 3].map((seed) => simulate(overriddenConfig(seed, { safetyMs: 2_000 }), unjudged)),
  );
  assert.notEqual(first?.traceHash, second?.traceHash);
});

test("I10: every digest of a life is that of a pure replay of the entries", async () => {
  const { history } = await simulate(overriddenConfig(4, { safetyMs: 8_000 }), unjudged);
  const pure = new Map(history.digests.filter(({ life }) => life === 0).map(({ index, digest }) => [index, digest]));
  const taken = history.digests.filter(({ life }) => life > 0);
  assert.ok(taken.length > 3);
  for (const { index, digest } of taken) assert.equal(digest, pure.get(index), `at ${index}`);
});

test("I1: the last look at the log finds the entries that were stored", async () => {
  const { history, violations } = await simulate(overriddenConfig(4, { faults: ["kill", "power-cut"] }), unjudged);
  assert.deepEqual(violations, []);
  const stored = new Map(history.entries.map(({ index, payload }) => [index, payload]));
  assert.ok(history.finalEntries.length > 5);
  for (const { index, payload } of history.finalEntries) assert.deepEqual(payload, stored.get(index));
  assert.equal(history.finalEntries.at(-1)?.index, history.entries.at(-1)?.index);
});

test("F4, I11: a server whose disk has rotted refuses to start, and the run ends there", async () => {
  const rotting = [...Array(400).keys()].map(configOf).filter(({ expected }) => expected === "halt");
  assert.ok(rotting.length > 3);
  let halted = 0;
  for (const config of rotting.slice(0, 6)) {
    const { marks, history, violations } = await simulate(config, unjudged);
    assert.deepEqual(violations, []);
    if ((marks.get("halted") ?? 0) === 0) continue;
    halted++;
    const last = history.lives.at(-1);
    assert.equal(last?.how, "refused-to-start");
    assert.match(last?.reason ?? "", /LogDamagedError/);
  }
  assert.ok(halted > 0);
});

test("what nobody catches is a violation", async () => {
  const { violations } = await simulate(overriddenConfig(1, { faults: [], safetyMs: 1_000 }), {
    ...unjudged,
    onUncaught: (handle) => {
      handle(new Error("nobody's"));
      return () => {};
    },
  });
  assert.equal(violations[0]?.check, "F17");
  assert.match(violations[0]?.message ?? "", /nobody's/);
});

test("clients that do not come to an end after the last fault are a violation (I14)", async () => {
  const { violations } = await simulate(overriddenConfig(1, { faults: [], roles: ["register"], safetyMs: 1_000 }), {
    ...unjudged,
    startClients: (world, config) => {
      const clients = startClients(world, config);
      return {
        ...{ calls: [], watches: [], holds: [], resourceWrites: [], complaints: [] },
        heal: () => {},
        done: new Promise(() => {}),
        waitingFor: () => ["somebody"],
        stop: () => clients.stop(),
      };
    },
  });
  assert.equal(violations[0]?.invariant, "I14");
  assert.match(violations[0]?.message ?? "", /somebody/);
});

test("a failure is made smaller: faults, clients and time that it does not need are left out", async () => {
  const needsKill = ({ lives }: History): Finding[] => {
    const builder = new FindingBuilder("C1");
    if (lives.some(({ how }) => how === "killed")) builder.violation("I1", "killed");
    return [builder.finding()];
  };
  const options: RunOptions = { startClients, judge: needsKill };
  const seed = [...Array(200).keys()].find((candidate) => {
    const { faults, safetyMs } = configOf(candidate);
    return faults.kill !== undefined && Object.keys(faults).length > 3 && safetyMs < 25_000;
  }) as number;
  const failed = await simulate(configOf(seed), options);
  assert.ok(failed.violations.length > 0);
  const { overrides, result } = await shrink(failed, {}, options, 40);
  const small = overriddenConfig(seed, overrides);
  assert.ok(Object.keys(small.faults).length <= 1);
  assert.ok(small.clients.roles.length < configOf(seed).clients.roles.length);
  assert.ok(small.safetyMs <= configOf(seed).safetyMs);
  assert.ok(result.violations.length > 0);
});

test("the seeds together have every fault, and runs without any", () => {
  const configs = [...Array(300).keys()].map(configOf);
  for (const name of faultNames) {
    assert.ok(
      configs.some(({ faults }) => faults[name] !== undefined),
      `no seed has ${name}`,
    );
  }
  assert.ok(configs.some(({ faults }) => Object.keys(faults).length === 0));
});
