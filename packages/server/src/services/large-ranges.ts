/**
 * Answers to ranges of very many keys: read at one revision, but in slices, so that keepalives and everything else go on in
 * between (fault-model F14, I2).
 *
 * What is made of an answer is held until it is whole, so only a few are made at a time. These take turns, a slice each, and
 * no connection has all of them: who wants little does not wait for all that others want. How one is read is in
 * `large-range-reading.ts`.
 */
import type { RangeRequest } from "@holdfast/protocol";
import type { Caller } from "@holdfast/state-machine";
import type { Peer, ServerCall } from "@holdfast/transport";
import type { ServiceContext } from "./context.js";
import { LargeRangeReading } from "./large-range-reading.js";

/** What one connection has asked for. */
interface Line {
  readonly waiting: LargeRangeReading[];
  /** How many of its ranges are being read. */
  open: number;
}

export class LargeRanges {
  readonly #context: ServiceContext;
  /** By the object that all calls of one connection share; who was served longest ago comes first. */
  readonly #lines = new Map<Peer, Line>();
  /** Those that are being read; the first has the next turn. */
  readonly #open: LargeRangeReading[] = [];
  readonly #openPerConnection: number;
  #isTurnDue = false;

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#openPerConnection = Math.max(1, context.limits.largeRangesAtOnce >> 1);
  }

  /**
   * Answers a request that is not refused, and which `caller`, who made it, may make. Whether they still may is asked again
   * whenever it goes on.
   */
  answer(request: RangeRequest, call: ServerCall, caller: Caller | undefined): void {
    const reading = new LargeRangeReading(this.#context, request, call, caller);
    const line = this.#lines.get(call.peer);
    if (line === undefined) this.#lines.set(call.peer, { waiting: [reading], open: 0 });
    else line.waiting.push(reading);
    this.#begin();
  }

  /** Begins as many as may be read at once. */
  #begin(): void {
    while (this.#open.length < this.#context.limits.largeRangesAtOnce) {
      const next = this.#takeWaiting();
      if (next === undefined) break;
      if (next.start()) this.#open.push(next);
      else this.#leave(next);
    }
    if (this.#isTurnDue || this.#open.length === 0) return;
    this.#isTurnDue = true;
    this.#context.environment.defer(() => this.#turn());
  }

  /** Passes over no more connections than there are readings open. */
  #takeWaiting(): LargeRangeReading | undefined {
    for (const [peer, line] of this.#lines) {
      if (line.open >= this.#openPerConnection) continue;
      const next = line.waiting.shift();
      if (next === undefined) continue;
      line.open += 1;
      this.#lines.delete(peer);
      this.#lines.set(peer, line);
      return next;
    }
    return undefined;
  }

  #turn(): void {
    this.#isTurnDue = false;
    const reading = this.#open.shift();
    if (reading?.goOn() === true) this.#open.push(reading);
    else if (reading !== undefined) this.#leave(reading);
    this.#begin();
  }

  #leave({ call: { peer } }: LargeRangeReading): void {
    const line = this.#lines.get(peer);
    if (line === undefined) return;
    line.open -= 1;
    if (line.open === 0 && line.waiting.length === 0) this.#lines.delete(peer);
  }
}
