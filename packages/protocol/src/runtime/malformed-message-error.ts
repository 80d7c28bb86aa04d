/**
 * The one error that decoding throws for bad input. How it is told to a client: see transport-errors.ts.
 */

/** The bytes are not a valid encoding of the message; `message` says why. */
export class MalformedMessageError extends Error {
  override readonly name = "MalformedMessageError";
}
