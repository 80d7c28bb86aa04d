/**
 * Writes the response to a successful unary call: headers, message and trailers in one go, straight into the
 * output. This is the hottest code of the server.
 */
import { type HpackEncoder, RepeatedHeaderBlock } from "../hpack/index.js";
import { putBytes } from "../http2/frame-writer.js";
import type { Output } from "../http2/output.js";
import { DATA, FLAG_END_HEADERS, FLAG_END_STREAM, FRAME_HEADER_BYTES, HEADERS } from "../http2/protocol.js";
import { PREFIX_BYTES } from "./message-reader.js";
import { OK_TRAILERS, RESPONSE_HEADERS } from "./status.js";

const NO_BYTES = new Uint8Array(0);
const NO_GENERATION = -1;

/** One per connection, because header blocks refer to the connection's table. */
export class ReplyWriter {
  readonly #encoder: HpackEncoder;
  readonly #headers: RepeatedHeaderBlock;
  readonly #trailers: RepeatedHeaderBlock;
  /** Of the encoder, when it last gave what is kept in the next two. */
  #generation = NO_GENERATION;
  #headerBlock: Uint8Array = NO_BYTES;
  #trailerBlock: Uint8Array = NO_BYTES;

  constructor(encoder: HpackEncoder) {
    this.#encoder = encoder;
    this.#headers = new RepeatedHeaderBlock(encoder, RESPONSE_HEADERS);
    this.#trailers = new RepeatedHeaderBlock(encoder, OK_TRAILERS);
  }

  /** HEADERS, DATA with one message, and HEADERS with status OK that end the stream. */
  writeUnary(output: Output, streamId: number, message: Uint8Array): void {
    if (this.#encoder.generation !== this.#generation) this.#renewBlocks();
    const headers = this.#headerBlock;
    const trailers = this.#trailerBlock;
    const length = message.length;
    let at = output.reserve(3 * FRAME_HEADER_BYTES + headers.length + PREFIX_BYTES + length + trailers.length);
    const bytes = output.bytes;
    at = putFrame(bytes, at, headers, HEADERS, FLAG_END_HEADERS, streamId);
    at = putFrameHeader(bytes, at, PREFIX_BYTES + length, DATA, 0, streamId);
    bytes[at] = 0;
    putUint32(bytes, at + 1, length);
    at = putBytes(bytes, at + PREFIX_BYTES, message);
    putFrame(bytes, at, trailers, HEADERS, FLAG_END_HEADERS | FLAG_END_STREAM, streamId);
  }

  /** Gets the two blocks in the order in which they will be sent. They may be sent again if they left the table alone. */
  #renewBlocks(): void {
    const { generation } = this.#encoder;
    this.#headerBlock = this.#headers.next();
    this.#trailerBlock = this.#trailers.next();
    this.#generation = this.#encoder.generation === generation ? generation : NO_GENERATION;
  }

  /** HEADERS alone, for a response that goes on. */
  writeHeaders(output: Output, streamId: number): void {
    const headers = this.#headers.next();
    const at = output.reserve(FRAME_HEADER_BYTES + headers.length);
    putFrame(output.bytes, at, headers, HEADERS, FLAG_END_HEADERS, streamId);
  }
}

function putFrame(bytes: Buffer, at: number, payload: Uint8Array, type: number, flags: number, id: number): number {
  return putBytes(bytes, putFrameHeader(bytes, at, payload.length, type, flags, id), payload);
}

function putFrameHeader(bytes: Buffer, at: number, length: number, type: number, flags: number, id: number): number {
  bytes[at] = length >>> 16;
  bytes[at + 1] = length >>> 8;
  bytes[at + 2] = length;
  bytes[at + 3] = type;
  bytes[at + 4] = flags;
  putUint32(bytes, at + 5, id);
  return at + FRAME_HEADER_BYTES;
}

function putUint32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
