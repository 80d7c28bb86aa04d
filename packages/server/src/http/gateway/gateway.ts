/**
 * The JSON gateway: calls the methods that gRPC clients call, in this process, for requests under /v3/ (etcd-v3-wire.md
 * 4.2 to 4.7). Whatever a request came over, it looks the same here.
 */
import { StatusCode } from "@holdfast/protocol";
import {
  type CallEndListener,
  type Clock,
  type Method,
  type MethodCounters,
  type PlainRequest,
  type Status,
  systemClock,
} from "@holdfast/transport";
import type { HttpCounters } from "../counters.js";
import { defaultHttpLimits, type HttpLimits } from "../limits.js";
import { decodePath, withoutQuery } from "../target.js";
import { type Binding, bindingsOf } from "./bindings.js";
import { type CallHead, readCallHead } from "./call-head.js";
import { BodyInput, type CallInput } from "./call-input.js";
import { respondError } from "./error-body.js";
import { type CallServices, JsonCall } from "./json-call.js";
import { LargeAnswers } from "./large-answers.js";

export interface GatewayOptions {
  /** The same that the gRPC server offers. Those that are missing are answered UNIMPLEMENTED. */
  readonly methods: Iterable<Method>;
  readonly counters: HttpCounters;
  readonly limits?: Partial<HttpLimits> | undefined;
  readonly clock?: Clock | undefined;
  /** Runs a task in a later turn of the event loop. Default: the next. */
  readonly defer?: ((task: () => void) => void) | undefined;
  /** Where the gRPC server counts its calls (`GrpcServer.methodCounters`); the gateway's are counted there as well. */
  readonly methodCounters?: Iterable<MethodCounters> | undefined;
  readonly onCallEnded?: CallEndListener | undefined;
  /** A method threw, which is a bug; the call was ended with INTERNAL. Default: thrown again outside, where it ends the process. */
  readonly onHandlerError?: ((path: string, error: unknown) => void) | undefined;
}

const notFound: Status = { code: StatusCode.notFound, message: "Not Found" };
const methodNotAllowed: Status = { code: StatusCode.unimplemented, message: "Method Not Allowed" };
const tooManyCalls: Status = { code: StatusCode.resourceExhausted, message: "too many calls are open" };
const deadlinePassed: Status = { code: StatusCode.deadlineExceeded, message: "context deadline exceeded" };
/** A shorter timeout has passed before anything can be done. */
const timeoutMsMin = 1;

export class Gateway {
  readonly #bindings: ReadonlyMap<string, Binding>;
  readonly #counters: HttpCounters;
  readonly #services: CallServices;
  #openCalls = 0;

  constructor(options: GatewayOptions) {
    this.#bindings = bindingsOf(options.methods, options.methodCounters ?? []);
    this.#counters = options.counters;
    const limits = { ...defaultHttpLimits, ...options.limits };
    const defer = options.defer ?? ((task: () => void) => void setImmediate(task));
    this.#services = {
      limits,
      clock: options.clock ?? systemClock,
      defer,
      largeAnswers: new LargeAnswers(limits.answerBytesTotalMax, defer),
      answerRefused: () => {
        this.#counters.answersRefused++;
      },
      callEnded: options.onCallEnded,
      handlerFailed: options.onHandlerError ?? throwLater,
      callClosed: () => {
        this.#openCalls--;
      },
    };
  }

  /** Calls open now. */
  get openCalls(): number {
    return this.#openCalls;
  }

  /** Answers a request for a path under /v3/. */
  handle(request: PlainRequest): void {
    const path = decodePath(withoutQuery(request.path)) ?? "";
    const binding = this.#bindings.get(path);
    if (binding === undefined) respondError(request, notFound);
    else if (verbOf(request) !== "POST") respondError(request, methodNotAllowed);
    else this.#call(request, binding, new BodyInput(request));
  }

  /** Makes the call at `path` with what a WebSocket brings. */
  handleWebSocket(request: PlainRequest, path: string, input: CallInput): void {
    const binding = this.#bindings.get(path);
    if (binding === undefined) respondError(request, notFound);
    else this.#call(request, binding, input);
  }

  #call(request: PlainRequest, binding: Binding, input: CallInput): void {
    const head = readCallHead(request);
    const refusal = this.#refusalOf(head);
    if (refusal !== undefined) {
      respondError(request, refusal);
      return;
    }
    this.#openCalls++;
    new JsonCall(request, binding, head as CallHead, input, this.#services).start();
  }

  #refusalOf(head: CallHead | Status): Status | undefined {
    if ("code" in head) return head;
    if (head.timeoutMs >= 0 && head.timeoutMs < timeoutMsMin) return deadlinePassed;
    if (this.#openCalls < this.#services.limits.openCallsMax) return undefined;
    this.#counters.callsRefused++;
    return tooManyCalls;
  }
}

/** HTML forms know no other verbs than GET and POST; they may name the one they mean. */
function verbOf({ method, headers }: PlainRequest): string {
  if (method !== "POST") return method;
  const named = headers.find(([name]) => name === "x-http-method-override")?.[1];
  if (named === undefined || named === "") return method;
  const isForm = headers.some(
    ([name, value]) => name === "content-type" && value.startsWith("application/x-www-form-urlencoded"),
  );
  return isForm ? named.toUpperCase() : method;
}

/** Outside the reading of a connection, whose state must not be left halfway. */
function throwLater(_path: string, error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
