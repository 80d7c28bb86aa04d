// Runs seeds in a process of its own, one after another: so that a run that never ends, or takes its process with it, is
// noticed, and so that a bug can be planted while the modules are loaded. Run as a program it is that process.

import { fork } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandFor, configOf, runSeed } from "./dist/index.js";

const here = fileURLToPath(import.meta.url);
const loader = fileURLToPath(new URL("planted-loader.mjs", import.meta.url));
/** Where results and the histories of failed runs are kept. */
export const resultsFolder = fileURLToPath(new URL("../../.results", import.meta.url));
/** Real time after which a seed counts as hanging. */
const seedMsMax = 120_000;
/** Making a failure smaller takes many runs. */
const shrinkMsMax = 20 * seedMsMax;
/** Each of so many seeds is run twice, to compare (C13). */
const twiceOneIn = 20;

export class SeedProcess {
  #planted;
  #child;

  /** @param planted the name of a bug to plant there, or undefined. */
  constructor(planted) {
    this.#planted = planted;
  }

  /** The summary of a run. Only one at a time; `options` are `overrides`, `shrink`, `trace`. */
  run(seed, options) {
    this.#child ??= this.#start();
    const child = this.#child;
    return new Promise((resolve) => {
      const settle = (summary) => {
        clearTimeout(timer);
        child.off("exit", onExit);
        child.off("message", settle);
        resolve(summary);
      };
      const broken = (why) => {
        this.#child = undefined;
        settle(brokenSummary(seed, options.overrides, this.#planted, why));
      };
      const onExit = (code, signal) => broken(`its process ended with ${signal ?? code}`);
      const msMax = options.shrink ? shrinkMsMax : seedMsMax;
      const timer = setTimeout(() => {
        broken(`it was not done after ${msMax / 1000} s`);
        child.kill("SIGKILL");
      }, msMax);
      child.once("exit", onExit);
      child.once("message", settle);
      child.send({ seed, options, planted: this.#planted });
    });
  }

  /** Lets the process end. */
  close() {
    this.#child?.disconnect();
    this.#child = undefined;
  }

  /** Replaces a process that broke, too. */
  #start() {
    const planted = this.#planted;
    const execArgv = ["--enable-source-maps", ...(planted === undefined ? [] : ["--import", loader])];
    const env = planted === undefined ? process.env : { ...process.env, HOLDFAST_PLANTED: planted };
    return fork(here, ["--child"], { execArgv, env });
  }
}

function brokenSummary(seed, overrides, planted, why) {
  const faults = Object.keys(configOf(seed).faults);
  const report = `seed ${seed} broke off: ${why}\nagain: ${commandFor(seed, overrides, planted)} --trace`;
  const nothing = { steps: 0, virtualMs: 0, marks: {}, counts: {} };
  return { seed, ...nothing, faults, failedChecks: ["C12"], violations: [`C12: ${why}`], report, broken: true };
}

function serveParent() {
  process.on("message", async ({ seed, options: { overrides, shrink, trace }, planted }) => {
    const onLine = trace ? { onLine: (line) => console.log(line) } : {};
    const twice = seed % twiceOneIn === 0;
    process.send(await runSeed(seed, { overrides, planted, twice, shrink, keepHistory, ...onLine }));
  });
}

function keepHistory(seed, text) {
  const folder = join(resultsFolder, "simulator");
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `seed-${seed}.json`);
  writeFileSync(path, text);
  return path;
}

if (process.send !== undefined && process.argv[1] === here && process.argv[2] === "--child") serveParent();
