/**
 * LeaseKeepAlive: one answer for each request, in request order (LEASE-17). A renewal of a lease whose
 * end is under way waits for that end, and those behind it on the stream wait with it (LEASE-21).
 */
import { type LeaseKeepAliveRequest, leaseService } from "@holdfast/protocol";
import type { Method, ServerCall } from "@holdfast/transport";
import type { ServiceContext } from "./context.js";
import { encodeLeaseAnswer } from "./lease-answer.js";
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
    // Nearly always nobody waits, and nothing has to be kept.
    if (this.#waiting.length === 0 && this.#mayAnswer && this.#answersAtOnce(request)) return;
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
    while (!this.#answering && this.#mayAnswer) {
      const request = this.#waiting[0];
      if (request === undefined) {
        if (this.#halfClosed) this.#finish();
        return;
      }
      this.#renew(request);
    }
  }

  /** Renewals must not wait for the answers of other calls on the connection; only a client that reads none of ours waits. */
  get #mayAnswer(): boolean {
    const call = this.#call;
    if (call.ended) return false;
    return !call.congested || call.unsentBytes <= this.#context.limits.keepAliveUnsentBytes;
  }

  #finish(): void {
    this.#context.openCalls.remove(this.#call);
    this.#call.end(okStatus);
  }

  /** Renews, unless the end of the lease is under way: then nothing is done, and it returns false. */
  #answersAtOnce(request: LeaseKeepAliveRequest): boolean {
    const { access, replica } = this.#context;
    if (access.enabled && this.#isRefused(request)) return true;
    const ttlSeconds = replica.leases.renewAtOnce(request.id);
    if (ttlSeconds === undefined) return false;
    this.#answer(request, replica.machine.revision, ttlSeconds);
    return true;
  }

  #renew(request: LeaseKeepAliveRequest): void {
    const { access, replica } = this.#context;
    if (access.enabled && this.#isRefused(request)) return;
    // Taken before the renewal, so that it is never newer than the moment of renewal (LEASE-23).
    const { revision } = replica.machine;
    let later = false;
    this.#answering = true;
    replica.leases.renew(request.id, (ttlSeconds) => {
      this.#answering = false;
      this.#answer(request, revision, ttlSeconds);
      this.#waiting.shift();
      if (this.#waiting.length === this.#context.limits.keepAlivesWaiting - 1) this.#call.resume();
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

  #answer({ id }: LeaseKeepAliveRequest, revision: number, ttlSeconds: number): void {
    this.#call.send(encodeLeaseAnswer(this.#context, revision, id, ttlSeconds));
  }
}
