/**
 * Header lists to header blocks, RFC 7541 sections 4 and 6, for one direction of one connection.
 *
 * Every block must be sent, whole and in the order of encoding, even if its stream has been reset meanwhile: the peer's
 * table follows it. Field names must be lower case already. Splitting a block into frames is left to http2/.
 */

import { INITIAL_TABLE_BYTES } from "./dynamic-table.js";
import { EncoderTable } from "./encoder-table.js";
import { writeIndexedField, writeLiteralField, writeSizeUpdate } from "./field-representation.js";
import type { HeaderBlockWriter } from "./header-block-writer.js";
import type { HeaderFields } from "./header-list.js";
import { type FieldIndexing, indexingFor, isTooLargeToIndex, stricterIndexing } from "./indexing-policy.js";

export interface HpackEncoderOptions {
  /** Octets of dynamic table that we are willing to keep, whatever the peer allows; default 4096. */
  readonly tableBytesMax?: number;
  /** How the fields of a name are indexed; default: by what is known of the usual names (indexing-policy.ts). */
  readonly indexingFor?: (name: string) => FieldIndexing;
}

export class HpackEncoder {
  readonly #table = new EncoderTable();
  readonly #ownTableBytesMax: number;
  readonly #indexingFor: (name: string) => FieldIndexing;
  /** The size that the peer is still to be told, and the lowest one in between; -1 if there is nothing to tell. */
  #nextTableBytes = -1;
  #lowestTableBytes = -1;

  constructor(options: HpackEncoderOptions = {}) {
    this.#ownTableBytesMax = options.tableBytesMax ?? INITIAL_TABLE_BYTES;
    this.#indexingFor = options.indexingFor ?? indexingFor;
    this.generation = this.#table.generation;
    if (this.#ownTableBytesMax < INITIAL_TABLE_BYTES) this.#announce(this.#ownTableBytesMax);
  }

  /**
   * Changes whenever a list might be encoded otherwise than before. While it stays the same, encoding a list again
   * gives the same octets, provided that the first time did not change it either. A copy of the table's: it is asked for
   * with every answer, and the table is two objects further away.
   */
  generation: number;

  /** True if the next block must begin with a size update: a block made by `constantBlock` must not come next. */
  get sizeUpdateDue(): boolean {
    return this.#nextTableBytes >= 0;
  }

  /**
   * The peer's SETTINGS_HEADER_TABLE_SIZE; to be called when its SETTINGS frame is acknowledged. The next block begins
   * with a size update if the size changes (RFC 7541 section 4.2, RFC 9113 section 4.3.1).
   */
  setPeerTableBytesMax(bytes: number): void {
    const usable = Math.min(bytes, this.#ownTableBytesMax);
    if (usable !== this.#table.bytesMax || this.sizeUpdateDue) this.#announce(usable);
  }

  /**
   * Appends the block of `fields` to `out`. Fields are indexed by what their names suggest, but no more than
   * `indexingMost` allows: with `none` the table stays as it is, and secrets are marked all the same. Throws
   * `RangeError` if a field has a char above 255; then nothing is appended, and the encoder may be used further.
   */
  encode(fields: HeaderFields, out: HeaderBlockWriter, indexingMost: FieldIndexing = "incremental"): void {
    const start = out.length;
    const { names, values } = fields;
    try {
      this.#writeSizeUpdates(out);
      for (let i = 0; i < names.length; i++) {
        this.#encodeField(names[i], values[i], stricterIndexing(indexingMost, this.#indexingFor(names[i])), out);
      }
    } catch (error) {
      out.truncate(start);
      this.#startOver();
      throw error;
    } finally {
      this.generation = this.#table.generation;
    }
  }

  #writeSizeUpdates(out: HeaderBlockWriter): void {
    if (!this.sizeUpdateDue) return;
    if (this.#lowestTableBytes < this.#nextTableBytes) this.#resize(this.#lowestTableBytes, out);
    this.#resize(this.#nextTableBytes, out);
    this.#nextTableBytes = -1;
    this.#lowestTableBytes = -1;
  }

  #encodeField(name: string, value: string, indexing: FieldIndexing, out: HeaderBlockWriter): void {
    const found = this.#table.find(name, value);
    if (found > 0 && indexing !== "never") {
      writeIndexedField(out, found);
      return;
    }
    const nameIndex = Math.abs(found);
    if (indexing !== "incremental" || isTooLargeToIndex(name, value, this.#table.bytesMax)) {
      writeLiteralField(out, nameIndex, name, value, indexing === "never" ? "never" : "none");
      return;
    }
    writeLiteralField(out, nameIndex, name, value, "incremental");
    this.#table.insert(name, value);
  }

  #announce(bytes: number): void {
    this.#lowestTableBytes = this.sizeUpdateDue ? Math.min(this.#lowestTableBytes, bytes) : bytes;
    this.#nextTableBytes = bytes;
    this.#table.touch();
    this.generation = this.#table.generation;
  }

  #resize(bytes: number, out: HeaderBlockWriter): void {
    this.#table.resize(bytes);
    writeSizeUpdate(out, bytes);
  }

  /** Part of a block has changed our table but will not reach the peer: both begin again with an empty one. */
  #startOver(): void {
    const bytes = this.sizeUpdateDue ? this.#nextTableBytes : this.#table.bytesMax;
    this.#announce(0);
    this.#announce(bytes);
  }
}
