/**
 * The door of the transport: HTTP/2 and gRPC on raw sockets, server and client. Bytes in, bytes out; it knows no
 * messages and opens no ports.
 */

export { newCounters, type TransportCounters } from "./counters.js";
export { type Clock, systemClock, type Timer } from "./environment.js";
export {
  type CallOptions,
  type ClientTarget,
  GrpcClient,
  type GrpcClientOptions,
  type UnaryResult,
} from "./grpc/client.js";
export type { CallEnd, CallListener } from "./grpc/client-call.js";
export type { MethodCounters } from "./grpc/method-counters.js";
export type { ClientCall } from "./grpc/open-call.js";
export {
  type PlainHeaders,
  type PlainRequest,
  type PlainRequestHandler,
  refusePlainRequest,
} from "./grpc/plain-request.js";
export { type ConnectionOptions, GrpcServer, type GrpcServerOptions } from "./grpc/server.js";
export type { CallEndListener } from "./grpc/server-call.js";
export type {
  CancelReason,
  MessageSink,
  Metadata,
  Method,
  Peer,
  ServerCall,
  Status,
} from "./grpc/types.js";
export type { TransportEvent, TransportLog } from "./http2/context.js";
export { CLIENT_PREFACE } from "./http2/protocol.js";
export type { TransportSocket } from "./http2/socket-writer.js";
export { defaultLimits, type TransportLimits } from "./limits.js";
