/**
 * Texts that a Go gRPC server gives of itself, before a service sees the call. They are kept the same so that logs and
 * alerts which look for them go on working. Source: docs/reference/etcd-v3-wire.md section 3.2, and for the two about
 * malformed messages the behaviour of grpc-go.
 */

import type { MalformedMessageError } from "./runtime/malformed-message-error.js";
import { StatusCode } from "./status-codes.js";

/** A status to end a call with. */
export interface CallStatus {
  readonly code: StatusCode;
  readonly message: string;
}

/** The request of a unary call cannot be decoded. */
export function malformedUnaryRequest(error: MalformedMessageError): CallStatus {
  return { code: StatusCode.internal, message: `grpc: error unmarshalling request: ${error.message}` };
}

/** A message of any streaming call, also the only request of a server stream, cannot be decoded. */
export function malformedStreamMessage(error: MalformedMessageError): CallStatus {
  return { code: StatusCode.internal, message: `grpc: failed to unmarshal the received message: ${error.message}` };
}

/** A message is longer than the server takes. */
export function messageTooLarge(messageBytes: number, messageBytesMax: number): CallStatus {
  const message = `grpc: received message larger than max (${messageBytes} vs. ${messageBytesMax})`;
  return { code: StatusCode.resourceExhausted, message };
}

/** The service is known, the method is not. */
export function unknownMethod(service: string, method: string): CallStatus {
  return { code: StatusCode.unimplemented, message: `unknown method ${method} for service ${service}` };
}

/** The service is not known. */
export function unknownService(service: string): CallStatus {
  return { code: StatusCode.unimplemented, message: `unknown service ${service}` };
}
