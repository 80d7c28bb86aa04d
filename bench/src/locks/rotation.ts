/**
 * An election whose leaders resign at once and campaign again, before observers: how fast leadership goes round.
 *
 * Checked: leaders come in the order in which they joined, every rotation makes two revisions, every observer hears of
 * leaders while they rotate, and afterwards all of them hear who leads in the end.
 */
import { byteStringFromText, electionService, type LeaderResponse } from "@holdfast/protocol";
import type { CallListener, DriverConnection } from "../driver/driver-connection.js";
import { Latencies } from "../latencies.js";
import type { Connections } from "../load/connections.js";
import { grantLeases, lastingTtlSeconds } from "../load/leases.js";
import type { RoundDone } from "../load/round-done.js";
import { lookAt } from "../load/store.js";
import { lockKey } from "./lock-keys.js";

const { campaign, observe, resign } = electionService.methods;
/** So many that one always waits while another one resigns and joins again. */
const candidateCount = 10;
/** A leader is due after milliseconds; after so long without one the election stands still. */
const stallMs = 2500;
/** One answer of so many to observers is decoded and looked at in full. */
const sampleEvery = 1000;

/** The server stopped electing leaders, or telling of them: known of etcd with many observers. */
export class ElectionStalled extends Error {}

/** What one round did; durations are from Resign to the next leader's answer. */
export interface RotationsDone extends RoundDone {
  /** How many leaders an observer was told of, of those that were elected: 1 when nobody missed any. */
  readonly observedShare: number;
}

export class Rotation {
  readonly #connections: Connections;
  readonly #prefix: string;
  readonly #candidates: readonly Candidate[];
  readonly #observers: readonly Observer[];
  #latencies = new Latencies();
  #leader: Candidate | undefined;
  #leaderKnown: () => void = () => {};
  #lastRevision = 0;
  #stopAtMs = 0;
  #resignedAtMs = 0;
  #lastMs = 0;
  #rotations = 0;

  private constructor(connections: Connections, name: string, leases: readonly bigint[], observers: number) {
    this.#connections = connections;
    this.#prefix = `${name}/`;
    this.#candidates = leases.map((lease, at) => new Candidate(this, connections.at(at), name, lease));
    this.#observers = Array.from({ length: observers }, (_, at) => new Observer(connections.at(at), name));
  }

  /** Elects a first leader, whom every observer then knows, and lets the others queue. @throws ElectionStalled */
  static async prepare(connections: Connections, name: string, observers: number): Promise<Rotation> {
    const leases = await grantLeases(connections, candidateCount, lastingTtlSeconds);
    const rotation = new Rotation(connections, name, leases, observers);
    const [first, ...others] = rotation.#candidates;
    const elected = rotation.#nextLeader();
    first?.campaign();
    await rotation.#unlessStalled("electing a first leader", elected);
    const known = rotation.#observers.map((observer) => observer.open());
    await rotation.#unlessStalled("telling observers of the first leader", Promise.all(known));
    for (const candidate of others) candidate.campaign();
    return rotation;
  }

  /** Lets leadership go round for so long. @throws ElectionStalled (rejects) */
  async run(seconds: number): Promise<RotationsDone> {
    const before = await this.#untilQueued();
    this.#latencies = new Latencies();
    this.#rotations = 0;
    for (const observer of this.#observers) observer.count = 0;
    const stopped = this.#nextLeader();
    const startMs = performance.now();
    this.#stopAtMs = startMs + seconds * 1000;
    this.#resign(startMs);
    await this.#unlessStalled("rotating", stopped);
    const elapsedSeconds = (this.#lastMs - startMs) / 1000;
    const rotations = this.#rotations;
    await this.#settle();
    const revisions = (await this.#untilQueued()) - before;
    if (revisions !== 2 * (rotations + 1))
      throw new Error(`${rotations} rotations and one made ${revisions} revisions`);
    const latencies = this.#latencies;
    return {
      operations: rotations,
      seconds: elapsedSeconds,
      latencies,
      observedShare: this.#observedShare(rotations + 1),
    };
  }

  /** A candidate leads, by a key of this revision. */
  elected(candidate: Candidate, revision: number): void {
    if (this.#leader !== undefined) throw new Error("two candidates lead");
    if (revision <= this.#lastRevision) throw new Error("a candidate overtook another one");
    const nowMs = performance.now();
    this.#leader = candidate;
    this.#lastRevision = revision;
    this.#lastMs = nowMs;
    this.#rotations += 1;
    this.#latencies.add(nowMs - this.#resignedAtMs);
    if (nowMs < this.#stopAtMs) this.#resign(nowMs);
    else this.#leaderKnown();
  }

  #nextLeader(): Promise<void> {
    return new Promise((resolve) => {
      this.#leaderKnown = resolve;
    });
  }

  #resign(nowMs: number): void {
    const leader = this.#leader;
    if (leader === undefined) throw new Error("nobody leads");
    this.#leader = undefined;
    this.#resignedAtMs = nowMs;
    leader.resign();
  }

  /** One rotation more, unhurried: every observer must hear who leads now. */
  async #settle(): Promise<void> {
    const successor = this.#nextLeader();
    for (const observer of this.#observers) observer.lookClosely();
    this.#resign(performance.now());
    await this.#unlessStalled("electing the last leader", successor);
    const key = this.#leader?.key ?? "";
    const told = Promise.all(this.#observers.map((observer) => observer.toldOf(key)));
    await this.#unlessStalled("telling all observers of the last leader", told);
  }

  #observedShare(leaders: number): number {
    const counts = this.#observers.map(({ count }) => count);
    if (counts.includes(0)) throw new Error("an observer was told of no leader");
    return counts.reduce((sum, count) => sum + count, 0) / counts.length / leaders;
  }

  /** Waits until all candidates queue; resolves with the store's revision. */
  async #untilQueued(): Promise<number> {
    const deadlineMs = performance.now() + stallMs;
    while (performance.now() < deadlineMs) {
      const look = await this.#unlessStalled("counting candidates", lookAt(this.#connections, this.#prefix));
      if (look.keys === candidateCount) return look.revision;
    }
    throw new ElectionStalled("not all candidates could queue");
  }

  /** As `work`, but gives up when it is not done and no leader was elected for a while. */
  async #unlessStalled<Result>(what: string, work: Promise<Result>): Promise<Result> {
    this.#lastMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const stalled = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        if (performance.now() - this.#lastMs > stallMs)
          reject(new ElectionStalled(`${what}: the election stands still`));
      }, stallMs / 10);
    });
    try {
      return await this.#connections.during(what, 2 ** 30, Promise.race([work, stalled]));
    } finally {
      clearInterval(timer);
    }
  }
}

/** One candidate: waits, leads, resigns, waits again. */
class Candidate implements CallListener {
  readonly key: string;
  readonly #rotation: Rotation;
  readonly #connection: DriverConnection;
  readonly #campaign: Uint8Array;
  #resign: Uint8Array = new Uint8Array(0);
  #isCampaigning = false;
  #revision = 0;

  constructor(rotation: Rotation, connection: DriverConnection, name: string, lease: bigint) {
    this.key = lockKey(name, lease);
    this.#rotation = rotation;
    this.#connection = connection;
    const value = Buffer.from(`candidate ${lease}`);
    this.#campaign = campaign.request.encode(campaign.request.create({ name: byteStringFromText(name), lease, value }));
  }

  campaign(): void {
    this.#isCampaigning = true;
    this.#connection.unary(campaign.path, this.#campaign, this);
  }

  resign(): void {
    this.#isCampaigning = false;
    this.#connection.unary(resign.path, this.#resign, this);
  }

  message(chunk: Uint8Array, from: number, to: number): void {
    if (!this.#isCampaigning) return;
    const { leader } = campaign.response.decode(chunk, from, to);
    if (leader?.key !== this.key) throw new Error(`Campaign answered the key ${leader?.key}, not ${this.key}`);
    this.#revision = leader.rev;
    this.#resign = resign.request.encode(resign.request.create({ leader }));
  }

  end(): void {
    if (this.#isCampaigning) this.#rotation.elected(this, this.#revision);
    else this.campaign();
  }
}

/** One stream of Observe. */
class Observer implements CallListener {
  /** Answers since it was set to 0. */
  count = 0;
  readonly #connection: DriverConnection;
  readonly #name: string;
  #isClose = false;
  /** The key of the leader told of last, while it looks closely. */
  #last = "";
  #told: () => void = () => {};

  constructor(connection: DriverConnection, name: string) {
    this.#connection = connection;
    this.#name = name;
  }

  /** Begins; resolves with the first answer. */
  open(): Promise<void> {
    const stream = this.#connection.open(observe.path, this);
    stream.send(observe.request.encode(observe.request.create({ name: byteStringFromText(this.#name) })));
    stream.halfClose();
    return new Promise((resolve) => {
      this.#told = resolve;
    });
  }

  /** From now on every answer counts, also for `toldOf`. */
  lookClosely(): void {
    this.#isClose = true;
    this.#last = "";
  }

  /** Resolves when the last answer named this key; then it looks at samples again. */
  async toldOf(key: string): Promise<void> {
    while (this.#last !== key) {
      await new Promise<void>((resolve) => {
        this.#told = resolve;
      });
    }
    this.#isClose = false;
  }

  message(chunk: Uint8Array, from: number, to: number): void {
    this.count += 1;
    if (this.#isClose || this.count % sampleEvery === 1) this.#look(observe.response.decode(chunk, from, to));
  }

  end(status: number, text: string): void {
    throw new Error(`Observe ended with status ${status}: ${text}`);
  }

  #look({ kv }: LeaderResponse): void {
    if (kv?.key.startsWith(`${this.#name}/`) !== true) throw new Error(`an observer was told of the key ${kv?.key}`);
    this.#last = kv.key;
    this.#told();
  }
}
