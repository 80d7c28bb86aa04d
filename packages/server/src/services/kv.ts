/**
 * The KV service: checks the shape, hands the command or query on, fills in the header.
 *
 * What a request means, and who may do it, is decided in the state machine; sizes, shapes and bad tokens are refused here,
 * before anything is logged (ORD-1 to ORD-3).
 */
import {
  type CompactionRequest,
  type DeleteRangeRequest,
  encodeSharedCompactionResponse,
  etcdErrors,
  kvService,
  type PutRequest,
  type RangeRequest,
  type TxnRequest,
} from "@holdfast/protocol";
import { type Command, checkDeleteRange, checkPut, checkRange, checkTxn, isReadOnlyTxn } from "@holdfast/state-machine";
import type { Method, ServerCall } from "@holdfast/transport";
import { refuseToken } from "../access/access.js";
import { isRequestTooLarge, transactionItemsMax } from "../limits.js";
import { encodePutAnswer, encodeRangeAnswer } from "./answers.js";
import type { ServiceContext } from "./context.js";
import { LargeRanges } from "./large-ranges.js";
import { CallProposer, type OutcomeOf, refuse, SlicedCallProposer, unary } from "./method.js";
import { rangeStreamMethod } from "./range-stream.js";
import { SlicedAnswers } from "./sliced-answers.js";
import { statusOf, statusOfFailure } from "./status.js";
import { TxnLimits } from "./txn-limits.js";

const methods = kvService.methods;

export function kvMethods(context: ServiceContext): Method[] {
  const kv = new KvService(context);
  return [
    unary(context, methods.range, (request, call) => kv.range(request, call)),
    unary(context, methods.put, (request, call, bytes) => kv.put(request, call, bytes), { keepsNothing: true }),
    unary(context, methods.deleteRange, (request, call, bytes) => kv.deleteRange(request, call, bytes)),
    unary(context, methods.txn, (request, call, bytes) => kv.txn(request, call, bytes), {
      keepsNothing: true,
      bound: {
        itemsMax: transactionItemsMax(context.limits),
        limit: "transactionOperations",
        error: etcdErrors.tooManyOps,
      },
    }),
    unary(context, methods.compact, (request, call) => kv.compact(request, call)),
    rangeStreamMethod(context),
  ];
}

class KvService {
  readonly #context: ServiceContext;
  readonly #largeRanges: LargeRanges;
  readonly #txnLimits: TxnLimits;
  readonly #answers: SlicedAnswers;
  // Of the service and not of the call, which then needs no function of its own.
  readonly #answerPut = ({ response }: OutcomeOf<"put">) => encodePutAnswer(this.#context, response);
  readonly #answerDelete = (call: ServerCall, { response }: OutcomeOf<"deleteRange">) =>
    this.#answers.deleteRange(call, response);
  readonly #answerTxn = (call: ServerCall, { response }: OutcomeOf<"txn">) => this.#answers.txn(call, response);

  constructor(context: ServiceContext) {
    this.#context = context;
    this.#txnLimits = new TxnLimits(context.replica, context.limits, context.limitHits);
    this.#largeRanges = new LargeRanges(context);
    this.#answers = new SlicedAnswers(context);
  }

  range(request: RangeRequest, call: ServerCall): void {
    if (refuse(call, checkRange(request))) return;
    const { replica, access, limits } = this.#context;
    const answer = (): void => {
      const caller = access.identify(call);
      if (refuseToken(call, caller)) return;
      if (access.enabled && refuse(call, access.refusal({ kind: "range", request }, caller))) return;
      if (replica.machine.isLargeRange(request, limits.rangeSliceKeys)) {
        if (!refuse(call, replica.machine.rangeRefusal(request))) this.#largeRanges.answer(request, call, caller);
        return;
      }
      const outcome = replica.machine.range(request);
      if (outcome.kind === "refused") refuse(call, outcome.refusal);
      else call.reply(encodeRangeAnswer(this.#context, outcome.response));
    };
    if (request.serializable) answer();
    else replica.whenCurrent(answer);
  }

  /** Keeps nothing of the request: the log copies its bytes, and then the value is a part of that copy. So does `txn`. */
  put(request: PutRequest, call: ServerCall, bytes: Uint8Array): void {
    const command: Command = { kind: "put", request };
    // The size of the store is etcd's first question, before even the shape (ORD-1).
    if (this.#context.quota.refuses(call, command) || refuse(call, checkPut(request))) return;
    const caller = this.#context.access.identify(call);
    if (refuseToken(call, caller) || this.#isTooLarge(call, bytes)) return;
    if (refuse(call, this.#context.access.earlyRefusal(command, caller))) return;
    this.#context.replica.proposeEncoded(command, bytes, new CallProposer(call, this.#answerPut), caller);
  }

  deleteRange(request: DeleteRangeRequest, call: ServerCall, bytes: Uint8Array): void {
    if (refuse(call, checkDeleteRange(request))) return;
    const caller = this.#context.access.identify(call);
    if (refuseToken(call, caller) || this.#isTooLarge(call, bytes)) return;
    const command: Command = { kind: "deleteRange", request };
    if (refuse(call, this.#context.access.earlyRefusal(command, caller))) return;
    const proposer = new SlicedCallProposer(call, this.#answerDelete);
    this.#context.replica.proposeEncoded(command, bytes, proposer, caller);
  }

  txn(request: TxnRequest, call: ServerCall, bytes: Uint8Array): void {
    const command: Command = { kind: "txn", request };
    if (this.#context.quota.refuses(call, command)) return;
    const misshapen = checkTxn(request, this.#context.limits.transactionOperations);
    if (misshapen === "too-many-operations") this.#context.limitHits.count("transactionOperations");
    if (refuse(call, misshapen)) return;
    if (isReadOnlyTxn(request)) {
      this.#readTxn(request, call);
      return;
    }
    const caller = this.#context.access.identify(call);
    if (refuseToken(call, caller) || this.#isTooLarge(call, bytes)) return;
    if (refuse(call, this.#context.access.earlyRefusal(command, caller))) return;
    if (this.#txnLimits.refuses(request, bytes, call)) return;
    const proposer = new SlicedCallProposer(call, this.#answerTxn);
    this.#context.replica.proposeEncoded(command, bytes, proposer, caller);
  }

  /** Compaction answers at once, or with `physical` once the discarded history is gone (COMP-5). */
  compact(request: CompactionRequest, call: ServerCall): void {
    const { replica, access } = this.#context;
    const caller = access.identify(call);
    const command: Command = { kind: "compact", revision: request.revision };
    if (refuseToken(call, caller) || refuse(call, access.earlyRefusal(command, caller))) return;
    const answer = (): void => call.reply(encodeSharedCompactionResponse({ header: this.#context.headerNow() }));
    replica.propose(
      command,
      {
        settled: (outcome) => {
          if (outcome.kind === "refused") refuse(call, outcome.refusal);
          else if (request.physical) replica.whenSwept(answer);
          else answer();
        },
        failed: (failure) => call.end(statusOfFailure(failure)),
      },
      caller,
    );
  }

  /** A transaction of nothing but top-level reads needs no log entry (TXN-17). */
  #readTxn(request: TxnRequest, call: ServerCall): void {
    const { replica, access } = this.#context;
    replica.whenCurrent(() => {
      if (access.enabled && access.refuses({ kind: "readTxn", request }, call)) return;
      if (this.#txnLimits.refusesRead(request, call)) return;
      const outcome = replica.machine.rangeTxn(request);
      if (outcome.kind !== "txn") refuse(call, outcome.kind === "refused" ? outcome.refusal : undefined);
      else this.#answers.txn(call, outcome.response);
    });
  }

  /** The log keeps the request as it came, so its size is the size of the proposal (LIM-1). */
  #isTooLarge(call: ServerCall, bytes: Uint8Array): boolean {
    if (!isRequestTooLarge(bytes.length, this.#context.limits)) return false;
    this.#context.limitHits.count("requestBytes");
    call.end(statusOf(etcdErrors.requestTooLarge));
    return true;
  }
}
