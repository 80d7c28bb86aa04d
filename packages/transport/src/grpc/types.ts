/**
 * What a gRPC service sees of the transport. Bytes in, bytes out: the transport knows no messages.
 *
 * The hot path is callbacks, not promises: a handler may answer in the same turn or much later, and
 * everything written for one connection in one turn leaves in one socket write.
 */

/** A gRPC status. `message` is plain text; the transport percent-encodes it. */
export interface Status {
  /** gRPC status number, 0 = OK. */
  readonly code: number;
  readonly message: string;
}

/** Request or response metadata. Keys are lower case; `-bin` values are raw bytes in latin1. */
export interface Metadata {
  /** The first value of `key`, or undefined. */
  get(key: string): string | undefined;
  getAll(key: string): readonly string[];
  entries(): IterableIterator<[string, string]>;
}

/** Who is at the other end of the connection. */
export interface Peer {
  readonly address: string;
  readonly port: number;
  /** The common name of its certificate, if whoever accepted the connection verified one. */
  readonly certificateName?: string;
  /** What the connection's other calls have as their peer, where a call shows less of it than they do. */
  readonly connection?: Peer;
}

/** Why a call ended before the server ended it. */
export type CancelReason = "cancelled" | "deadline-exceeded" | "connection-lost";

/** One call as the server sees it. All methods are no-ops once the call has ended. */
export interface ServerCall {
  readonly path: string;
  readonly peer: Peer;
  /** Decoded on first use. */
  readonly metadata: Metadata;
  /** True once a status was sent, or the call was cancelled or lost. */
  readonly ended: boolean;
  /**
   * True while `handle` runs if its request has memory of its own: then it may be kept, in part or whole, and nobody writes to
   * it any more, unless the method says that it keeps nothing. So it is with requests that came in several frames.
   */
  readonly ownsRequest: boolean;
  /** Bytes handed to `send` and not yet taken by the socket (they wait for a flow-control window or the peer). */
  readonly unsentBytes: number;
  /**
   * Sends one message and status OK. The usual end of a unary call. Never refused, however much waits for the peer.
   * `message` is copied before the call returns, so a shared encode buffer may be passed.
   */
  reply(message: Uint8Array): void;
  /**
   * As `reply`, with a large message in parts. They are given away: nothing is copied before it leaves, and nobody may
   * write to them any more.
   */
  replyParts(parts: readonly Uint8Array[]): void;
  /**
   * Sends one message of a stream; copied like `reply`. Response headers go out with the first. A call that goes on
   * sending while `congested`, above `unsentBytesPerCallMax`, is reset.
   */
  send(message: Uint8Array): void;
  /** Sends response headers now, without a message (a stream that has nothing to say yet). */
  sendHeaders(): void;
  /** Ends the call with trailers; trailers-only if nothing was sent before. */
  end(status: Status): void;
  /** Called at most once, if the call ends before the server ended it (a passed deadline is answered by the transport). */
  onCancel(listener: (reason: CancelReason) => void): void;
  /**
   * Called each time the call may go on: after `unsentBytes` was above the high-water mark, and after `congested` was
   * read as true for whatever reason.
   */
  onDrain(listener: () => void): void;
  /**
   * True from the time `unsentBytes` rises above the high-water mark until it falls to the low-water mark, and while
   * the connection as a whole has too much unsent and this call's next message would have to wait with it: stop
   * producing until `onDrain`.
   */
  readonly congested: boolean;
  /** Stops granting the peer flow-control window for this call (bidi only), so that it cannot send without bound. */
  pause(): void;
  resume(): void;
}

/** The receiving half of a bidirectional call. Bytes are valid only during the call of `message`. */
export interface MessageSink {
  message(bytes: Uint8Array): void;
  /** The client half-closed its side. */
  halfClose(): void;
}

/** A method the server offers. `path` is "/package.Service/Method". */
export type Method =
  /** `handle` gets the one request message, valid only during the call unless `ownsRequest` and not `keepsNothing`, once it is complete. */
  | {
      readonly kind: "unary" | "serverStream";
      readonly path: string;
      /**
       * Promises that nobody refers to the request's bytes any more when `handle` returns, whatever `ownsRequest` says: their
       * memory is used again at once. For methods of large requests.
       */
      readonly keepsNothing?: boolean;
      handle(request: Uint8Array, call: ServerCall): void;
    }
  | { readonly kind: "bidi"; readonly path: string; open(call: ServerCall): MessageSink };
