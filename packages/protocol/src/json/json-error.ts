/** The one error that reading JSON throws for bad input. */

/**
 * The text is not JSON, or not the JSON of the message. `message` is fit for a client; it reads like what Go's parsers
 * say, but does not always match them word for word. The gateway answers it with INVALID_ARGUMENT.
 */
export class JsonError extends Error {
  override readonly name = "JsonError";
}
