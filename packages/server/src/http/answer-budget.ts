/** F37: memory for the whole answers that wait for their clients, as one sum over all connections. */
import { StatusCode } from "@holdfast/protocol";
import type { PlainHeaders, PlainRequest, Status } from "@holdfast/transport";
import type { HttpCounters } from "./counters.js";
import { respondError } from "./gateway/error-body.js";
import type { HttpLimits } from "./limits.js";
import { WrappedRequest } from "./wrapped-request.js";

/**
 * UNAVAILABLE, which leaves open whether the request was carried out: that is known only here, where its answer is
 * dropped. RESOURCE_EXHAUSTED would tell a client that nothing was done.
 */
export const noRoomForAnswer: Status = {
  code: StatusCode.unavailable,
  message: "too many answers wait for their clients: this one is dropped, its request may have been carried out",
};

export class AnswerBudget {
  readonly #limits: HttpLimits;
  readonly #counters: HttpCounters;
  #bytes = 0;

  constructor(limits: HttpLimits, counters: HttpCounters) {
    this.#limits = limits;
    this.#counters = counters;
  }

  /** Bytes of answers that wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `request`, whose whole answer is counted; 503 stands in for an answer for which there is no room. */
  bind(request: PlainRequest): PlainRequest {
    return new BoundRequest(request, this);
  }

  /** Whether an answer is so small that limits of other kinds are enough for it. */
  isSmall(byteCount: number): boolean {
    return byteCount <= this.#limits.smallAnswerBytesMax;
  }

  /** False if there is no room. One answer has it always. */
  reserve(byteCount: number): boolean {
    if (this.#bytes > 0 && this.#bytes + byteCount > this.#limits.answerBytesTotalMax) {
      this.#counters.answersRefused++;
      return false;
    }
    this.#bytes += byteCount;
    return true;
  }

  release(byteCount: number): void {
    this.#bytes -= byteCount;
  }
}

class BoundRequest extends WrappedRequest {
  readonly #budget: AnswerBudget;
  #responded = false;

  constructor(request: PlainRequest, budget: AnswerBudget) {
    super(request);
    this.#budget = budget;
  }

  override respond(status: number, headers: PlainHeaders, body: Uint8Array | string): void {
    if (this.#responded) return;
    this.#responded = true;
    const byteCount = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    if (this.#budget.isSmall(byteCount)) super.respond(status, headers, body);
    else if (this.#budget.reserve(byteCount)) {
      super.respond(status, headers, body);
      this.onTaken(() => this.#budget.release(byteCount));
    } else respondError(this.request, noRoomForAnswer, headersForPages(headers));
  }
}

/** What lets a page of another origin see the answer. */
function headersForPages(headers: PlainHeaders): PlainHeaders {
  return [...headers].filter(([name]) => name.startsWith("access-control-"));
}
