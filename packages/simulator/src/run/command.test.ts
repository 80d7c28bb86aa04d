import assert from "node:assert/strict";
import { test } from "node:test";
import { parseCommand } from "./command.js";
import { commandFor, overriddenConfig } from "./overrides.js";
import { configOf } from "./swarm.js";

test("without options a hundred seeds are run on all cores", () => {
  const command = parseCommand([], 4);
  assert.deepEqual([command.from, command.seeds, command.jobs, command.seconds], [1, 100, 4, undefined]);
  assert.deepEqual(command.overrides, {});
});

test("options are read", () => {
  const words = "--seeds 7 --from 3 --jobs 2 --shrink --trace --faults kill,cut --roles register --length 500".split(
    " ",
  );
  const command = parseCommand(words, 4);
  assert.deepEqual([command.from, command.seeds, command.jobs, command.shrink, command.trace], [3, 7, 2, true, true]);
  assert.deepEqual(command.overrides, { faults: ["kill", "cut"], roles: ["register"], safetyMs: 500 });
  assert.deepEqual([parseCommand(["--seed", "9"], 4).from, parseCommand(["--seed", "9"], 4).seeds], [9, 1]);
  assert.equal(parseCommand(["--planted", "x"], 4).firstFailure, true);
});

test("what cannot be understood is refused", () => {
  for (const words of [
    ["--sedes", "7"],
    ["--seeds"],
    ["--seeds", "many"],
    ["--faults", "rain"],
    ["--faults", "kill=often"],
    ["--roles", "king"],
  ]) {
    assert.throws(() => parseCommand(words, 4), RangeError, words.join(" "));
  }
});

test("the command that is printed for a failure gives the same configuration again", () => {
  for (const overrides of [
    {},
    { faults: ["kill"] as const },
    { faults: ["kill", "cut=700"] as const },
    { faults: [], roles: ["lease"] as const, safetyMs: 900 },
  ]) {
    const words = commandFor(12, overrides).split(" ").slice(4);
    const { from, overrides: read } = parseCommand(words, 1);
    assert.deepEqual(overriddenConfig(from, read), overriddenConfig(12, overrides));
  }
});

test("a fault with a time of its own strikes whether the seed has it or not", () => {
  const without = [...Array(100).keys()].find((seed) => configOf(seed).faults.cut === undefined) as number;
  assert.deepEqual(overriddenConfig(without, { faults: ["cut=700", "kill"] }).faults.cut, 700);
  assert.deepEqual(overriddenConfig(without, { faults: ["cut"] }).faults, {});
});

test("a failure with a planted bug is replayed with it", () => {
  assert.equal(parseCommand(commandFor(3, {}, "some-bug").split(" ").slice(4), 1).planted, "some-bug");
});

test("what is left out is gone, and nothing else changes", () => {
  const seed = [...Array(100).keys()].find((candidate) => Object.keys(configOf(candidate).faults).length > 3) as number;
  const config = configOf(seed);
  const small = overriddenConfig(seed, { faults: [] });
  assert.deepEqual(small, { ...config, faults: {} });
});
