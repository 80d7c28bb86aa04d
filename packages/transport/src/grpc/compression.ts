/**
 * Message compression of requests: identity and gzip. Inflating is synchronous on purpose: the thread pool belongs to
 * file syncs (F8), messages keep their order, and the output is capped, so one message costs a bounded time.
 */
import { gunzipSync } from "node:zlib";
import type { TransportContext } from "../http2/context.js";
import { INTERNAL, RESOURCE_EXHAUSTED, UNIMPLEMENTED } from "./status.js";
import type { Status } from "./types.js";

export const IDENTITY = "identity";
export const GZIP = "gzip";
/** Value of `grpc-accept-encoding`. */
export const ACCEPTED_ENCODINGS = `${IDENTITY},${GZIP}`;

const NOT_COMPRESSED = 0;
const COMPRESSED = 1;

/** The message to hand on, or the status that ends the call. */
export type OpenedMessage = { readonly bytes: Buffer } | { readonly refusal: Status };

/** The status for a call whose messages come in an encoding we do not know (grpc-go's text). */
export function unknownEncoding(encoding: string): Status {
  return {
    code: UNIMPLEMENTED,
    message: `grpc: Decompressor is not installed for grpc-encoding ${JSON.stringify(encoding)}`,
  };
}

/** Opens a message that does not carry flag 0: inflates it, or says why not (F44). */
export function openFlagged(bytes: Buffer, flag: number, encoding: string, context: TransportContext): OpenedMessage {
  if (flag === NOT_COMPRESSED) return { bytes };
  if (flag !== COMPRESSED) return refuse(INTERNAL, `grpc: received unexpected payload format ${flag}`);
  if (encoding !== GZIP) return refuse(INTERNAL, "grpc: compressed flag set with identity or empty encoding");
  return inflate(bytes, context);
}

function inflate(bytes: Buffer, context: TransportContext): OpenedMessage {
  const { limits, counters } = context;
  try {
    return { bytes: gunzipSync(bytes, { maxOutputLength: limits.messageBytesMax }) };
  } catch (error) {
    if (isTooLarge(error)) {
      counters.messagesTooLarge++;
      const text = `grpc: received message after decompression larger than max ${limits.messageBytesMax}`;
      return refuse(RESOURCE_EXHAUSTED, text);
    }
    counters.brokenCompression++;
    return refuse(INTERNAL, `grpc: failed to decompress the message: ${(error as Error).message}`);
  }
}

function isTooLarge(error: unknown): boolean {
  return error instanceof RangeError && (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
}

function refuse(code: number, message: string): OpenedMessage {
  return { refusal: { code, message } };
}
