/** Errors of the HTTP/2 layer that end a connection. Stream errors are resets, not exceptions. */

/**
 * The peer broke the protocol or a limit, and the connection must end (RFC 9113, 5.4.1). Thrown only while a
 * frame is handled and caught by the connection, which turns it into a GOAWAY.
 */
export class ConnectionError extends Error {
  override readonly name = "ConnectionError";
  /** Error code of RFC 9113, section 7. */
  readonly code: number;

  /** `reason` is sent to the peer as debug data. */
  constructor(code: number, reason: string) {
    super(reason);
    this.code = code;
  }
}
