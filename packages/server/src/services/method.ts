/**
 * From bytes to messages: makes a transport method of a decoder and a handler, and of a codec and an
 * outcome a proposer that answers the call. Malformed messages get the status grpc-go gives.
 */

import {
  MalformedMessageError,
  type MethodDescriptor,
  malformedStreamMessage,
  malformedUnaryRequest,
} from "@holdfast/protocol";
import type { ProposalFailure, Proposer } from "@holdfast/replica";
import type { Command, Outcome, Refusal } from "@holdfast/state-machine";
import type { MessageSink, Method, ServerCall, Status } from "@holdfast/transport";
import { refuseApiVersion } from "./client-version.js";
import type { ServiceContext } from "./context.js";
import { type Guard, guardOf, refuseStreamGuard } from "./guard.js";
import { statusOfFailure, statusOfRefusal } from "./status.js";

type Decode<T> = (bytes: Uint8Array) => T;
type Handle = (bytes: Uint8Array, call: ServerCall) => void;
type HandleMessage<T> = (request: T, call: ServerCall, bytes: Uint8Array) => void;
type Unary<Request, Response> = MethodDescriptor<Request, Response, "unary">;
type ServerStream<Request, Response> = MethodDescriptor<Request, Response, "serverStream">;
type Bidi<Request, Response> = MethodDescriptor<Request, Response, "bidi">;

/**
 * A unary method, behind the right that `access/rights.ts` has for it. `handle` also gets the request's bytes, valid only
 * during the call.
 */
export function unary<Request, Response>(
  context: ServiceContext,
  method: Unary<Request, Response>,
  handle: (request: Request, call: ServerCall, bytes: Uint8Array) => void,
): Method {
  const guard = guardOf(method, context.access);
  const decode = decoding(method.request.decode, malformedUnaryRequest, guarding(guard, handle));
  return { kind: "unary", path: method.path, handle: admitting(decode) };
}

/** A server-streaming method, behind its right. */
export function serverStream<Request, Response>(
  context: ServiceContext,
  method: ServerStream<Request, Response>,
  handle: (request: Request, call: ServerCall) => void,
): Method {
  const guard = guardOf(method, context.access);
  const decode = decoding(method.request.decode, malformedStreamMessage, guarding(guard, handle));
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
  method: Bidi<Request, Response>,
  open: (call: ServerCall) => StreamHandler<Request>,
): Method {
  const { path, request } = method;
  refuseStreamGuard(method);
  return {
    kind: "bidi",
    path,
    open(call): MessageSink {
      if (refuseApiVersion(call)) return deafSink;
      const handler = open(call);
      const malformed = (error: MalformedMessageError): Status => {
        handler.broken();
        return malformedStreamMessage(error);
      };
      const receive = decoding(request.decode, malformed, (message) => handler.message(message));
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

function decoding<T>(
  decode: Decode<T>,
  malformed: (error: MalformedMessageError) => Status,
  handle: HandleMessage<T>,
): Handle {
  return (bytes, call) => {
    const request = tryDecode(decode, bytes);
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

function tryDecode<T>(decode: Decode<T>, bytes: Uint8Array): T | MalformedMessageError {
  try {
    return decode(bytes);
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

/** Ends the call if `refusal` is one. True if it did. */
export function refuse(call: ServerCall, refusal: Refusal | undefined): boolean {
  if (refusal === undefined) return false;
  call.end(statusOfRefusal(refusal));
  return true;
}
