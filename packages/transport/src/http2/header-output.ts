/** Writes header lists of one connection: HPACK with the connection's table, then HEADERS and CONTINUATION frames. */
import { HeaderBlockWriter, type HeaderFields, HpackEncoder } from "../hpack/index.js";
import { writeHeaders } from "./frame-writer.js";
import type { Output } from "./output.js";

/** One for all connections: a block is encoded and copied to the output in one synchronous call. */
const writer = new HeaderBlockWriter();

/** One per connection. Blocks leave in the order in which they are encoded, as the peer's table demands. */
export class HeaderOutput {
  readonly encoder = new HpackEncoder();
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  /** Writes `fields` as the headers or trailers of a stream; `last` ends the stream. Fields that seldom repeat stay out of the table. */
  write(streamId: number, fields: HeaderFields, last: boolean): void {
    writer.reset();
    this.encoder.encode(fields, writer, "none");
    this.#writeBlock(streamId, last);
  }

  /** Like `write`, for fields that will be sent again and are worth a place in the peer's table. */
  writeIndexed(streamId: number, fields: HeaderFields, last: boolean): void {
    writer.reset();
    this.encoder.encode(fields, writer);
    this.#writeBlock(streamId, last);
  }

  #writeBlock(streamId: number, last: boolean): void {
    const block = writer.bytes.subarray(0, writer.length);
    writeHeaders(this.#output, streamId, block, last);
  }
}
