/**
 * The error that decoding throws for bad input, and the kind of it for which there is a bound. How they are told to a client:
 * see transport-errors.ts, and the server.
 */

/** The bytes are not a valid encoding of the message; `message` says why. */
export class MalformedMessageError extends Error {
  override readonly name: string = "MalformedMessageError";
}

/** The message has more items than whoever asked for it takes, see `decodeBounded`. */
export class TooManyItemsError extends MalformedMessageError {
  override readonly name = "TooManyItemsError";

  constructor() {
    super("too many items");
  }
}
