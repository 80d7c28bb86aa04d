/**
 * From proposal to applied command: batches what waits, keeps one append in flight, applies what became
 * durable in order, and tells every proposer exactly once what became of it.
 *
 * Everything that arrives while the disk is busy joins the next entry (group commit), so the number
 * of syncs follows the disk and not the number of callers. What applying means is the caller's.
 */
import type { AppendResult, Log } from "@holdfast/log";
import { type Caller, type Command, callerBytes } from "@holdfast/state-machine";
import { Batch } from "./batch.js";
import type { Environment } from "./environment.js";
import type { ReplicaLimits } from "./limits.js";
import type { ProposalFailure, Proposer } from "./proposer.js";

/** Emptied batches kept for use anew: one in flight, one open, and some for a burst. */
const spareBatchesMax = 8;

export interface ProposalQueueOptions {
  readonly log: Log;
  readonly environment: Environment;
  readonly limits: ReplicaLimits;
  /** Applies one durable command and tells its proposer. */
  readonly apply: (command: Command, caller: Caller | undefined, proposer: Proposer) => void;
  /** Called after each entry was applied. */
  readonly applied: (index: number, payloadBytes: number) => void;
  /** The log can no longer be written: nothing more will be acknowledged. */
  readonly onFatal: (cause: Error) => void;
}

export class ProposalQueue {
  readonly #options: ProposalQueueOptions;
  /** Batches in the order they will be appended; new proposals join the last. */
  readonly #waiting: Batch[] = [];
  readonly #spare: Batch[] = [];
  #inFlight: Batch | undefined;
  #flushScheduled = false;
  #waitingProposals = 0;
  #waitingBytes = 0;
  #stopped = false;
  #whenIdle: (() => void) | undefined;
  #idle: Promise<void> | undefined;

  constructor(options: ProposalQueueOptions) {
    this.#options = options;
  }

  /** Whether everything that comes is refused: after `stop`, or because the log has failed. */
  get isStopped(): boolean {
    return this.#stopped;
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
    this.#openBatch(bytes).add(command, body, proposer, caller);
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
    const full = this.#waitingProposals >= limits.waitingProposals || this.#waitingBytes + bytes > limits.waitingBytes;
    return full ? "too-many-requests" : undefined;
  }

  #openBatch(bytes: number): Batch {
    const { batchBytes, batchCommands } = this.#options.limits;
    const last = this.#waiting[this.#waiting.length - 1];
    const fits =
      last !== undefined && last.commands.length < batchCommands && (last.isEmpty || last.bytes + bytes <= batchBytes);
    if (fits) return last;
    const batch = this.#spare.pop() ?? new Batch();
    this.#waiting.push(batch);
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
    this.#options.log.append(batch.payload, (result) => this.#appended(batch, result));
  }

  #appended(batch: Batch, result: AppendResult): void {
    this.#inFlight = undefined;
    const payloadBytes = batch.bytes;
    this.#waitingProposals -= batch.commands.length;
    this.#waitingBytes -= payloadBytes - 1 - 5 * batch.commands.length;
    // The next entry is written while this one is applied.
    if (result.fate === "unknown") this.#fail(batch, result.cause);
    else {
      this.#appendNext();
      if (result.fate === "stored") this.#applyAll(batch, result.index, payloadBytes);
      else for (const proposer of batch.proposers) proposer.failed(failureOf(result.why));
    }
    batch.clear(2 * this.#options.limits.batchBytes);
    if (this.#spare.length < spareBatchesMax) this.#spare.push(batch);
  }

  #applyAll(batch: Batch, index: number, payloadBytes: number): void {
    const { commands, proposers } = batch;
    for (let i = 0; i < commands.length; i++) {
      this.#options.apply(commands[i] as Command, batch.callerAt(i), proposers[i] as Proposer);
    }
    this.#options.applied(index, payloadBytes);
  }

  /** The fate of one entry is unknown: nothing behind it may be appended, so nothing is. */
  #fail(batch: Batch, cause: Error): void {
    this.#stopped = true;
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
