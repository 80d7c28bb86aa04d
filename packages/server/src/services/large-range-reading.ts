/** One large range on its way to its answer; when it goes on is for `large-ranges.ts` to say. */
import { createRangeResponse, encodeSharedRangeResponse, type RangeRequest } from "@holdfast/protocol";
import type { Caller, LargeRange } from "@holdfast/state-machine";
import type { ServerCall } from "@holdfast/transport";
import type { ServiceContext } from "./context.js";
import { refuse } from "./method.js";

/** How often a read is begun anew because a compaction overtook it, before it is done in one go. */
const restartsMax = 3;

export class LargeRangeReading {
  readonly call: ServerCall;
  readonly #context: ServiceContext;
  readonly #request: RangeRequest;
  readonly #caller: Caller | undefined;
  #restarts = 0;
  #range: LargeRange | undefined;
  #parts: Uint8Array[] = [];
  #sliceKeys: number;

  constructor(context: ServiceContext, request: RangeRequest, call: ServerCall, caller: Caller | undefined) {
    this.#context = context;
    this.#request = request;
    this.call = call;
    this.#caller = caller;
    this.#sliceKeys = context.limits.rangeSliceKeys;
  }

  /** Begins to read what is there now. False if the call has ended. */
  start(): boolean {
    if (this.#isOver()) return false;
    const { machine } = this.#context.replica;
    this.#range = machine.largeRange(this.#request);
    // The revision that was current when it was read (GEN-2), also where an older one is asked for.
    const header = this.#context.header(machine.revision);
    this.#parts = [encodeSharedRangeResponse(createRangeResponse({ header })).slice()];
    return true;
  }

  /** Reads one slice more, of what was begun. False if the call has ended: answered, refused or given up. */
  goOn(): boolean {
    if (this.#range === undefined || this.#isOver()) return false;
    const slice = this.#range.next(this.#sliceKeys);
    if (slice.kind === "refused") return this.#overtaken();
    // The encodings one behind the other are the encoding of the whole: their fields are in its order.
    if (slice.kvs.length > 0) this.#add(encodeSharedRangeResponse(createRangeResponse({ kvs: slice.kvs })).slice());
    if (!slice.done) return true;
    const { more, count } = this.#range;
    this.#parts.push(encodeSharedRangeResponse(createRangeResponse({ more, count })).slice());
    this.call.replyParts(this.#parts);
    return false;
  }

  /** Whether nobody waits for the answer any more, or who does has lost the right to it (fault-model I13). */
  #isOver(): boolean {
    if (this.call.ended) return true;
    const { access } = this.#context;
    if (!access.enabled) return false;
    return refuse(this.call, access.refusal({ kind: "range", request: this.#request }, access.asOfNow(this.#caller)));
  }

  #add(bytes: Uint8Array): void {
    this.#parts.push(bytes);
    const { rangeSliceBytes, rangeSliceKeys } = this.#context.limits;
    if (bytes.length > rangeSliceBytes) this.#sliceKeys = Math.max(1, this.#sliceKeys >> 1);
    else if (bytes.length < rangeSliceBytes / 4) this.#sliceKeys = Math.min(rangeSliceKeys, this.#sliceKeys * 2);
  }

  /** A compaction has come past the revision that is read. Who asked for no particular one gets a newer one. */
  #overtaken(): boolean {
    if (this.#request.revision <= 0 && this.#restarts < restartsMax) {
      this.#restarts += 1;
      return this.start();
    }
    if (this.#isOver()) return false;
    const outcome = this.#context.replica.machine.range(this.#request);
    if (outcome.kind === "refused") refuse(this.call, outcome.refusal);
    else this.call.reply(encodeSharedRangeResponse(this.#context.withHeader(outcome.response)));
    return false;
  }
}
