/**
 * Where attacks take place: a real server, a well-behaved client beside them, and the figures of both before, during and
 * after. Judges what every attack must leave as it was (I12); what the attacker itself must see is left to the scenario.
 */
import assert from "node:assert/strict";
import { availableParallelism, loadavg } from "node:os";
import { join } from "node:path";
import type { ScenarioContext } from "../scenario.js";
import { type ServerOptions, ServerProcess } from "../server-process.js";
import { nowMs, pause, until } from "../waiting.js";
import { Bystander, type BystanderFigures, percentile } from "./bystander.js";
import { type Figures, figure, readFigures } from "./figures.js";
import { RawClient, type Target } from "./raw-client.js";

const MIB = 1024 * 1024;
const BASELINE_MS = 600;
const DEFAULT_SECONDS = 1.5;
/** I12: no attack of one client delays the keepalives of others beyond it. */
const KEEPALIVE_P99_MS = 200;
/** How much any attack may leave behind, beside what its row of the fault model allows. */
const GROWTH_BYTES = 20 * MIB;
/** What a heap grows by under any load before its collector runs: measured with honest calls of the same rate. */
const COLLECTOR_SLACK_BYTES = 60 * MIB;
/** Of each kind one line, and another when its time is up. */
const LOG_LINES_MAX = 40;
const SETTLE_SECONDS_MAX = 10;
const GAUGES = ["holdfast_transport_streams", "holdfast_transport_buffered_bytes", "holdfast_transport_unsent_bytes"];

/** What is particular about the server or the attack. */
export interface ArenaOptions extends Partial<ServerOptions> {
  /** Memory that the attack may make the server hold while it lasts, on top of what any load does. */
  readonly heldBytesMax?: number;
  /** How long the attack lasts if nobody asks for more. */
  readonly seconds?: number;
  /** Failures of the other client that are expected, of this form. */
  readonly mayFail?: RegExp;
}

/** An attack that is under way. */
export interface Attack {
  /** The time is up: begin nothing more. */
  readonly over: boolean;
  readonly remainingMs: number;
}

export class Arena {
  readonly server: ServerProcess;
  readonly #context: ScenarioContext;
  readonly #options: ArenaOptions;
  readonly #bystander: Bystander;
  #before: Figures = new Map();
  #after: Figures = new Map();

  private constructor(context: ScenarioContext, options: ArenaOptions, server: ServerProcess, bystander: Bystander) {
    this.#context = context;
    this.#options = options;
    this.server = server;
    this.#bystander = bystander;
  }

  static async open(context: ScenarioContext, options: ArenaOptions = {}): Promise<Arena> {
    const { heldBytesMax: _held, seconds: _seconds, mayFail: _mayFail, ...serverOptions } = options;
    const server = await ServerProcess.start({ dataDir: join(context.folder, "data"), ...serverOptions }, context);
    const bystander = await Bystander.start(server.endpoint);
    context.cleanUp(() => bystander.stop());
    return new Arena(context, options, server, bystander);
  }

  get target(): Target {
    return { host: this.server.host, port: this.server.port };
  }

  /** A connection that ends with the scenario. */
  async connect(framed = true, target: Target = this.target): Promise<RawClient> {
    const client = await RawClient.connect(target, framed);
    this.#context.cleanUp(() => client.destroy());
    return client;
  }

  /** By how much a counter of the server grew over the attack. */
  grown(name: string): number {
    return figure(this.#after, name) - figure(this.#before, name);
  }

  /** The figures of the server now. */
  figures(): Promise<Figures> {
    return readFigures(this.server.host, this.server.port);
  }

  /** Asserts that the attack reached the limit that this counter counts. */
  assertReached(counter: string): void {
    assert.ok(this.grown(counter) > 0, `${counter} did not grow: the limit was not reached`);
    this.#context.note(`${counter}: +${this.grown(counter)}`);
  }

  /**
   * Runs an attack for its time, and judges what it left: the process lives, its memory is bounded, other clients were
   * served in time, and streams and buffers are back where they were. `attack` must end soon after `over`.
   */
  async attack(attack: (state: Attack) => Promise<void>): Promise<void> {
    const seconds = this.#context.seconds ?? this.#options.seconds ?? DEFAULT_SECONDS;
    const baseline = await this.#measure(() => pause(BASELINE_MS, this.#context.signal));
    this.#before = await this.figures();
    const linesBefore = this.server.output.length;
    const startBytes = this.server.residentBytes();
    const cpuBefore = this.server.cpuSeconds();
    const startedMs = nowMs();
    const highest = watchMemory(this.server);
    const during = await this.#measure(() => attack(stateUntil(startedMs + seconds * 1_000)));
    const tookSeconds = (nowMs() - startedMs) / 1_000;
    const cpuSeconds = this.server.cpuSeconds() - cpuBefore;
    const peakBytes = highest.stop();
    await this.#settle();
    this.#noteFigures({ baseline, during, startBytes, peakBytes, tookSeconds, cpuSeconds });
    this.#judge(baseline, during, peakBytes - startBytes);
    const lines = this.server.output.length - linesBefore;
    assert.ok(lines <= LOG_LINES_MAX, `${lines} lines were logged: an attacker can fill the log`);
  }

  async #measure(work: () => Promise<void>): Promise<BystanderFigures> {
    this.#bystander.begin();
    await work();
    return await this.#bystander.report();
  }

  /** Gauges fall as soon as the server has noticed that the attackers are gone. */
  async #settle(): Promise<void> {
    assert.equal(this.server.end, undefined, `the server ended: ${this.server.output.slice(-3).join(" | ")}`);
    const isBack = async (): Promise<boolean> => {
      this.#after = await this.figures();
      return GAUGES.every((name) => this.#isBack(name)) && this.#isBack("holdfast_transport_connections");
    };
    await until("connections, streams and buffers are back where they were", isBack, SETTLE_SECONDS_MAX).catch(
      (error) => {
        const left = [...GAUGES, "holdfast_transport_connections"].map(
          (name) => `${name} ${figure(this.#after, name)}`,
        );
        throw new Error(`${(error as Error).message}: ${left.join(", ")}`);
      },
    );
  }

  /** The other client has calls open at any moment, so a few streams are never more than they were. */
  #isBack(name: string): boolean {
    const slack = name === "holdfast_transport_streams" ? 4 : 0;
    return figure(this.#after, name) <= figure(this.#before, name) + slack;
  }

  #judge(baseline: BystanderFigures, during: BystanderFigures, growthBytes: number): void {
    const { mayFail, heldBytesMax = 0 } = this.#options;
    const failures = during.failures.filter((failure) => mayFail === undefined || !mayFail.test(failure));
    assert.deepEqual(failures.slice(0, 3), [], "the other client");
    // On a machine with more to do than it can, everything takes longer, this included.
    const slowdown = Math.max(1, (loadavg()[0] ?? 0) / availableParallelism());
    const allowedMs = KEEPALIVE_P99_MS * slowdown + percentile(baseline.keepAlivesMs, 1);
    const p99 = percentile(during.keepAlivesMs, 0.99);
    assert.ok(p99 < allowedMs, `keepalives of the other client took ${p99.toFixed()} ms at the 99th percentile`);
    const allowedBytes = GROWTH_BYTES + COLLECTOR_SLACK_BYTES + heldBytesMax;
    assert.ok(
      growthBytes < allowedBytes,
      `memory grew by ${toMib(growthBytes)} MiB, ${toMib(allowedBytes)} are allowed`,
    );
  }

  #noteFigures(figures: {
    readonly baseline: BystanderFigures;
    readonly during: BystanderFigures;
    readonly startBytes: number;
    readonly peakBytes: number;
    readonly tookSeconds: number;
    readonly cpuSeconds: number;
  }): void {
    const { baseline, during, startBytes, peakBytes, tookSeconds, cpuSeconds } = figures;
    const grownBytes = peakBytes - startBytes;
    const lag = figure(this.#after, "nodejs_eventloop_lag_p99_seconds") * 1_000;
    this.#context.note(
      `keepalive p99 ${inMs(during.keepAlivesMs, 0.99)} (before: ${inMs(baseline.keepAlivesMs, 0.99)}), ` +
        `largest ${inMs(during.keepAlivesMs, 1)}; put and read p99 ${inMs(during.callsMs, 0.99)}; loop delay p99 ${lag.toFixed(1)} ms`,
    );
    this.#context.note(
      `${tookSeconds.toFixed(1)} s, server used ${cpuSeconds.toFixed(1)} s of processor time; ` +
        `resident ${toMib(startBytes)} MiB, at most +${toMib(grownBytes)} MiB`,
    );
  }
}

function stateUntil(endMs: number): Attack {
  return {
    get over(): boolean {
      return nowMs() >= endMs;
    },
    get remainingMs(): number {
      return Math.max(0, endMs - nowMs());
    },
  };
}

/** Looks at the memory of the server now and then. */
function watchMemory(server: ServerProcess): { stop(): number } {
  let highest = server.residentBytes();
  const look = (): void => {
    if (server.end === undefined) highest = Math.max(highest, server.residentBytes());
  };
  const timer = setInterval(look, 50);
  return {
    stop: () => {
      clearInterval(timer);
      look();
      return highest;
    },
  };
}

function inMs(values: readonly number[], share: number): string {
  return `${percentile(values, share).toFixed(1)} ms`;
}

function toMib(bytes: number): string {
  return (bytes / MIB).toFixed();
}
