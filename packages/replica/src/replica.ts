/**
 * Joins the log and the state machine: propose, append, apply, answer.
 *
 * The only place that has met both. It owns what depends on real time or on being there (lease
 * deadlines, watchers, lock queues) and hands every applied command to them in the turn in which it was
 * applied. It speaks commands and outcomes; requests, statuses and streams belong to the server.
 */
import { type AppendWay, type Log, LogClosedError } from "@holdfast/log";
import {
  type Caller,
  type Command,
  encodeCommand,
  encodeSharedBody,
  loggedForm,
  type Outcome,
  type StateMachine,
  systemCaller,
} from "@holdfast/state-machine";
import { bytesInLog } from "./bytes-in-log.js";
import type { Environment } from "./environment.js";
import { type EndFate, Leases } from "./leases.js";
import { defaultReplicaLimits, type ReplicaLimits } from "./limits.js";
import { LockQueues } from "./locks/lock-queues.js";
import { Maintenance, SnapshotGivenUpError } from "./maintenance.js";
import { OperationCounts } from "./metrics/operation-counts.js";
import { ProposalQueue } from "./proposal-queue.js";
import type { Proposer } from "./proposer.js";
import { applyCommand, StateLoader } from "./state-loader.js";
import { WatchHub } from "./watch/watch-hub.js";

export interface ReplicaOptions {
  readonly log: Log;
  /** What `log` was opened with, if it was, and has been handed its state: it need not be read again. */
  readonly state?: StateLoader;
  readonly environment: Environment;
  readonly limits?: Partial<ReplicaLimits>;
  /** The least TTL: leases that were granted less are raised to it at the start (LEASE-40). None unless given. */
  readonly leaseTtlMinSeconds?: number;
  /** Storage failed for good: nothing is acknowledged any more; the server must stop. */
  readonly onFatal: (cause: Error) => void;
  /** The log had no room for something that adds to the store. Serving goes on. */
  readonly onFull?: () => void;
  /** A compaction or an alarm was applied. */
  readonly onUpkeep?: (command: Command, outcome: Outcome) => void;
  /** A snapshot failed; serving goes on. */
  readonly onSnapshotFailure?: (cause: unknown) => void;
  /** Whether the log is there for a later start, so that closing may leave it a snapshot. Default true. */
  readonly isLogLasting?: boolean;
  /** Closing left no snapshot where it should have: the next start takes longer, and nothing is lost. */
  readonly onStopSnapshotFailure?: (cause: unknown) => void;
}

export class Replica {
  readonly machine: StateMachine;
  readonly watches: WatchHub;
  readonly locks: LockQueues;
  readonly leases: Leases;
  readonly operations = new OperationCounts();
  /** Comes before those are told for whose commands the log has no room; must call `refuse` once. */
  beforeFullIsTold: (refuse: () => void) => void = (refuse) => refuse();
  readonly #log: Log;
  readonly #onUpkeep: ((command: Command, outcome: Outcome) => void) | undefined;
  readonly #proposals: ProposalQueue;
  readonly #maintenance: Maintenance;
  readonly #onSnapshotFailure: (cause: unknown) => void;
  readonly #environment: Environment;
  readonly #onStopSnapshotFailure: (cause: unknown) => void;
  readonly #isLogLasting: boolean;
  readonly #secondSnapshotMsMax: number;
  #appliedIndex: number;
  #defragmenting: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(machine: StateMachine, appliedIndex: number, options: ReplicaOptions) {
    const limits = { ...defaultReplicaLimits, ...options.limits };
    const { log, environment, onFatal } = options;
    // What is given up for a stop is no failure of the storage, and nothing is served any more.
    const onSnapshotFailure = (cause: unknown): void => {
      if (cause instanceof SnapshotGivenUpError) options.onStopSnapshotFailure?.(cause);
      else options.onSnapshotFailure?.(cause);
    };
    this.machine = machine;
    this.#log = log;
    this.#onUpkeep = options.onUpkeep;
    this.#onSnapshotFailure = onSnapshotFailure;
    this.#onStopSnapshotFailure = options.onStopSnapshotFailure ?? (() => {});
    this.#environment = environment;
    this.#isLogLasting = options.isLogLasting ?? true;
    this.#secondSnapshotMsMax = limits.stopSecondSnapshotMsMax;
    this.#appliedIndex = appliedIndex;
    this.locks = new LockQueues(machine, environment, limits);
    this.watches = new WatchHub(machine, environment, limits);
    this.leases = new Leases({
      environment,
      limits,
      keysOf: (leaseId) => machine.lease(leaseId)?.keys.size ?? 0,
      expire: (command, done) => this.#expire(command, done),
    });
    this.#maintenance = new Maintenance({ log, machine, environment, limits, onSnapshotFailure });
    this.#proposals = new ProposalQueue({
      log,
      environment,
      limits,
      onFatal,
      onFull: (refuse) => {
        options.onFull?.();
        this.beforeFullIsTold(refuse);
      },
      apply: (command, caller, proposer) => this.#apply(command, caller, proposer),
      hasEffect: (command, caller) => machine.hasEffect(command, caller),
      applied: (index, payloadBytes, commands) => this.#applied(index, payloadBytes, commands),
    });
  }

  /**
   * Opens the newest snapshot, replays the log behind it, becomes the owner and starts the leases, each
   * at its full TTL. Throws what the log and the snapshot throw when they are damaged, and `UnappliableEntryError`.
   */
  static async start(options: ReplicaOptions): Promise<Replica> {
    const { log, state = new StateLoader() } = options;
    if (!state.hasRead(log)) await state.read(log);
    const loaded = state.finish();
    const { machine } = loaded;
    await log.acquire();
    // What is behind it is the log's own, such as the mark of who owns it.
    const appliedIndex = log.lastIndex;
    const replica = new Replica(machine, appliedIndex, options);
    replica.leases.start(machine.leases(), options.leaseTtlMinSeconds);
    replica.#maintenance.resume(appliedIndex, loaded);
    return replica;
  }

  /** The log's epoch, shown to clients as the raft term: grows with every start (GEN-11). */
  get epoch(): number {
    return this.#log.epoch;
  }

  get appliedIndex(): number {
    return this.#appliedIndex;
  }

  get committedIndex(): number {
    return this.#log.lastIndex;
  }

  /** Bytes of the log and its snapshots, without the space that is only held ready. */
  get bytesOnDisk(): number {
    const { bytesOnDisk, bytesReserved } = this.#log.usage();
    return bytesOnDisk - bytesReserved;
  }

  /** The way an entry takes until it is durable. */
  get appendWay(): AppendWay {
    return this.#log.usage().appendWay;
  }

  /** False once it is closed or its log has failed: nothing it says is current any more. */
  get isServing(): boolean {
    return !this.#proposals.isStopped;
  }

  get waitingProposals(): number {
    return this.#proposals.waitingProposals;
  }

  /** Proposals refused because as many waited for the log as may. */
  get refusedForCount(): number {
    return this.#proposals.refusedForCount;
  }

  /** Proposals refused because as many bytes waited for the log as may. */
  get refusedForBytes(): number {
    return this.#proposals.refusedForBytes;
  }

  /** Bytes of the commands that wait for the log. */
  get waitingBytes(): number {
    return this.#proposals.waitingBytes;
  }

  /**
   * Proposes a command on behalf of `caller`, whose permissions are looked at when the command is applied. The proposer
   * is told exactly once: of a refusal at once, else later.
   */
  propose(command: Command, proposer: Proposer, caller?: Caller): void {
    const encoded = encodeCommand(command);
    const logged = loggedForm(command, encoded);
    this.#proposals.add(logged, encoded.subarray(1), proposer, caller, false);
  }

  /**
   * Proposes a command whose encoding the caller already has: `body` is `encodeCommand(command)` without
   * its first byte, and is copied before this returns. The hot path of Put: the bytes of the
   * request are the bytes of the log. Values longer than `lentBytesMin` may be views of `body`: they
   * are then taken from the copy, in `command` itself. All else of it must last.
   */
  proposeEncoded(command: Command, body: Uint8Array, proposer: Proposer, caller?: Caller): void {
    this.#proposals.add(command, body, proposer, caller, false);
  }

  /** Proposes, in the server's own name, what must be refused neither for load nor for want of permission. */
  proposeInternal(command: Command, proposer: Proposer): void {
    // Only the server ever proposes the end of a lease, so that nobody needs to be named.
    const caller = command.kind === "leaseExpire" ? undefined : systemCaller;
    this.#proposals.add(command, encodeSharedBody(command), proposer, caller, true);
  }

  /**
   * Runs `read` when the applied state covers everything acknowledged before this call. The owner of a
   * log on this machine acknowledges nothing before it is applied here, so that is now.
   */
  whenCurrent(read: () => void): void {
    read();
  }

  /** Calls `done` once history below the compaction point is really gone (COMP-5). */
  whenSwept(done: () => void): void {
    this.#maintenance.sweep(done);
  }

  /** Takes a snapshot now and discards the log behind it. Rejects when it cannot be stored; serving goes on. */
  snapshot(): Promise<void> {
    return this.#maintenance.snapshot(this.#appliedIndex);
  }

  /**
   * As `snapshot`, and a second one where the log would else be kept for the sake of an older one: afterwards two snapshots of
   * the present state are all there is but for the segment in use. Joins one that is under way. Rejects when a snapshot cannot
   * be stored, and says so as for one that nobody asked for; serving goes on.
   */
  defragment(): Promise<void> {
    this.#defragmenting ??= this.#condense(false, () => !this.#proposals.isStopped)
      .catch((error) => {
        this.#onSnapshotFailure(error);
        throw error;
      })
      .finally(() => {
        this.#defragmenting = undefined;
      });
    return this.#defragmenting;
  }

  /**
   * Refuses new proposals, settles the accepted ones, and closes the log. Where the next start would have much to read, it is
   * left snapshots instead, as `defragment` makes them, or one if that takes long; they are given up when they take too long
   * (`stopSnapshotMsMax`). The same promise every time.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.leases.stop();
    await this.#proposals.stop();
    await this.#maintenance.stop();
    await this.#defragmenting?.catch(() => {});
    await this.#leaveSnapshots().catch((cause: unknown) => {
      // It has been said already why a log is closed.
      if (!(cause instanceof LogClosedError)) this.#onStopSnapshotFailure(cause);
    });
    await this.#log.close();
  }

  async #leaveSnapshots(): Promise<void> {
    // Of a state in doubt nothing may come.
    if (!this.#isLogLasting || !this.#proposals.isSound || !this.#maintenance.isDueAtStop) return;
    const untilMs = this.#environment.nowMs() + this.#secondSnapshotMsMax;
    await this.#condense(true, () => this.#environment.nowMs() <= untilMs);
  }

  /**
   * Two snapshots of the present state, and no log before them, unless it must not go on after the first. With `isSeparate` not
   * even the segment in use, which takes a new one.
   */
  async #condense(isSeparate: boolean, mayGoOn: () => boolean): Promise<void> {
    await this.snapshot();
    if (!mayGoOn()) return;
    const marked = await this.#log.markForSnapshot(isSeparate);
    if (marked === undefined || !mayGoOn()) return;
    // What was stored before it has been applied, and there is nothing in it.
    this.#appliedIndex = Math.max(this.#appliedIndex, marked);
    await this.snapshot();
  }

  #apply(command: Command, caller: Caller | undefined, proposer: Proposer): void {
    const outcome = applyCommand(this.machine, command, caller);
    const { changes, leaseChanges } = this.machine;
    this.operations.count(outcome, changes.length);
    if (leaseChanges.length > 0) this.leases.observe(leaseChanges);
    if (changes.length > 0) {
      // The queues first: an observer told of a deletion asks at once who leads now.
      this.locks.observe(changes, command, outcome);
      this.watches.publish(changes);
    }
    if (outcome.kind === "compact") this.#maintenance.sweep();
    if (outcome.kind === "compact" || outcome.kind === "alarm") this.#onUpkeep?.(command, outcome);
    proposer.settled(outcome);
  }

  #applied(index: number, payloadBytes: number, commands: number): void {
    this.#appliedIndex = index;
    this.#maintenance.applied(index, bytesInLog(payloadBytes), commands);
  }

  #expire(command: Command, done: (fate: EndFate) => void): void {
    this.proposeInternal(command, {
      settled: (_outcome: Outcome) => done("applied"),
      failed: (failure) => done(failure === "unknown" ? "unknown" : "refused"),
    });
  }
}
