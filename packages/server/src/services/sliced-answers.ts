/**
 * Answers with very many pairs in a transaction or a delete: encoded in slices between other work, once the command has been
 * applied (fault-model F14). What they say was settled then; versions do not change.
 *
 * They take turns, a slice each. Ranges outside of transactions are for `large-ranges.ts`, which reads them in slices too.
 */
import {
  createDeleteRangeResponse,
  createRangeResponse,
  type DeleteRangeResponse,
  encodeSharedDeleteRangeResponse,
  encodeSharedRangeResponse,
  encodeSharedTxnResponse,
  fieldTag,
  type KeyValue,
  type RangeResponse,
  type ResponseOp,
  type TxnResponse,
  WireType,
  Writer,
} from "@holdfast/protocol";
import type { ServerCall } from "@holdfast/transport";
import { encodeDeleteRangeAnswer, encodeTxnAnswer } from "./answers.js";
import type { ServiceContext } from "./context.js";

const responsesTag = fieldTag(3, WireType.lengthDelimited);
const rangeTag = fieldTag(1, WireType.lengthDelimited);
const deleteRangeTag = fieldTag(3, WireType.lengthDelimited);
const txnTag = fieldTag(4, WireType.lengthDelimited);

/** The parts of a message, pausing after each slice of work. */
type Making = Generator<void, Uint8Array[]>;

interface Job {
  readonly call: ServerCall;
  readonly making: Making;
}

export class SlicedAnswers {
  readonly #context: ServiceContext;
  readonly #jobs: Job[] = [];
  readonly #writer = new Writer();
  /** Of the slice under way. */
  #keysLeft = 0;
  #bytesLeft = 0;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  /** Answers with what the core said. */
  txn(call: ServerCall, response: TxnResponse): void {
    const isSmall = pairsOfTxn(response) <= this.#context.limits.rangeSliceKeys;
    if (isSmall) call.reply(encodeTxnAnswer(this.#context, response));
    else this.#add(call, this.#txnParts(this.#context.withHeader(response)));
  }

  /** As `txn`. */
  deleteRange(call: ServerCall, response: DeleteRangeResponse): void {
    const isSmall = response.prevKvs.length <= this.#context.limits.rangeSliceKeys;
    if (isSmall) call.reply(encodeDeleteRangeAnswer(this.#context, response));
    else this.#add(call, this.#deleteRangeParts(this.#context.withHeader(response)));
  }

  #add(call: ServerCall, making: Making): void {
    this.#jobs.push({ call, making });
    if (this.#jobs.length === 1) this.#context.environment.defer(() => this.#turn());
  }

  #turn(): void {
    const job = this.#jobs.shift();
    if (job !== undefined && !job.call.ended) {
      this.#keysLeft = this.#context.limits.rangeSliceKeys;
      this.#bytesLeft = this.#context.limits.rangeSliceBytes;
      const step = job.making.next();
      if (step.done === true) job.call.replyParts(step.value);
      else this.#jobs.push(job);
    }
    if (this.#jobs.length > 0) this.#context.environment.defer(() => this.#turn());
  }

  *#txnParts(response: TxnResponse): Making {
    const parts: Uint8Array[] = [encodeSharedTxnResponse({ ...response, responses: [] }).slice()];
    for (const operation of response.responses) parts.push(...(yield* this.#operationParts(operation)));
    return parts;
  }

  /** One of the responses of a transaction, as a field of it. */
  *#operationParts(operation: ResponseOp): Making {
    const { responseRange, responseDeleteRange, responseTxn } = operation;
    if (responseRange !== undefined) return this.#operation(rangeTag, yield* this.#rangeParts(responseRange));
    if (responseTxn !== undefined) return this.#operation(txnTag, yield* this.#txnParts(responseTxn));
    if (responseDeleteRange !== undefined) {
      return this.#operation(deleteRangeTag, yield* this.#deleteRangeParts(responseDeleteRange));
    }
    return [encodeSharedTxnResponse({ header: undefined, succeeded: false, responses: [operation] }).slice()];
  }

  *#rangeParts({ kvs, ...rest }: RangeResponse): Making {
    const { header, more, count } = rest;
    const parts: Uint8Array[] = [encodeSharedRangeResponse(createRangeResponse({ header })).slice()];
    const encode = (pairs: readonly KeyValue[]) => encodeSharedRangeResponse(createRangeResponse({ kvs: pairs }));
    parts.push(...(yield* this.#pairParts(kvs, encode)));
    parts.push(encodeSharedRangeResponse(createRangeResponse({ more, count })).slice());
    return parts;
  }

  *#deleteRangeParts({ prevKvs, ...rest }: DeleteRangeResponse): Making {
    const parts: Uint8Array[] = [encodeSharedDeleteRangeResponse(createDeleteRangeResponse(rest)).slice()];
    const encode = (pairs: readonly KeyValue[]) =>
      encodeSharedDeleteRangeResponse(createDeleteRangeResponse({ prevKvs: pairs }));
    parts.push(...(yield* this.#pairParts(prevKvs, encode)));
    return parts;
  }

  /** The encodings of messages that hold nothing but some of the pairs each: one behind the other they are that of all. */
  *#pairParts(pairs: readonly KeyValue[], encode: (pairs: readonly KeyValue[]) => Uint8Array): Making {
    const parts: Uint8Array[] = [];
    for (let start = 0; start < pairs.length; ) {
      if (this.#keysLeft <= 0 || this.#bytesLeft <= 0) yield;
      let end = start;
      for (; end < pairs.length && this.#keysLeft > 0 && this.#bytesLeft > 0; end++) {
        this.#keysLeft -= 1;
        this.#bytesLeft -= pairs[end]!.value.length;
      }
      parts.push(encode(pairs.slice(start, end)).slice());
      start = end;
    }
    return parts;
  }

  /** `ResponseOp` with these parts as its field `tag`, as a field of `TxnResponse`. */
  #operation(tag: number, parts: Uint8Array[]): Uint8Array[] {
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    const inner = this.#head(tag, bytes);
    return [this.#head(responsesTag, inner.length + bytes), inner, ...parts];
  }

  #head(tag: number, bytes: number): Uint8Array {
    this.#writer.reset();
    this.#writer.tag(tag);
    this.#writer.varint32(bytes);
    return this.#writer.copy();
  }
}

function pairsOfTxn({ responses }: TxnResponse): number {
  let pairs = 0;
  for (const { responseRange, responseDeleteRange, responseTxn } of responses) {
    if (responseRange !== undefined) pairs += responseRange.kvs.length;
    else if (responseDeleteRange !== undefined) pairs += responseDeleteRange.prevKvs.length;
    else if (responseTxn !== undefined) pairs += pairsOfTxn(responseTxn);
  }
  return pairs;
}
