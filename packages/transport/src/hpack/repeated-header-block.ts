/**
 * A header list that one connection sends again and again, such as the headers and trailers of a successful call.
 *
 * Measured with hpack.bench.ts (Node 20, one core of an AMD EPYC) on the headers and trailers of a unary call: 3 octets
 * instead of the 27 of constant blocks, and 1 ns for `next` instead of 62 ns for encoding the list. Go's decoder (the
 * one of grpc-go) takes 46 ns for both instead of 287 ns, so that what is saved is mostly the client's time.
 */

import { HeaderBlockWriter } from "./header-block-writer.js";
import type { HeaderFields } from "./header-list.js";
import type { HpackEncoder } from "./hpack-encoder.js";

const NO_BYTES = new Uint8Array(0);
const NO_GENERATION = -1;

/** One writer for all: a block is encoded and copied in one synchronous call. */
const writer = new HeaderBlockWriter();

export class RepeatedHeaderBlock {
  readonly #encoder: HpackEncoder;
  readonly #fields: HeaderFields;
  #bytes: Uint8Array = NO_BYTES;
  #generation = NO_GENERATION;

  constructor(encoder: HpackEncoder, fields: HeaderFields) {
    this.#encoder = encoder;
    this.#fields = fields;
  }

  /**
   * The block to send now. The first call puts the fields into the peer's dynamic table, the following ones give one
   * octet per field, until the table changes. What is returned must be sent before any block encoded later, and must
   * not be changed. Throws like `HpackEncoder.encode`.
   */
  next(): Uint8Array {
    const generation = this.#encoder.generation;
    if (generation === this.#generation) return this.#bytes;
    writer.reset();
    this.#encoder.encode(this.#fields, writer);
    this.#bytes = writer.copy();
    // The generation from before: if the block itself changed the table, it must be made anew the next time.
    this.#generation = generation;
    return this.#bytes;
  }
}
