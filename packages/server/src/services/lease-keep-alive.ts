/**
 * LeaseKeepAlive: one answer for each request, in request order (LEASE-17). A renewal of a lease whose
 * end is under way waits for that end, and those behind it on the stream wait with it (LEASE-21).
 */
import {
  encodeSharedLeaseKeepAliveResponse,
  type LeaseKeepAliveRequest,
  leaseService,
  type ResponseHeader,
} from "@holdfast/protocol";
import type { Method, ServerCall } from "@holdfast/transport";
import type { ServiceContext } from "./context.js";
import { bidi, type StreamHandler } from "./method.js";
import { okStatus } from "./status.js";

export function keepAliveMethod(context: ServiceContext): Method {
  return bidi(context, leaseService.methods.leaseKeepAlive, (call) => new KeepAliveStream(call, context));
}

class KeepAliveStream implements StreamHandler<LeaseKeepAliveRequest> {
  readonly #call: ServerCall;
  readonly #context: ServiceContext;
  /** Requests not yet answered; the first is being decided. */
  readonly #waiting: LeaseKeepAliveRequest[] = [];
  #answering = false;
  #halfClosed = false;

  constructor(call: ServerCall, context: ServiceContext) {
    this.#call = call;
    this.#context = context;
    context.openCalls.add(call, () => {});
    call.onDrain(() => this.#answerNext());
  }

  message(request: LeaseKeepAliveRequest): void {
    this.#waiting.push(request);
    if (this.#waiting.length === this.#context.limits.keepAlivesWaiting) this.#call.pause();
    this.#answerNext();
  }

  /** What was asked is still answered; then the stream ends well (LEASE-22). */
  halfClose(): void {
    this.#halfClosed = true;
    this.#answerNext();
  }

  broken(): void {
    this.#context.openCalls.remove(this.#call);
  }

  #answerNext(): void {
    while (!this.#answering && !this.#call.ended && !this.#isFull) {
      const request = this.#waiting[0];
      if (request === undefined) {
        if (this.#halfClosed) this.#finish();
        return;
      }
      this.#renew(request);
    }
  }

  /** Renewals must not wait for the answers of other calls on the connection; only a client that reads none of ours waits. */
  get #isFull(): boolean {
    return this.#call.congested && this.#call.unsentBytes > this.#context.limits.keepAliveUnsentBytes;
  }

  #finish(): void {
    this.#context.openCalls.remove(this.#call);
    this.#call.end(okStatus);
  }

  #renew(request: LeaseKeepAliveRequest): void {
    if (this.#context.access.enabled && this.#isRefused(request)) return;
    // Taken before the renewal, so that it is never newer than the moment of renewal (LEASE-23).
    const header = this.#context.headerNow();
    let later = false;
    this.#answering = true;
    this.#context.replica.leases.renew(request.id, (ttlSeconds) => {
      this.#answering = false;
      this.#answer(request, header, ttlSeconds);
      // Answered at once, the loop that called goes on by itself.
      if (later) this.#answerNext();
    });
    later = true;
  }

  /** A renewal that its caller may not make ends the whole stream (LEASE-24). True if it did. */
  #isRefused({ id }: LeaseKeepAliveRequest): boolean {
    const isRefused = this.#context.access.refuses({ kind: "leaseKeepAlive", leaseId: id }, this.#call);
    if (isRefused) this.#context.openCalls.remove(this.#call);
    return isRefused;
  }

  #answer(request: LeaseKeepAliveRequest, header: ResponseHeader, ttl: number): void {
    this.#waiting.shift();
    if (this.#waiting.length === this.#context.limits.keepAlivesWaiting - 1) this.#call.resume();
    this.#call.send(encodeSharedLeaseKeepAliveResponse({ header, id: request.id, ttl }));
  }
}
