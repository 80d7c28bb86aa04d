/**
 * One run: a phase with faults, a phase of healing in which everybody must come to an end (I14), and a last look at the log
 * and the state. Everything follows from the configuration, and that from the seed.
 */

import type { Finding } from "../checks/index.js";
import type { Clients, ClientsConfig } from "../clients/index.js";
import { onUncaught } from "../environment.js";
import type { History, Violation } from "../history/history.js";
import type { Moment } from "../history/moment.js";
import { noDiskFaults, ServerDisk } from "../world/disk.js";
import { Network } from "../world/network.js";
import { type LogContents, ServerNode } from "../world/node.js";
import { SeededRandom } from "../world/random.js";
import { Scheduler } from "../world/scheduler.js";
import { SimulatedWorld } from "../world/simulated-world.js";
import type { World } from "../world/world.js";
import { Downtime } from "./downtime.js";
import { startFaults } from "./faults.js";
import { historyDigest } from "./history-text.js";
import { replayDigests } from "./pure-replay.js";
import type { RunParts } from "./run-parts.js";
import type { RunConfig } from "./swarm.js";

/** Virtual time within which everybody must be done once the faults are over. */
const healingMsMax = 120_000;
/** Virtual time for the server to settle when nobody calls any more. */
const settlingMs = 3_000;
/** A run that takes more does not get anywhere. */
const stepsMax = 3_000_000;
const sampleIntervalMs = 1_500;

export interface RunOptions {
  readonly startClients: (world: World, config: ClientsConfig) => Clients;
  readonly judge: (history: History) => readonly Finding[];
  /** Hands on errors that nobody catches, until the returned function is called. Default: those of the process. */
  readonly onUncaught?: (handle: (error: unknown) => void) => () => void;
  /** Told every line of the trace. */
  readonly onLine?: (line: string) => void;
}

export interface RunResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  /** What the checks of the history came to, with what they could not look at. */
  readonly findings: readonly Finding[];
  /** How often each coverage mark was reached. */
  readonly marks: ReadonlyMap<string, number>;
  readonly history: History;
  /** Of everything that happened, in its order. */
  readonly traceHash: string;
  readonly historyHash: string;
  readonly lastLines: readonly string[];
  readonly steps: number;
  readonly virtualMs: number;
}

export function simulate(config: RunConfig, options: RunOptions): Promise<RunResult> {
  return new Run(config, options).result();
}

class Run {
  readonly #options: RunOptions;
  readonly #parts: RunParts;
  readonly #downtime: Downtime;
  readonly #clients: Clients;
  readonly #marks = new Map<string, number>();
  readonly #violations: Violation[] = [];
  #faultsOn = true;
  #order = 0;
  #appliedIndex = 0;
  #life = 0;
  #healed: Moment | undefined;

  constructor(config: RunConfig, options: RunOptions) {
    this.#options = options;
    const chance = new SeededRandom(config.seed).fork("run");
    const scheduler = new Scheduler(chance.fork("schedule"));
    const network = new Network(scheduler, chance.fork("network"), config.network);
    const disk = new ServerDisk(scheduler, chance.fork("disk"), config.disk);
    const common = {
      scheduler,
      network,
      disk,
      moment: () => ({ ms: scheduler.nowMs, order: ++this.#order }),
      note: (line: string) => scheduler.trace.line(scheduler.nowMs, line),
      mark: (name: string) => void this.#marks.set(name, (this.#marks.get(name) ?? 0) + 1),
    };
    const node = new ServerNode({
      ...common,
      random: chance.fork("server"),
      options: config.server,
      logLimits: config.log,
    });
    const world = new SimulatedWorld({ ...common, random: chance.fork("clients") });
    this.#parts = { ...common, config, node, world, random: chance.fork("faults"), rotted: new Set() };
    this.#downtime = new Downtime(this.#parts);
    disk.onFault = (kind) => common.mark(kind === "crash" ? "killed-in-operation" : kind);
    disk.onOperation = (operation) => {
      if (operation === "segment.recycle" || operation === "segment.remove") common.mark("segment-discarded");
    };
    if (options.onLine !== undefined) scheduler.trace.onLine = options.onLine;
    scheduler.onStep = () => this.#cheapInvariants();
    this.#downtime.begin();
    this.#clients = options.startClients(world, config.clients);
  }

  async result(): Promise<RunResult> {
    const release = (this.#options.onUncaught ?? onUncaught)((error) => this.#uncaught(error));
    try {
      await this.#safety();
      if (!this.#downtime.halted) await this.#healing();
      return this.#conclude(this.#downtime.halted ? undefined : await this.#lastLook());
    } finally {
      release();
    }
  }

  async #safety(): Promise<void> {
    const { scheduler, node, config } = this.#parts;
    startFaults(this.#parts, () => this.#faultsOn);
    scheduler.every(scheduler.world, sampleIntervalMs, () => node.sampleState());
    await scheduler.run(() => scheduler.nowMs >= config.safetyMs || this.#isOver);
  }

  /** Faults off, the network calm, the server started once more; then everybody must come to an end. */
  async #healing(): Promise<void> {
    const { scheduler, node, network, disk, note, moment } = this.#parts;
    note("healing");
    this.#faultsOn = false;
    this.#downtime.calm();
    disk.faults = noDiskFaults;
    disk.fullUntilMs = 0;
    disk.slowUntilMs = 0;
    network.heal();
    node.close();
    this.#clients.heal();
    let done = false;
    this.#clients.done.then(() => {
      done = true;
    });
    const limitMs = scheduler.nowMs + healingMsMax;
    // A server that serves already is closed and comes back, so that nothing of the time with faults is left in it.
    const lives = node.lives.length - (node.state === "starting" ? 1 : 0);
    const isBack = (): boolean => {
      if (node.lives.length <= lives || node.state !== "serving") return false;
      this.#healed ??= moment();
      return true;
    };
    await scheduler.run(() => (isBack() && done) || scheduler.nowMs >= limitMs || this.#isOver);
    if (!isBack() && !this.#isOver) this.#violate("I14", `no server serves ${healingMsMax} ms after the last fault`);
    if (!done && !this.#isOver) {
      const waiting = this.#clients.waitingFor().join(", ");
      this.#violate("I14", `${healingMsMax} ms after the last fault these clients are not done: ${waiting}`);
    }
    this.#clients.stop();
    const settledMs = scheduler.nowMs + settlingMs;
    await scheduler.run(() => scheduler.nowMs >= settledMs || this.#isOver);
    await this.#atBaseLine();
  }

  /** When nobody calls any more, nothing is held for anybody (C12), but for a moment: the end of a lease is proposed too. */
  async #atBaseLine(): Promise<void> {
    const { scheduler } = this.#parts;
    const limitMs = scheduler.nowMs + settlingMs;
    const isAtBaseLine = (): boolean => Object.values(this.#held()).every((count) => count <= 0);
    await scheduler.run(() => isAtBaseLine() || scheduler.nowMs >= limitMs || this.#isOver);
    for (const [what, count] of Object.entries(this.#held())) {
      if (count > 0) this.#violate("I12", `${count} ${what} are left when all clients have gone`, "C12");
    }
  }

  /** What the server holds for those who call, by what it is. */
  #held(): Readonly<Record<string, number>> {
    const { node, network } = this.#parts;
    const { core } = node;
    if (core === undefined) return {};
    const { replica } = core.context;
    return {
      // Those who vanished without a word, and whom nobody waits for, are left to the system to find.
      connections: core.grpc.connectionCount - network.widowed,
      streams: core.grpc.streamCount,
      "waiting proposals": replica.waitingProposals,
      watchers: replica.watches.watcherCount,
    };
  }

  /** Closes the server, starts it once more, and reads all that its log still has. */
  async #lastLook(): Promise<LogContents | undefined> {
    const { scheduler, node } = this.#parts;
    node.sampleState();
    const lives = node.lives.length;
    node.close();
    const limitMs = scheduler.nowMs + healingMsMax;
    const isUp = (): boolean => node.lives.length > lives && node.state === "serving";
    await scheduler.run(() => isUp() || scheduler.nowMs >= limitMs || this.#isOver);
    if (!isUp()) {
      if (!this.#isOver) this.#violate("I14", "the server does not close and come back after healing");
      return undefined;
    }
    let contents: LogContents | undefined;
    node.readLog().then((read) => {
      contents = read;
    });
    await scheduler.run(() => contents !== undefined || scheduler.nowMs >= limitMs);
    if (contents === undefined) this.#violate("I14", "the log cannot be read after healing");
    return contents;
  }

  get #isOver(): boolean {
    return this.#downtime.halted || this.#parts.scheduler.steps > stepsMax;
  }

  #cheapInvariants(): void {
    const { node } = this.#parts;
    const { core } = node;
    if (core === undefined) return;
    const { appliedIndex, committedIndex } = core.context.replica;
    const number = node.lives.length;
    if (number === this.#life && appliedIndex < this.#appliedIndex) this.#violate("I2", "the applied index fell", "C4");
    if (appliedIndex > committedIndex) this.#violate("I1", "more is applied than is durable", "C1");
    this.#life = number;
    this.#appliedIndex = appliedIndex;
  }

  #uncaught(error: unknown): void {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#violate("I11", `nobody caught: ${text}`, "F17");
  }

  #violate(invariant: string, message: string, check = "C12"): void {
    if (this.#violations.length < 20) this.#violations.push({ check, invariant, message });
  }

  #conclude(final: LogContents | undefined): RunResult {
    const { config, scheduler, node } = this.#parts;
    if (scheduler.steps > stepsMax) this.#violate("I14", `${stepsMax} steps did not lead to an end`);
    this.#clients.stop();
    const { calls, watches, holds, resourceWrites, complaints } = this.#clients;
    for (const complaint of complaints) this.#violate("I2", complaint, "clients");
    const entries = node.book.entries();
    const pure = replayDigests(entries, node.digests);
    const history: History = {
      calls,
      watches,
      holds,
      resourceWrites,
      entries,
      lives: node.lives,
      digests: [...node.digests, ...pure],
      finalEntries: final?.entries ?? [],
      ...(final === undefined ? {} : { finalFirstIndex: final.firstIndex }),
      ...(this.#healed === undefined ? {} : { healed: this.#healed }),
      stalls: node.stalls,
      logContradictions: node.book.contradictions,
    };
    const findings = this.#options.judge(history);
    const found = findings.flatMap(({ violations }) => violations);
    return {
      seed: config.seed,
      violations: [...this.#violations, ...this.#downtime.violations, ...found],
      findings,
      marks: this.#marks,
      history,
      traceHash: scheduler.trace.hash,
      historyHash: historyDigest(history),
      lastLines: scheduler.trace.last(200),
      steps: scheduler.steps,
      virtualMs: scheduler.nowMs,
    };
  }
}
