/**
 * Answers to ranges of very many keys: read at one revision, but in slices, so that keepalives and everything else go on in
 * between (fault-model F14, I2).
 *
 * One after another, because what is made of an answer is held until it is whole: many at once would take many times the
 * memory and be no sooner done.
 */
import { createRangeResponse, encodeSharedRangeResponse, type RangeRequest } from "@holdfast/protocol";
import type { LargeRange } from "@holdfast/state-machine";
import type { ServerCall } from "@holdfast/transport";
import type { ServiceContext } from "./context.js";
import { statusOfRefusal } from "./status.js";

/** How often a read is begun anew because a compaction overtook it, before it is done in one go. */
const restartsMax = 3;

interface Job {
  readonly request: RangeRequest;
  readonly call: ServerCall;
}

export class LargeRanges {
  readonly #context: ServiceContext;
  readonly #waiting: Job[] = [];
  #isBusy = false;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** Ranges that wait for their turn, without the one that is being read. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Answers a request that is not refused, and whose caller may read it. */
  answer(request: RangeRequest, call: ServerCall): void {
    this.#waiting.push({ request, call });
    if (!this.#isBusy) this.#next();
  }

  #next(): void {
    const job = this.#waiting.shift();
    this.#isBusy = job !== undefined;
    if (job !== undefined) new Reading(this.#context, job, () => this.#next()).start();
  }
}

class Reading {
  readonly #context: ServiceContext;
  readonly #job: Job;
  readonly #done: () => void;
  #restarts = 0;
  #range: LargeRange;
  #parts: Uint8Array[] = [];
  #sliceKeys: number;

  constructor(context: ServiceContext, job: Job, done: () => void) {
    this.#context = context;
    this.#job = job;
    this.#done = done;
    this.#range = context.replica.machine.largeRange(job.request);
    this.#sliceKeys = context.limits.rangeSliceKeys;
  }

  start(): void {
    const { machine } = this.#context.replica;
    const { revision } = this.#job.request;
    this.#range = machine.largeRange(this.#job.request);
    // The revision that was current when it was read (GEN-2), also where an older one is asked for.
    const header = this.#context.header(revision > 0 ? machine.revision : this.#range.revision);
    this.#parts = [encodeSharedRangeResponse(createRangeResponse({ header })).slice()];
    this.#later();
  }

  #later(): void {
    this.#context.environment.defer(() => {
      if (this.#job.call.ended) this.#done();
      else this.#slice();
    });
  }

  #slice(): void {
    const slice = this.#range.next(this.#sliceKeys);
    if (slice.kind === "refused") {
      this.#overtaken();
      return;
    }
    // The encodings one behind the other are the encoding of the whole: their fields are in its order.
    if (slice.kvs.length > 0) this.#add(encodeSharedRangeResponse(createRangeResponse({ kvs: slice.kvs })).slice());
    if (!slice.done) {
      this.#later();
      return;
    }
    const { more, count } = this.#range;
    this.#parts.push(encodeSharedRangeResponse(createRangeResponse({ more, count })).slice());
    this.#job.call.reply(Buffer.concat(this.#parts));
    this.#done();
  }

  #add(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    const { rangeSliceBytes, rangeSliceKeys } = this.#context.limits;
    if (bytes.length > rangeSliceBytes) this.#sliceKeys = Math.max(1, this.#sliceKeys >> 1);
    else if (bytes.length < rangeSliceBytes / 4) this.#sliceKeys = Math.min(rangeSliceKeys, this.#sliceKeys * 2);
  }

  /** A compaction has come past the revision that is read. Who asked for no particular one gets a newer one. */
  #overtaken(): void {
    const { request, call } = this.#job;
    if (request.revision <= 0 && this.#restarts < restartsMax) {
      this.#restarts += 1;
      this.start();
      return;
    }
    const outcome = this.#context.replica.machine.range(request);
    if (outcome.kind === "refused") call.end(statusOfRefusal(outcome.refusal));
    else call.reply(encodeSharedRangeResponse(this.#context.withHeader(outcome.response)));
    this.#done();
  }
}
