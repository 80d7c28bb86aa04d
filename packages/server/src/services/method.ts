/**
 * From bytes to messages: makes a transport method of a decoder and a handler, and of a codec and an
 * outcome a proposer that answers the call. Malformed messages get the status grpc-go gives, those with too many items that of
 * a request that is too large.
 */

import {
  decodeBounded,
  decodeBoundedLent,
  type EtcdError,
  etcdErrors,
  MalformedMessageError,
  type MessageCodec,
  type MethodDescriptor,
  malformedStreamMessage,
  malformedUnaryRequest,
  TooManyItemsError,
} from "@holdfast/protocol";
import type { ProposalFailure, Proposer } from "@holdfast/replica";
import type { Command, Outcome, Refusal } from "@holdfast/state-machine";
import type { MessageSink, Method, ServerCall, Status } from "@holdfast/transport";
import { refuseApiVersion } from "./client-version.js";
import type { ServiceContext } from "./context.js";
import { type Guard, guardOf, refuseStreamGuard } from "./guard.js";
import type { CountedLimit } from "./limit-hits.js";
import { statusOf, statusOfFailure, statusOfRefusal } from "./status.js";

type Handle = (bytes: Uint8Array, call: ServerCall) => void;
/** Reads a message of bounded size; `isLasting` is as for `decodeBounded`. */
type Decode = <T>(codec: MessageCodec<T>, bytes: Uint8Array, itemsMax: number, isLasting: boolean) => T;
type StatusOfMalformed = (error: MalformedMessageError) => Status;
type HandleMessage<T> = (request: T, call: ServerCall, bytes: Uint8Array) => void;
type Unary<Request, Response> = MethodDescriptor<Request, Response, "unary">;
type ServerStream<Request, Response> = MethodDescriptor<Request, Response, "serverStream">;
type Bidi<Request, Response> = MethodDescriptor<Request, Response, "bidi">;

/** How many items a request may have (fault-model F45), whose limit that is, and the error for one that has more. */
export interface ItemBound {
  readonly itemsMax: number;
  readonly limit: CountedLimit;
  readonly error: EtcdError;
}

/** What is particular to a unary method. */
export interface UnaryOptions {
  readonly bound?: ItemBound;
  /**
   * It keeps neither the request's bytes nor a view of them, whose memory is used again: values longer than `lentBytesMin` are such
   * views, and valid only during the call.
   */
  readonly keepsNothing?: boolean;
}

/**
 * A unary method, behind the right that `access/rights.ts` has for it. `handle` also gets the request's bytes, valid only
 * during the call.
 */
export function unary<Request, Response>(
  context: ServiceContext,
  method: Unary<Request, Response>,
  handle: (request: Request, call: ServerCall, bytes: Uint8Array) => void,
  { bound = itemBoundOf(context), keepsNothing = false }: UnaryOptions = {},
): Method {
  const guard = guardOf(method, context.access);
  const malformed = orTooMany(malformedUnaryRequest, context, bound);
  const decode = keepsNothing ? decodeBoundedLent : decodeBounded;
  const receive = decoding(method.request, bound.itemsMax, malformed, guarding(guard, handle), decode);
  return { kind: "unary", path: method.path, handle: admitting(receive), keepsNothing };
}

/** A server-streaming method, behind its right. */
export function serverStream<Request, Response>(
  context: ServiceContext,
  method: ServerStream<Request, Response>,
  handle: (request: Request, call: ServerCall) => void,
): Method {
  const guard = guardOf(method, context.access);
  const bound = itemBoundOf(context);
  const malformed = orTooMany(malformedStreamMessage, context, bound);
  const decode = decoding(method.request, bound.itemsMax, malformed, guarding(guard, handle));
  return { kind: "serverStream", path: method.path, handle: admitting(decode) };
}

/** What a bidirectional method makes of its stream. */
export interface StreamHandler<T> {
  message(request: T): void;
  halfClose(): void;
  /** A malformed message has ended the call, of which nobody else tells: lets go of what the stream holds. */
  broken(): void;
}

/** A bidirectional method; what its messages need is checked for each of them. A malformed one ends the stream, as in grpc-go. */
export function bidi<Request, Response>(
  context: ServiceContext,
  method: Bidi<Request, Response>,
  open: (call: ServerCall) => StreamHandler<Request>,
): Method {
  const { path, request } = method;
  const bound = itemBoundOf(context);
  const statusOfMalformed = orTooMany(malformedStreamMessage, context, bound);
  refuseStreamGuard(method);
  return {
    kind: "bidi",
    path,
    open(call): MessageSink {
      if (refuseApiVersion(call)) return deafSink;
      const handler = open(call);
      const malformed = (error: MalformedMessageError): Status => {
        handler.broken();
        return statusOfMalformed(error);
      };
      const receive = decoding(request, bound.itemsMax, malformed, (message) => handler.message(message));
      return {
        message: (bytes) => receive(bytes, call),
        halfClose: () => handler.halfClose(),
      };
    },
  };
}

/** Takes in what still arrives for a call that was refused when it was opened. */
const deafSink: MessageSink = { message() {}, halfClose() {} };

/** What every call is checked for before its request is looked at. */
function admitting(handle: Handle): Handle {
  return (bytes, call) => {
    if (!refuseApiVersion(call)) handle(bytes, call);
  };
}

function itemBoundOf({ limits }: ServiceContext): ItemBound {
  return { itemsMax: limits.requestItemsMax, limit: "requestItemsMax", error: etcdErrors.requestTooLarge };
}

/** `malformed`, but for a message that was given up because of its many items. */
function orTooMany(malformed: StatusOfMalformed, { limitHits }: ServiceContext, bound: ItemBound): StatusOfMalformed {
  return (error) => {
    if (!(error instanceof TooManyItemsError)) return malformed(error);
    limitHits.count(bound.limit);
    return statusOf(bound.error);
  };
}

function decoding<T>(
  codec: MessageCodec<T>,
  itemsMax: number,
  malformed: StatusOfMalformed,
  handle: HandleMessage<T>,
  decode: Decode = decodeBounded,
): Handle {
  return (bytes, call) => {
    const request = tryDecode(decode, codec, bytes, itemsMax, call.ownsRequest);
    if (request instanceof MalformedMessageError) call.end(malformed(request));
    else handle(request, call, bytes);
  };
}

/** `handle` itself where nothing stands before it. */
function guarding<T>(guard: Guard<T> | undefined, handle: HandleMessage<T>): HandleMessage<T> {
  if (guard === undefined) return handle;
  return (request, call, bytes) => {
    if (!guard(request, call)) handle(request, call, bytes);
  };
}

function tryDecode<T>(
  decode: Decode,
  codec: MessageCodec<T>,
  bytes: Uint8Array,
  itemsMax: number,
  isLasting: boolean,
): T | MalformedMessageError {
  try {
    return decode(codec, bytes, itemsMax, isLasting);
  } catch (error) {
    if (error instanceof MalformedMessageError) return error;
    throw error;
  }
}

/** The outcome of an accepted command of kind `K`. */
export type OutcomeOf<K extends Command["kind"]> = Extract<Outcome, { kind: K }>;

/** A proposer that answers a unary call, with etcd's status for a refusal or a failure. */
export class CallProposer<K extends Command["kind"]> implements Proposer {
  readonly #call: ServerCall;
  readonly #answer: (outcome: OutcomeOf<K>) => Uint8Array;

  /** `answer` encodes the response; the bytes are copied at once, so a shared buffer may be used. */
  constructor(call: ServerCall, answer: (outcome: OutcomeOf<K>) => Uint8Array) {
    this.#call = call;
    this.#answer = answer;
  }

  settled(outcome: Outcome): void {
    if (outcome.kind === "refused") this.#call.end(statusOfRefusal(outcome.refusal));
    else this.#call.reply(this.#answer(outcome as OutcomeOf<K>));
  }

  failed(failure: ProposalFailure): void {
    this.#call.end(statusOfFailure(failure));
  }
}

/** As `CallProposer`, for an answer that is not encoded at once. */
export class SlicedCallProposer<K extends Command["kind"]> implements Proposer {
  readonly #call: ServerCall;
  readonly #answer: (call: ServerCall, outcome: OutcomeOf<K>) => void;

  /** `answer` sees to it that the call is answered. */
  constructor(call: ServerCall, answer: (call: ServerCall, outcome: OutcomeOf<K>) => void) {
    this.#call = call;
    this.#answer = answer;
  }

  settled(outcome: Outcome): void {
    if (outcome.kind === "refused") this.#call.end(statusOfRefusal(outcome.refusal));
    else this.#answer(this.#call, outcome as OutcomeOf<K>);
  }

  failed(failure: ProposalFailure): void {
    this.#call.end(statusOfFailure(failure));
  }
}

/** Ends the call if `refusal` is one. True if it did. */
export function refuse(call: ServerCall, refusal: Refusal | undefined): boolean {
  if (refusal === undefined) return false;
  call.end(statusOfRefusal(refusal));
  return true;
}
