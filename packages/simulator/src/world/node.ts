/**
 * The server in the simulated world: one life after another of the same code that runs in earnest, on the same disk. A life
 * ends by a kill, a power cut, its own decision after a storage failure, or in order; what comes next is the run's to say.
 */
import { createHash } from "node:crypto";
import { type Log, type LogLimits, openFileLog } from "@holdfast/log";
import type { CrashMode } from "@holdfast/log/testing";
import { type RunningCore, type ServerOptions, startCore } from "@holdfast/server";
import type { StateMachine } from "@holdfast/state-machine";
import type { Life, Stall, StateDigest, StoredEntry } from "../history/history.js";
import type { Moment } from "../history/moment.js";
import type { ServerDisk } from "./disk.js";
import { EntryBook, TappedLog, TappedReader } from "./log-tap.js";
import type { Network } from "./network.js";
import type { Owner } from "./owner.js";
import type { SeededRandom } from "./random.js";
import type { Scheduler } from "./scheduler.js";
import { logEnvironmentOf, serverEnvironmentOf } from "./server-environment.js";

/** The name under which clients connect. */
export const serverName = "server";
const folder = "/data";

export interface NodeParts {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly disk: ServerDisk;
  readonly random: SeededRandom;
  readonly options: ServerOptions;
  readonly logLimits: Partial<LogLimits>;
  moment(): Moment;
  note(line: string): void;
  mark(name: string): void;
}

/** What a log has; a snapshot stands for what was before. */
export interface LogContents {
  readonly firstIndex: number;
  readonly entries: readonly StoredEntry[];
}

export type NodeState = "down" | "starting" | "serving" | "closing";

export class ServerNode {
  readonly lives: Life[] = [];
  readonly digests: StateDigest[] = [];
  readonly stalls: Stall[] = [];
  readonly book: EntryBook;
  /** Told when a life has ended, however it did. */
  onDown: (life: Life) => void = () => {};
  readonly #parts: NodeParts;
  #state: NodeState = "down";
  #owner: Owner | undefined;
  #life: Life | undefined;
  #core: RunningCore | undefined;
  #log: Log | undefined;

  constructor(parts: NodeParts) {
    this.#parts = parts;
    this.book = new EntryBook(() => parts.moment());
    const crashes = parts.random.fork("crashes");
    // Only a power cut can tear what is being written.
    parts.disk.onCrash = (operation) => {
      const isAppend = operation.startsWith("append");
      this.kill(isAppend ? "power-cut" : crashes.pick(["killed", "power-cut"] as const));
    };
  }

  get state(): NodeState {
    return this.#state;
  }

  /** What runs, once it serves. */
  get core(): RunningCore | undefined {
    return this.#core;
  }

  /** Begins a life. It serves some time later, or is refused. Only when the last one is over. */
  start(): void {
    const { scheduler, random, disk, note } = this.#parts;
    const number = this.lives.length + 1;
    const owner = scheduler.owner(serverName, random.fork(`clock ${number}`).within(0.995, 1.005));
    const life: Life = {
      number,
      started: this.#parts.moment(),
      serving: undefined,
      ended: undefined,
      how: undefined,
      reason: undefined,
    };
    this.lives.push(life);
    this.#state = "starting";
    this.#owner = owner;
    this.#life = life;
    disk.serve(owner);
    note(`life ${number} starts`);
    scheduler.after(0, "world", owner, () => {
      this.#open(owner, number).then(
        (core) => this.#serve(core, owner, life),
        (error: unknown) => this.#refused(error, owner),
      );
    });
  }

  /** The process dies now; with "power-cut" the machine too, and nobody is told. */
  kill(how: "killed" | "power-cut"): void {
    if (this.#state === "down") return;
    if (this.#state === "starting") this.#parts.mark("recovery-killed");
    this.#down(how, undefined);
  }

  /** Asks the server to close. Its life is over when it has. */
  close(): void {
    const core = this.#core;
    const owner = this.#owner;
    if (this.#state !== "serving" || core === undefined || owner === undefined) return;
    const { network, note, mark, scheduler } = this.#parts;
    this.#state = "closing";
    if (core.grpc.streamCount > 0) mark("closed-under-load");
    note("the server is asked to close");
    network.unlisten(serverName);
    scheduler.after(0, "world", owner, () => {
      core.close().then(
        () => this.#ended(owner, "closed", undefined),
        (error: unknown) => this.#ended(owner, "stopped", textOf(error)),
      );
    });
  }

  /** Nothing of the server runs for `ms`. If `clockStops`, it cannot tell by its clock. */
  pause(ms: number, clockStops = false): void {
    const owner = this.#owner;
    if (owner === undefined || this.#state === "down" || owner.pausedUntilMs > 0) return;
    const { scheduler } = this.#parts;
    this.stalls.push({ fromMs: scheduler.nowMs, toMs: scheduler.nowMs + ms, clockStood: clockStops });
    scheduler.pause(owner, ms, clockStops);
  }

  /** Brings the disk back after a life; before the next `start`. */
  recoverDisk(mode: CrashMode): void {
    this.#parts.disk.restart(mode);
  }

  /** Takes a digest of what the machine holds now. */
  sampleState(): void {
    const { replica } = this.#core?.context ?? {};
    if (replica === undefined || this.#life === undefined || !replica.isServing) return;
    const { digests } = this;
    const last = digests.at(-1);
    const { number } = this.#life;
    if (last?.life === number && last.index === replica.appliedIndex) return;
    digests.push({ life: number, index: replica.appliedIndex, digest: digestOf(replica.machine) });
  }

  /** All entries that the log of the present life still has. Only while it serves. */
  async readLog(): Promise<LogContents> {
    const log = this.#log as Log;
    const { firstIndex } = log.usage();
    const entries: StoredEntry[] = [];
    await log.replay(firstIndex - 1, ({ index, epoch, payload }) => {
      entries.push({ index, epoch, payload: Uint8Array.from(payload), at: this.#parts.moment() });
    });
    return { firstIndex, entries };
  }

  async #open(owner: Owner, number: number): Promise<RunningCore> {
    const { scheduler, random, disk, options, logLimits, mark, note } = this.#parts;
    const isAlive = (): boolean => owner.generation === 1;
    const chance = random.fork(`life ${number}`);
    return startCore({
      options: { ...options, onFatal: (cause) => this.#ended(owner, "stopped", textOf(cause)) },
      environment: serverEnvironmentOf(scheduler, owner, chance.fork("server")),
      openLog: async (opening) => {
        const reader = new TappedReader(opening.reader);
        const log = await openFileLog({
          ...opening,
          reader,
          folder,
          disk: disk.disk.mount(),
          environment: logEnvironmentOf(scheduler, owner, chance.fork("log")),
          limits: { ...opening.limits, ...logLimits },
          onRecovery: (report) => {
            if (report.bytesCut > 0) mark("tail-cut");
            if (report.damagedSnapshots.length > 0) mark("snapshot-passed-over");
            note(`recovery: ${report.bytesCut} bytes cut, ${report.damagedSnapshots.length} snapshots damaged`);
            opening.onRecovery(report);
          },
        });
        if (isAlive()) reader.opened(this.book);
        if (log.snapshot !== undefined) mark("snapshot-used");
        this.#log = new TappedLog(log, this.book, isAlive, {
          appended: (result) => {
            if (result.fate === "refused" && result.why === "full") mark("append-refused-full");
            if (result.fate === "unknown") mark("append-unknown");
          },
          snapshotWritten: (_index, error) => mark(error === undefined ? "snapshot-written" : "snapshot-failed"),
        });
        return this.#log;
      },
    });
  }

  #serve(core: RunningCore, owner: Owner, life: Life): void {
    if (owner.generation !== 1) return;
    const { network, note, moment } = this.#parts;
    this.#core = core;
    this.#state = "serving";
    life.serving = moment();
    this.sampleState();
    note(`life ${life.number} serves from index ${core.context.replica.appliedIndex}`);
    network.listen(serverName, { owner, accept: (socket) => core.grpc.handleConnection(socket) });
  }

  #refused(error: unknown, owner: Owner): void {
    if (owner.generation === 1) this.#down("refused-to-start", textOf(error));
  }

  #ended(owner: Owner, how: "stopped" | "closed", reason: string | undefined): void {
    if (owner.generation === 1) this.#down(how, reason);
  }

  #down(how: NonNullable<Life["how"]>, reason: string | undefined): void {
    const { network, disk, note, moment } = this.#parts;
    const owner = this.#owner as Owner;
    const life = this.#life as Life;
    this.#countMarks();
    const stall = this.stalls.at(-1);
    const { nowMs } = this.#parts.scheduler;
    if (stall !== undefined && stall.toMs > nowMs) this.stalls.splice(-1, 1, { ...stall, toMs: nowMs });
    network.unlisten(serverName);
    network.drop(owner, how === "power-cut");
    owner.die();
    if (!disk.disk.isDead) disk.disk.kill();
    this.#state = "down";
    this.#core = undefined;
    life.ended = moment();
    life.how = how;
    life.reason = reason;
    note(`life ${life.number} ended: ${how}${reason === undefined ? "" : `: ${reason}`}`);
    this.onDown(life);
  }

  /** What only the counters of the server tell. */
  #countMarks(): void {
    const core = this.#core;
    if (core === undefined) return;
    const { mark } = this.#parts;
    const { counters } = core.grpc;
    if (core.context.replica.leases.lateTicks > 0) mark("stall-detected");
    if (counters.keepaliveTimeouts > 0) mark("half-open-closed-by-ping");
    if (counters.stalledAnswers > 0) mark("stalled-answer");
    if (counters.requestsPostponed > 0) mark("request-postponed");
    if (counters.deadlinesExceeded > 0) mark("deadline-exceeded");
    if (counters.callsCancelled > 0) mark("call-cancelled");
  }
}

/** A digest of all that the machine holds: of what a snapshot of it would. */
export function digestOf(machine: StateMachine): string {
  const frozen = machine.freeze();
  try {
    const hash = createHash("sha256");
    for (const chunk of frozen.chunks()) hash.update(chunk);
    return hash.digest("hex").slice(0, 32);
  } finally {
    frozen.release();
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
