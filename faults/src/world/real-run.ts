/**
 * A real server with the simulator's clients around it: lives of the server one after another on one folder, one history over
 * all of them, and the simulator's checks on it in the end.
 */
import {
  type Clients,
  type ClientsConfig,
  defaultClientsConfig,
  type Finding,
  type History,
  judge,
  type Life,
  startClients,
} from "@holdfast/simulator";
import type { ScenarioContext } from "../scenario.js";
import { type ServerOptions, ServerProcess, throughCache } from "../server-process.js";
import { within } from "../waiting.js";
import { ObservedLog } from "./observed-log.js";
import { RealWorld } from "./real-world.js";

/** Several of those who do much and hold nothing for long. */
const furtherRoles: ClientsConfig["roles"] = [
  ...["register", "register", "register", "transaction", "transaction", "watcher", "watcher", "lease"],
  ...["careful-lock", "careless-lock", "contender"],
] as const;

/** Fast and impatient: a minute of real time is little. */
const impatient: ClientsConfig = {
  ...defaultClientsConfig,
  roles: [...defaultClientsConfig.roles, ...furtherRoles],
  thinkMs: 25,
  deadlineMs: 2_000,
  waitMs: 4_000,
  ttlSecondsMax: 3,
  redialMs: 40,
  rebirthMs: 200,
  // One process cannot pause a part of itself.
  mayVanish: false,
};

/** The checks that a run stands for: each must have judged, and by the log. */
const decidingChecks = ["C1", "C2", "C5", "C7", "C8", "C10"];
/** Time for everybody to make progress once more after the last fault (I14). */
const healingSecondsMax = 40;

export class RealRun {
  readonly world: RealWorld;
  readonly clients: Clients;
  readonly #context: ScenarioContext;
  readonly #lives: Life[] = [];
  readonly #log: ObservedLog;
  #dataDir = "";
  #server: ServerProcess | undefined;
  /** The port of the first life, which all others take again. */
  #listen = "127.0.0.1:0";

  constructor(context: ScenarioContext, seed: number, config: Partial<ClientsConfig> = {}) {
    this.#context = context;
    this.world = new RealWorld(seed);
    this.#log = new ObservedLog(context.folder, (monotonicMs) => this.world.momentAt(monotonicMs));
    this.clients = startClients(this.world, { ...impatient, ...config });
    context.cleanUp(() => {
      this.clients.stop();
      this.world.close();
    });
  }

  /** The server of the present life. */
  get server(): ServerProcess {
    if (this.#server === undefined) throw new Error("the server has not been started");
    return this.#server;
  }

  get livesCount(): number {
    return this.#lives.length;
  }

  /** Begins a life of the server and does not wait for it. */
  launch(options: ServerOptions): ServerProcess {
    const number = this.#lives.length + 1;
    const life: Life = {
      number,
      started: this.world.moment(),
      serving: undefined,
      ended: undefined,
      how: undefined,
      reason: undefined,
    };
    this.#lives.push(life);
    // Each way of appending in turn: what one has written, the other goes on with.
    const env = { ...(number % 2 === 0 ? throughCache : {}), ...options.env };
    const tapped = this.#log.tapped(number, { ...options, env });
    const server = ServerProcess.launch({ listen: this.#listen, ...tapped }, this.#context);
    this.#dataDir = options.dataDir;
    this.#server = server;
    server.ready.then(
      () => {
        this.#listen = server.endpoint;
        this.world.endpoint = server.endpoint;
        life.serving = this.world.moment();
        this.world.note(`life ${number} serves`);
      },
      () => undefined,
    );
    return server;
  }

  /** Begins a life of the server and waits until it serves. */
  async start(options: ServerOptions): Promise<ServerProcess> {
    const server = this.launch(options);
    await server.ready;
    return server;
  }

  /** Ends the present life with a signal, or takes down how it has ended by itself; and reads the log that it left. */
  async end(how: Life["how"], signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const life = this.#lives.at(-1);
    this.world.note(`life ${life?.number} is ended: ${how}`);
    const { exitCode } = await this.server.kill(signal);
    if (life === undefined) return;
    life.ended = this.world.moment();
    // It may have come to an orderly end just before the signal.
    life.how = exitCode === 0 ? "closed" : how;
    await this.#log.read(life, this.#dataDir);
  }

  /** The faults are over: everybody must make progress, and the history must be without fault. @throws Error otherwise. */
  async judge(): Promise<void> {
    this.clients.heal();
    try {
      await within(this.clients.done, healingSecondsMax, "all clients make progress after the last fault");
    } catch (error) {
      this.#tell();
      throw new Error(`I14: ${this.clients.waitingFor().join(", ")} made no progress`, { cause: error });
    }
    const violations = await this.violations();
    if (violations.length === 0) return;
    this.#tell();
    throw new Error(`${violations.length} violations: ${violations.slice(0, 5).join("; ")}`);
  }

  /** Ends the clients and the server, and tells what is wrong with the history so far. */
  async violations(): Promise<string[]> {
    this.clients.stop();
    if (this.#lives.at(-1)?.ended === undefined) await this.end("killed");
    const startedMs = this.world.nowMs;
    const history = this.#history();
    const findings = judge(history);
    this.#context.note(`judged within ${((this.world.nowMs - startedMs) / 1000).toFixed(1)} s`);
    for (const { check, skipped, fellBack, gaveUp } of findings) {
      if (skipped !== undefined) this.#context.note(`${check} did not judge: ${skipped}`);
      if (fellBack !== undefined) this.#context.note(`${check} judged by the answers alone: ${fellBack}`);
      if (gaveUp.length > 0) this.#context.note(`${check} gave up ${gaveUp.length} searches: ${gaveUp[0]}`);
    }
    this.#note(history, findings);
    const found = findings.flatMap(({ check, violations }) =>
      violations.map(({ invariant, message }) => `${invariant}, ${check}: ${message}`),
    );
    return [...found, ...undecided(findings), ...this.clients.complaints];
  }

  #history(): History {
    const { calls, watches, holds, resourceWrites } = this.clients;
    return {
      ...{ calls, watches, holds, resourceWrites },
      lives: this.#lives,
      ...this.#log.history(),
    };
  }

  #note({ calls, watches, holds, entries }: History, findings: readonly Finding[]): void {
    const fates = { done: 0, refused: 0, unknown: 0 };
    for (const { result } of calls) fates[result?.fate ?? "unknown"] += 1;
    const events = watches.reduce(
      (sum, { messages }) => sum + messages.reduce((all, { events: e }) => all + e.length, 0),
      0,
    );
    this.#context.note(
      `${this.#lives.length} lives of the server; ${calls.length} calls: ${fates.done} done, ${fates.refused} refused, ` +
        `${fates.unknown} unknown; ${watches.length} watches with ${events} events; ${holds.length} times held`,
    );
    const counts = (name: string, what: string): number =>
      findings.find(({ check }) => check === name)?.counts[what] ?? 0;
    this.#context.note(
      `${entries.length} entries of the log, ${counts("C1", "entries compared")} of them compared in the end; ` +
        `${counts("C2", "answers placed")} answers placed, ${counts("C10", "states compared")} states compared, ${this.#log.snapshotsCount} snapshots, ${counts("C7", "expiries")} ends of leases, ` +
        `${counts("C3", "calls searched")} calls searched for a legal order`,
    );
  }

  /** What happened last, for who reads why it failed. */
  #tell(): void {
    for (const line of this.world.notes.slice(-40)) this.#context.note(line);
  }
}

/** What of the checks that a run stands for was not judged: a run that shows nothing must not pass for one that does. */
export function undecided(findings: readonly Finding[]): string[] {
  return decidingChecks.flatMap((name) => {
    const finding = findings.find(({ check }) => check === name);
    const why = finding === undefined ? "it did not run" : (finding.skipped ?? finding.fellBack);
    return why === undefined ? [] : [`${name} was not decided: ${why}`];
  });
}
