/**
 * From proposal to applied command: batches what waits, keeps one append in flight, applies what became
 * durable in order, and tells every proposer exactly once what became of it.
 *
 * Everything that arrives while the disk is busy joins the next entry (group commit), so the number
 * of syncs follows the disk and not the number of callers. What applying means is the caller's.
 */
import type { AppendResult, Log } from "@holdfast/log";
import { type Caller, type Command, callerBytes, growthOf, systemCaller } from "@holdfast/state-machine";
import { Batch, operationsOf } from "./batch.js";
import type { Environment } from "./environment.js";
import type { ReplicaLimits } from "./limits.js";
import type { ProposalFailure, Proposer } from "./proposer.js";
import { unappliable } from "./unappliable-entry.js";

/** Memory of emptied batches that is kept for use anew: what a burst of large values fills, since new memory costs more than copying. */
const spareBytesMax = 16 * 1024 * 1024;
/** And how many, for many small ones: one in flight, one open, and some for a burst. */
const spareBatchesMax = 32;

export interface ProposalQueueOptions {
  readonly log: Log;
  readonly environment: Environment;
  readonly limits: ReplicaLimits;
  /** Applies one durable command and tells its proposer. Throws `ApplyFailure`, which stops everything. */
  readonly apply: (command: Command, caller: Caller | undefined, proposer: Proposer) => void;
  /** Whether a command would change anything if it were applied now; asked while the log has no room. */
  readonly hasEffect: (command: Command, caller: Caller | undefined) => boolean;
  /** Called after each entry was applied. */
  readonly applied: (index: number, payloadBytes: number, commands: number) => void;
  /** The log has no room for something. To be followed by one call of `refuse`, which tells whose commands it was. */
  readonly onFull: (refuse: () => void) => void;
  /** The log can no longer be written: nothing more will be acknowledged. */
  readonly onFatal: (cause: Error) => void;
}

export class ProposalQueue {
  readonly #options: ProposalQueueOptions;
  /** Batches in the order they will be appended; new proposals join the last. */
  readonly #waiting: Batch[] = [];
  readonly #spare: Batch[] = [];
  /** The memory they hold. */
  #spareBytes = 0;
  #inFlight: Batch | undefined;
  #flushScheduled = false;
  #waitingProposals = 0;
  #waitingBytes = 0;
  /** Proposals refused because as many, or as many bytes, waited as may; for the metrics. */
  refusedForCount = 0;
  refusedForBytes = 0;
  #stopped = false;
  /** Whether the log had no room for the last entry that might take nothing of its reserve. */
  #isFull = false;
  /** Whether applying threw: the state is not what the log says, and nothing more may come of it (fault-model F10, I11). */
  #isBroken = false;
  /** Whether the fate of an entry is unknown. */
  #isInDoubt = false;
  #whenIdle: (() => void) | undefined;
  #idle: Promise<void> | undefined;

  constructor(options: ProposalQueueOptions) {
    this.#options = options;
  }

  /** Whether everything that comes is refused: after `stop`, or because the log has failed. */
  get isStopped(): boolean {
    return this.#stopped;
  }

  /** Whether the state is what the log says, as far as it is known. */
  get isSound(): boolean {
    return !this.#isBroken && !this.#isInDoubt;
  }

  /** Proposals that wait for the log, in flight included. */
  get waitingProposals(): number {
    return this.#waitingProposals;
  }

  /** The bytes of their encodings. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Hands a command to the log, asked for by `caller`. `body` is the command's encoding without its kind byte; it is
   * copied before this returns. `internal` proposals (lease ends, clean-ups) are not refused for load.
   */
  add(command: Command, body: Uint8Array, proposer: Proposer, caller: Caller | undefined, internal: boolean): void {
    const bytes = body.length + callerBytes(caller);
    const refusal = this.#refusal(bytes, internal);
    if (refusal !== undefined) {
      proposer.failed(refusal);
      return;
    }
    const operations = operationsOf(command);
    this.#openBatch(bytes, operations).add(command, body, proposer, caller, operations);
    this.#waitingProposals++;
    this.#waitingBytes += bytes;
    if (this.#inFlight === undefined) this.#scheduleFlush();
  }

  /** Refuses what comes from now on, and resolves once what was accepted is decided. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#idle ??= new Promise((resolve) => {
      if (this.#waitingProposals === 0) resolve();
      else this.#whenIdle = resolve;
    });
    return this.#idle;
  }

  #refusal(bytes: number, internal: boolean): ProposalFailure | undefined {
    const { limits } = this.#options;
    if (this.#stopped) return "stopped";
    if (internal) return undefined;
    if (this.#waitingProposals >= limits.waitingProposals) this.refusedForCount += 1;
    else if (this.#waitingBytes + bytes > limits.waitingBytes) this.refusedForBytes += 1;
    else return undefined;
    return "too-many-requests";
  }

  #openBatch(bytes: number, operations: number): Batch {
    const { batchBytes, batchOperations } = this.#options.limits;
    const last = this.#waiting[this.#waiting.length - 1];
    const fits =
      last !== undefined &&
      (last.isEmpty || (last.operations + operations <= batchOperations && last.bytes + bytes <= batchBytes));
    if (fits) return last;
    const batch = this.#newBatch();
    this.#waiting.push(batch);
    return batch;
  }

  #newBatch(): Batch {
    const batch = this.#spare.pop();
    if (batch === undefined) return new Batch();
    this.#spareBytes -= batch.capacity;
    return batch;
  }

  /** Waits until the input of this turn has been read, so that all of it shares one sync. */
  #scheduleFlush(): void {
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    this.#options.environment.defer(() => {
      this.#flushScheduled = false;
      if (this.#inFlight === undefined) this.#appendNext();
    });
  }

  #appendNext(): void {
    const batch = this.#waiting.shift();
    this.#inFlight = batch;
    if (batch === undefined) {
      this.#whenIdle?.();
      return;
    }
    // While there is no room, no more is asked for than is needed: looking for room takes the disk's time.
    if (this.#isFull && batch.reserveShare === 0) batch.reserveShare = batch.leastShare(this.#shareOf);
    this.#options.log.append(batch.payload, (result) => this.#appended(batch, result), batch.reserveShare);
  }

  #appended(batch: Batch, result: AppendResult): void {
    if (this.#isBroken) return;
    this.#inFlight = undefined;
    const payloadBytes = batch.bytes;
    this.#waitingProposals -= batch.commands.length;
    this.#waitingBytes -= payloadBytes - 1 - 5 * batch.commands.length;
    if (result.fate === "unknown") this.#fail(batch, result.cause);
    else if (result.fate === "stored") {
      if (batch.reserveShare === 0) this.#isFull = false;
      // The next entry is written while this one is applied, unless it depends on the state whether it may be written.
      if (!this.#isFull) this.#appendNext();
      this.#applyAll(batch, result.index, payloadBytes);
      if (this.#isFull) this.#appendNext();
    } else if (result.why === "full" && batch.reserveShare < 1) this.#keepWhatMayUseMore(batch);
    else {
      this.#appendNext();
      for (const proposer of batch.proposers) proposer.failed(failureOf(result.why));
    }
    this.#keep(batch);
  }

  #keep(batch: Batch): void {
    batch.clear();
    if (this.#spare.length >= spareBatchesMax || this.#spareBytes + batch.capacity > spareBytesMax) return;
    this.#spare.push(batch);
    this.#spareBytes += batch.capacity;
  }

  #applyAll(batch: Batch, index: number, payloadBytes: number): void {
    const { commands, proposers } = batch;
    try {
      for (let i = 0; i < commands.length; i++) {
        this.#options.apply(commands[i] as Command, batch.callerAt(i), proposers[i] as Proposer);
      }
    } catch (error) {
      this.#stopped = true;
      this.#isBroken = true;
      throw unappliable(error, index, batch.payload);
    }
    this.#options.applied(index, payloadBytes, commands.length);
  }

  /**
   * The log has no room: what ends or frees something goes into its reserve, in front of all that came later, and the rest is
   * refused. Where the reserve has been used up as far as some may, others may go on.
   */
  #keepWhatMayUseMore(batch: Batch): void {
    // Whoever would grow the store finds an alarm, and so does the first who finds the disk full.
    const isToBeTold = !this.#isFull || batch.commands.some((command) => growthOf(command) > 0);
    this.#isFull = true;
    const kept = new Batch();
    const refused = batch.split(this.#shareOf, kept);
    if (!kept.isEmpty) {
      this.#waiting.unshift(kept);
      this.#waitingProposals += kept.commands.length;
      this.#waitingBytes += kept.bytes - 1 - 5 * kept.commands.length;
    }
    this.#appendNext();
    if (refused.length === 0) return;
    const refuse = (): void => {
      for (const proposer of refused) proposer.failed("no-space");
    };
    if (isToBeTold) this.#options.onFull(refuse);
    else refuse();
  }

  /**
   * How much of the log's reserve a command may help to use up (fault-model F6). None for what adds to the store, and of clients'
   * commands none for what changes nothing, or anybody could use it up for ever with deletes of keys that do not exist.
   */
  readonly #shareOf = (command: Command, caller: Caller | undefined, bytes: number): number => {
    if (growthOf(command) > 0) return 0;
    if (command.kind === "leaseExpire" || caller === systemCaller) return 1;
    const { reserveCommandBytes, reserveShareOfClients, reserveShareOfUpkeep } = this.#options.limits;
    if (bytes > reserveCommandBytes || !this.#options.hasEffect(command, caller)) return 0;
    return command.kind === "compact" || command.kind === "alarm" ? reserveShareOfUpkeep : reserveShareOfClients;
  };

  /** The fate of one entry is unknown: nothing behind it may be appended, so nothing is. */
  #fail(batch: Batch, cause: Error): void {
    this.#stopped = true;
    this.#isInDoubt = true;
    for (const proposer of batch.proposers) proposer.failed("unknown");
    for (const waiting of this.#waiting.splice(0)) {
      this.#waitingProposals -= waiting.commands.length;
      for (const proposer of waiting.proposers) proposer.failed("stopped");
    }
    this.#whenIdle?.();
    this.#options.onFatal(cause);
  }
}

function failureOf(why: "closed" | "full" | "too-large" | "not-owner"): ProposalFailure {
  switch (why) {
    case "full":
      return "no-space";
    case "too-large":
      return "too-large";
    case "closed":
    case "not-owner":
      return "stopped";
  }
}
