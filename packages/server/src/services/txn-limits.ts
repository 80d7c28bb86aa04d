/**
 * Refuses transactions that would give back, or go through, more than one turn of the event loop has room for (fault-model
 * I12, F14).
 *
 * Looked at before a transaction is logged and not when it is applied, where every version of the program has to come to the
 * same result. What waits for the log counts in as if it were all keys and values that the transaction reads: where only that
 * is too much, the answer is too many requests, which asks the client to come again.
 */
import { etcdErrors, type TxnRequest } from "@holdfast/protocol";
import type { Replica } from "@holdfast/replica";
import type { TxnBounds, TxnExcess, Upcoming } from "@holdfast/state-machine";
import type { ServerCall } from "@holdfast/transport";
import type { ServiceLimits } from "../limits.js";
import type { LimitHits } from "./limit-hits.js";
import { statusOf } from "./status.js";

/** What a waiting command takes for each key that it writes, at least. About: there are fewer very short keys than long ones. */
const waitingBytesPerKey = 64;

const nothing: Upcoming = { bytes: 0, keys: 0 };

const options = {
  "answer-bytes": "transactionAnswerBytesMax",
  keys: "transactionKeysMax",
} as const satisfies Record<TxnExcess, string>;

export class TxnLimits {
  readonly #replica: Replica;
  readonly #hits: LimitHits;
  readonly #bounds: TxnBounds;
  readonly #operationsMax: number;

  constructor(replica: Replica, limits: ServiceLimits, hits: LimitHits) {
    this.#replica = replica;
    this.#hits = hits;
    this.#operationsMax = limits.transactionOperations;
    this.#bounds = {
      answerBytesMax: limits.transactionAnswerBytesMax,
      keysMax: limits.transactionKeysMax,
      pairBytesMax: limits.requestBytes,
    };
  }

  /** Ends the call if the transaction, which only reads and is to run now, passes a limit. True if it does. */
  refusesRead(request: TxnRequest, call: ServerCall): boolean {
    return this.#endIf(this.#excess(request, nothing), call);
  }

  /** The same of one of legal shape that is to be logged, as `bytes`. */
  refuses(request: TxnRequest, bytes: Uint8Array, call: ServerCall): boolean {
    const { waitingBytes, waitingProposals } = this.#replica;
    const own: Upcoming = { bytes: bytes.length, keys: this.#operationsMax };
    if (waitingBytes === 0) return this.#endIf(this.#excess(request, own), call);
    const keys = own.keys + waitingProposals + Math.ceil(waitingBytes / waitingBytesPerKey);
    if (this.#excess(request, { bytes: own.bytes + waitingBytes, keys }) === undefined) return false;
    if (this.#endIf(this.#excess(request, own), call)) return true;
    call.end(statusOf(etcdErrors.requestTooManyRequests));
    return true;
  }

  #excess(request: TxnRequest, upcoming: Upcoming): TxnExcess | undefined {
    return this.#replica.machine.txnExcess(request, this.#bounds, upcoming);
  }

  #endIf(excess: TxnExcess | undefined, call: ServerCall): boolean {
    if (excess === undefined) return false;
    this.#hits.count(options[excess]);
    call.end(statusOf(etcdErrors.requestTooLarge));
    return true;
  }
}
