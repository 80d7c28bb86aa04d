/** gRPC status codes that the transport itself answers with, and how a status is written as header fields. */
import type { HeaderFields } from "../hpack/index.js";
import {
  CANCEL,
  ENHANCE_YOUR_CALM,
  FLOW_CONTROL_ERROR,
  INADEQUATE_SECURITY,
  REFUSED_STREAM,
} from "../http2/protocol.js";
import { percentEncode } from "./percent-encoding.js";
import type { Status } from "./types.js";

export const OK = 0;
export const CANCELLED = 1;
export const UNKNOWN = 2;
export const INVALID_ARGUMENT = 3;
export const DEADLINE_EXCEEDED = 4;
export const PERMISSION_DENIED = 7;
export const RESOURCE_EXHAUSTED = 8;
export const UNIMPLEMENTED = 12;
export const INTERNAL = 13;
export const UNAVAILABLE = 14;
export const UNAUTHENTICATED = 16;

export const CONTENT_TYPE = "application/grpc";

/** Headers of every gRPC response that carries a message. */
export const RESPONSE_HEADERS: HeaderFields = { names: [":status", "content-type"], values: ["200", CONTENT_TYPE] };

/** Trailers of every call that ends well. */
export const OK_TRAILERS: HeaderFields = { names: ["grpc-status"], values: ["0"] };

/** The trailers that end a call whose response headers were sent before. */
export function trailersOf(status: Status): HeaderFields {
  if (status.code === OK && status.message === "") return OK_TRAILERS;
  return {
    names: ["grpc-status", "grpc-message"],
    values: [String(status.code), percentEncode(status.message)],
  };
}

/** The one header list of a call that ends before any response ("trailers-only"). */
export function trailersOnly(status: Status, httpStatus = 200): HeaderFields {
  return {
    names: [":status", "content-type", "grpc-status", "grpc-message"],
    values: [String(httpStatus), CONTENT_TYPE, String(status.code), percentEncode(status.message)],
  };
}

const STATUS_OF_RESET: ReadonlyMap<number, number> = new Map([
  [FLOW_CONTROL_ERROR, RESOURCE_EXHAUSTED],
  [REFUSED_STREAM, UNAVAILABLE],
  [CANCEL, CANCELLED],
  [ENHANCE_YOUR_CALM, RESOURCE_EXHAUSTED],
  [INADEQUATE_SECURITY, PERMISSION_DENIED],
]);

/** The gRPC code for a stream that was reset with an HTTP/2 error code (gRPC over HTTP/2, "Errors"). */
export function statusOfReset(code: number): number {
  return STATUS_OF_RESET.get(code) ?? INTERNAL;
}

const STATUS_OF_HTTP: ReadonlyMap<number, number> = new Map([
  [400, INTERNAL],
  [401, UNAUTHENTICATED],
  [403, PERMISSION_DENIED],
  [404, UNIMPLEMENTED],
  [429, UNAVAILABLE],
  [502, UNAVAILABLE],
  [503, UNAVAILABLE],
  [504, UNAVAILABLE],
]);

/** The gRPC code for an answer that is not gRPC, by its HTTP status. */
export function statusOfHttp(httpStatus: number): number {
  return STATUS_OF_HTTP.get(httpStatus) ?? UNKNOWN;
}
