/**
 * F1: the server is killed at the moment it makes a certain system call for the n-th time: before a sync, a rename, the opening or
 * the removal of a file. Snapshots and new segments are made all the time, so that every kind of call comes often.
 */
import assert from "node:assert/strict";
import { PutLoad } from "../put-load.js";
import type { Scenario, ScenarioContext } from "../scenario.js";
import { ServerProcess } from "../server-process.js";
import { attachTracer, cannotTrace, tracedFromStart } from "../tracer.js";
import { keepTidying } from "../upkeep.js";
import { within } from "../waiting.js";

/** A call, and the n-th times it is made, counted in each thread, at which the server is killed: one life each. */
type Point = readonly [call: string, counts: readonly number[]];

/** What a running server calls. The paths of the data folder are not told apart from others: nothing else is opened. */
const running: readonly Point[] = [
  ["fdatasync", [1, 40]],
  ["fsync", [1, 3]],
  ["rename", [1, 2, 4]],
  ["unlink", [1, 2]],
  ["openat", [1, 4]],
  ["pwrite64", [1, 200]],
  ["close", [3]],
];

/** What a server calls while it recovers, and in its first moments. Earlier calls load modules. */
const starting: readonly Point[] = [
  ["fdatasync", [1, 2, 3]],
  ["fsync", [1, 2]],
  ["rename", [1]],
  ["unlink", [1]],
  ["pwrite64", [1, 2, 4]],
];

const killAt = (call: string, count: number): string => `${call}:signal=SIGKILL:when=${count}`;

/** The lives of servers on one folder, under one load whose account is kept over all of them. */
class Lives {
  readonly #context: ScenarioContext;
  readonly #dataDir: string;
  readonly #load = new PutLoad({ name: "load", writers: 4, keysPerWriter: 10, valueBytes: 9_000 });
  readonly #missed: string[] = [];
  #kills = 0;

  constructor(context: ScenarioContext) {
    this.#context = context;
    this.#dataDir = `${context.folder}/data`;
  }

  /** A life under load, with snapshots all the time, until the call is made. @param after what it has been through. */
  async run(call: string, count: number, after: string): Promise<void> {
    const server = await this.#startChecked(after);
    await this.#load.start(server.endpoint);
    await this.#load.acknowledged(20);
    const tracer = await attachTracer(server.pid, [killAt(call, count)], this.#context);
    const tidying = keepTidying(server.endpoint);
    await this.#wait(server, 6, `${call} ${count}`);
    await tidying;
    await this.#load.ended();
    await this.#load.stop();
    await tracer.detach();
  }

  /** A start that is killed at the call, or soon after it serves. */
  async start(call: string, count: number): Promise<void> {
    const wrapper = tracedFromStart([killAt(call, count)]);
    const server = ServerProcess.launch({ dataDir: this.#dataDir, wrapper }, this.#context);
    await Promise.race([server.exited, server.ready.catch(() => undefined)]);
    await this.#wait(server, 1, `${call} ${count}`);
  }

  /** Nothing acknowledged in any life may be missing. */
  async conclude(after: string): Promise<void> {
    await (await this.#startChecked(after)).kill();
    const missed = this.#missed.length === 0 ? "" : `; never came: ${this.#missed.join(", ")}`;
    this.#context.note(`${this.#kills} kills, ${this.#load.acknowledgedCount} writes acknowledged, 0 lost${missed}`);
    assert(this.#kills > this.#missed.length, "most of the calls never came");
  }

  async #startChecked(after: string): Promise<ServerProcess> {
    const server = await ServerProcess.start({ dataDir: this.#dataDir }, this.#context);
    assert.deepEqual(await this.#load.problems(server.endpoint), [], `after ${after}`);
    return server;
  }

  async #wait(server: ServerProcess, secondsMax: number, what: string): Promise<void> {
    const end = await within(server.exited, secondsMax, "").catch(() => undefined);
    if (end?.signal === "SIGKILL") this.#kills++;
    else this.#missed.push(what);
    await server.kill();
  }
}

export const killedAtCalls: Scenario = {
  title:
    "F1, F5, I1: killed at the n-th fdatasync, fsync, rename, unlink, open, write and close, with snapshots all the time",
  secondsMax: 120,
  missing: cannotTrace,
  run: async (context) => {
    const lives = new Lives(context);
    let after = "nothing";
    for (const [call, counts] of running) {
      for (const count of counts) {
        await lives.run(call, count, after);
        after = `a kill at ${call} ${count}`;
      }
    }
    await lives.conclude(after);
  },
};

export const killedWhileStarting: Scenario = {
  title: "F1, F5, I1, I10: killed at the n-th sync, rename, unlink and write of its recovery, one kill after another",
  secondsMax: 120,
  missing: cannotTrace,
  run: async (context) => {
    const lives = new Lives(context);
    let after = "nothing";
    for (const [call, counts] of starting) {
      await lives.run("rename", 2, after);
      for (const count of counts) await lives.start(call, count);
      after = `kills at ${call} of a start`;
    }
    await lives.conclude(after);
  },
};
