/**
 * What is counted of every method of a server, for the metrics. One array of plain numbers per method, changed in place:
 * a call costs a few additions and no allocation. Reading them, and giving them names, is left to the server.
 */
import { UNKNOWN } from "./status.js";
import type { Method } from "./types.js";

/** gRPC status numbers run from 0 to 16. */
const CODES = 17;
const STARTED = CODES;
const RECEIVED = CODES + 1;
const SENT = CODES + 2;
const RECEIVED_BYTES = CODES + 3;
const SENT_BYTES = CODES + 4;
const SLOTS = CODES + 5;

/** Counters of one method; they only grow. Calls that are open now: `started` less the sum of `endedByCode`. */
export class MethodCounters {
  readonly path: string;
  readonly kind: Method["kind"];
  readonly #values = new Float64Array(SLOTS);

  constructor(method: Method) {
    this.path = method.path;
    this.kind = method.kind;
  }

  /** Calls whose headers were accepted. */
  get started(): number {
    return this.#values[STARTED];
  }

  /** Whole messages received. */
  get received(): number {
    return this.#values[RECEIVED];
  }

  /** Messages handed to the connection. */
  get sent(): number {
    return this.#values[SENT];
  }

  /** Bytes of the received messages, inflated, without frames and prefixes. */
  get receivedBytes(): number {
    return this.#values[RECEIVED_BYTES];
  }

  /** Bytes of the sent messages, without frames and prefixes. */
  get sentBytes(): number {
    return this.#values[SENT_BYTES];
  }

  /** Ended calls by gRPC status number, 0 to 16. A call that the client cancelled or lost counts as CANCELLED (1). */
  get endedByCode(): readonly number[] {
    return [...this.#values.subarray(0, CODES)];
  }

  countStart(): void {
    this.#values[STARTED]++;
  }

  countReceived(byteCount: number): void {
    this.#values[RECEIVED]++;
    this.#values[RECEIVED_BYTES] += byteCount;
  }

  countSent(byteCount: number): void {
    this.#values[SENT]++;
    this.#values[SENT_BYTES] += byteCount;
  }

  /** A number that gRPC does not know counts as UNKNOWN. */
  countEnd(code: number): void {
    this.#values[code >= 0 && code < CODES ? code : UNKNOWN]++;
  }
}

/** A method and what is counted of it. */
export class CountedMethod {
  readonly method: Method;
  readonly counters: MethodCounters;

  constructor(method: Method) {
    this.method = method;
    this.counters = new MethodCounters(method);
  }
}
