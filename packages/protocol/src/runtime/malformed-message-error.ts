/**
 * The one error that decoding throws for bad input, and how it is told to a gRPC client.
 */

/** The bytes are not a valid encoding of the message. */
export class MalformedMessageError extends Error {
  override readonly name = "MalformedMessageError";
}
