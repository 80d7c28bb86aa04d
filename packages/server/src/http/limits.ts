/**
 * Every bound of HTTP/1.1, WebSockets and the JSON gateway, with its default (`docs/reference/fault-model.md`, section
 * 6). How many connections there may be is bound by the listener; what is bound of HTTP/2 by the transport.
 */

/** Sizes are bytes and times are milliseconds unless the name says otherwise. */
export interface HttpLimits {
  /** F31: the head of a request: its first line and its headers; above it 431. */
  readonly headBytesMax: number;
  /** F44: the body of a request; above it 413. */
  readonly bodyBytesMax: number;
  /**
   * F44: what of a body above that limit is received and forgotten, so that its client does not lose the answer; above it
   * the answer is sent at once, and the connection closed.
   */
  readonly forgottenBodyBytesMax: number;
  /** F44: one message of a WebSocket; above it the WebSocket is closed with code 1009. */
  readonly webSocketMessageBytesMax: number;
  /** F16: bodies of all requests that are being received or answered; above it 503. */
  readonly bodyBytesTotalMax: number;
  /** F44: one request message in its binary form; above it RESOURCE_EXHAUSTED, as over gRPC. */
  readonly messageBytesMax: number;
  /** F26: time for the head of a request, from its first byte on, or from the start of the connection. */
  readonly headMs: number;
  /** F26: time for the body of a request; above it 408. */
  readonly bodyMs: number;
  /** F25: time for which a connection may be idle between two requests. */
  readonly idleMs: number;
  /** F32, F37: time in which an answer that waits for the client must move at the pace below; else it is cut off. */
  readonly stalledAnswerMs: number;
  /** F37: slowest pace of a client that takes an answer. */
  readonly stalledBytesPerSecondMin: number;
  /** F20: with more unsent bytes than this an answer in pieces is congested. */
  readonly highWaterBytes: number;
  /** F20: a congested answer goes on when its unsent bytes fall to this. */
  readonly lowWaterBytes: number;
  /** F37: an answer that heeds no congestion is cut off above so many unsent bytes. */
  readonly unsentBytesMax: number;
  /** F37: bytes of all whole answers that wait for their clients; above it 503. A single answer may be larger. */
  readonly answerBytesTotalMax: number;
  /** Answers up to this size are not counted there: each connection makes one at a time. */
  readonly smallAnswerBytesMax: number;
  /** F37: requests of one connection that may wait behind the one that is answered; above it the connection is closed. */
  readonly pipelinedRequestsMax: number;
  /** F38: gateway calls open at one time, over all connections; above it RESOURCE_EXHAUSTED. */
  readonly openCallsMax: number;
  /** JSON values of one request body that are worked on before other connections get their turn. */
  readonly messagesPerTurn: number;
  /** Characters of those values, likewise; the value that reaches it is read to its end. */
  readonly jsonCharactersPerTurn: number;
  /** F14: an answer of more bytes, in its binary form, is made into JSON in slices of about so many, one a turn. */
  readonly answerSliceBytes: number;
  /** Time for the client's part of the end of a WebSocket. */
  readonly webSocketCloseMs: number;
  /** After so much silence the system asks whether the client's machine is still there. */
  readonly keepAliveMs: number;
  /** How often connections are looked at for the times above. They are kept to this accuracy. */
  readonly sweepIntervalMs: number;
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const defaultHttpLimits: HttpLimits = {
  headBytesMax: 16 * KIB,
  bodyBytesMax: 4 * MIB,
  forgottenBodyBytesMax: 16 * MIB,
  webSocketMessageBytesMax: 256 * KIB,
  bodyBytesTotalMax: 256 * MIB,
  messageBytesMax: 2 * MIB,
  headMs: 10_000,
  bodyMs: 30_000,
  idleMs: 5 * 60 * 1_000,
  stalledAnswerMs: 60_000,
  stalledBytesPerSecondMin: KIB,
  highWaterBytes: 256 * KIB,
  lowWaterBytes: 64 * KIB,
  unsentBytesMax: 8 * MIB,
  answerBytesTotalMax: 256 * MIB,
  smallAnswerBytesMax: 64 * KIB,
  pipelinedRequestsMax: 64,
  openCallsMax: 10_000,
  messagesPerTurn: 1_000,
  jsonCharactersPerTurn: 64 * KIB,
  answerSliceBytes: 64 * KIB,
  webSocketCloseMs: 5_000,
  keepAliveMs: 30_000,
  sweepIntervalMs: 1_000,
};
