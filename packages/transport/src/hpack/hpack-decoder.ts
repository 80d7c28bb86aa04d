/**
 * Header blocks to header lists, RFC 7541 sections 3, 4 and 6, for one direction of one connection.
 *
 * Joining the fragments of a block and reading its fields as a request are left to http2/. Blocks must be given in the
 * order in which they arrived, including those of streams that nobody wants any more: each may change the table.
 */

import { DynamicTable, INITIAL_TABLE_BYTES } from "./dynamic-table.js";
import { HeaderBlockReader } from "./header-block-reader.js";
import { FIELD_OVERHEAD_BYTES, HeaderField } from "./header-field.js";
import { HeaderList, type HeaderListRefusal } from "./header-list.js";
import { HpackError } from "./hpack-error.js";
import type { KnownBlocks } from "./known-blocks.js";
import { RepeatedBlocks } from "./repeated-blocks.js";
import { STATIC_FIELDS, STATIC_LENGTH } from "./static-table.js";

export interface HpackDecoderOptions {
  /** Octets of a decoded list (RFC 7541 section 4.1: name + value + 32 per field) above which it is refused. */
  readonly headerListBytesMax: number;
  /** Fields of a decoded list above which it is refused; each piece of a cookie counts. */
  readonly fieldsMax: number;
  /**
   * The SETTINGS_HEADER_TABLE_SIZE that we announce first; default 4096, at most 2^28 - 1. A value below 4096 binds
   * the peer only from its acknowledgement on: tell it then to `setTableBytesMax`.
   */
  readonly tableBytesMax?: number;
  /** What other decoders have met, to share lists with them, attachments included. By default nothing is shared. */
  readonly knownBlocks?: KnownBlocks;
}

/** Larger sizes cannot be told from malformed ones: header-block-reader.ts. */
const TABLE_BYTES_LIMIT = 2 ** 28 - 1;

const INDEXED_FLAG = 0x80;
const INDEXED_MASK = 0x7f;
const INCREMENTAL_FLAG = 0x40;
const INCREMENTAL_MASK = 0x3f;
const SIZE_UPDATE_FLAG = 0x20;
const SIZE_UPDATE_MASK = 0x1f;
const PLAIN_LITERAL_MASK = 0x0f;

/** Stands in between two blocks, so that an idle connection does not keep its last list alive. */
const NO_STRINGS: string[] = [];

const reader = new HeaderBlockReader();

export class HpackDecoder {
  readonly #table = new DynamicTable();
  readonly #repeated: RepeatedBlocks;
  readonly #headerListBytesMax: number;
  readonly #fieldsMax: number;
  #tableBytesMax: number;
  /** The lowest limit that the peer must still answer with a size update. */
  #unansweredTableBytesMax = Number.POSITIVE_INFINITY;

  // The list being decoded.
  #names: string[] = NO_STRINGS;
  #values: string[] = NO_STRINGS;
  #bytes = 0;
  #wellFormed = true;
  #refusal: HeaderListRefusal | undefined = undefined;

  /** Throws `RangeError` for a table size that is not a whole number below 2^28. */
  constructor(options: HpackDecoderOptions) {
    this.#repeated = new RepeatedBlocks(options.knownBlocks);
    this.#headerListBytesMax = options.headerListBytesMax;
    this.#fieldsMax = options.fieldsMax;
    const tableBytesMax = options.tableBytesMax ?? INITIAL_TABLE_BYTES;
    checkTableBytes(tableBytesMax);
    this.#tableBytesMax = Math.max(tableBytesMax, INITIAL_TABLE_BYTES);
  }

  /** Octets that the entries of the dynamic table count for. */
  get tableBytes(): number {
    return this.#table.bytes;
  }

  /** Entries in the dynamic table. */
  get tableLength(): number {
    return this.#table.length;
  }

  /**
   * To be called when the peer has acknowledged a SETTINGS frame of ours that carries SETTINGS_HEADER_TABLE_SIZE. If
   * `bytes` is below the size that the peer uses, its next block must begin with a size update (RFC 7541 section 4.2).
   * Throws `RangeError` like the constructor.
   */
  setTableBytesMax(bytes: number): void {
    checkTableBytes(bytes);
    this.#tableBytesMax = bytes;
    if (bytes < this.#table.bytesMax) {
      this.#unansweredTableBytesMax = Math.min(this.#unansweredTableBytesMax, bytes);
    }
    // A block known by heart would not be looked at for the size update that it lacks.
    this.#table.touch();
  }

  /**
   * Decodes the complete header block `block[start, end)`; nothing of it is kept. A list above the limits is given
   * without its fields, with `refusal` set and the dynamic table in step. The list may be one that was given before, to
   * another decoder perhaps.
   * Throws `HpackError` for a malformed block; the decoder must not be used after that.
   */
  decode(block: Uint8Array, start: number, end: number): HeaderList {
    const generation = this.#table.generation;
    const repeated = this.#repeated.find(block, start, end, generation);
    if (repeated !== undefined) return repeated;
    reader.open(block, start, end);
    this.#beginList();
    this.#readSizeUpdates();
    while (!reader.atEnd) this.#readField(reader.takeOctet());
    reader.close();
    const list = this.#endList();
    if (generation !== this.#table.generation) return list;
    return this.#repeated.store(block, start, end, generation, list);
  }

  #beginList(): void {
    this.#names = [];
    this.#values = [];
    this.#bytes = 0;
    this.#wellFormed = true;
    this.#refusal = undefined;
  }

  #endList(): HeaderList {
    const list = new HeaderList(this.#names, this.#values, this.#bytes, this.#refusal, this.#wellFormed);
    this.#names = NO_STRINGS;
    this.#values = NO_STRINGS;
    return list;
  }

  /** RFC 7541 section 4.2: only at the start of a block, the lowest size since the last block among them. */
  #readSizeUpdates(): void {
    while (!reader.atEnd && (reader.peek() & 0xe0) === SIZE_UPDATE_FLAG) this.#readSizeUpdate();
    if (this.#unansweredTableBytesMax !== Number.POSITIVE_INFINITY) {
      throw new HpackError("size-update-missing", "table size was lowered, but the block has no size update");
    }
  }

  #readSizeUpdate(): void {
    const bytes = reader.readInteger(reader.takeOctet(), SIZE_UPDATE_MASK);
    const limit = Math.min(this.#tableBytesMax, this.#unansweredTableBytesMax);
    if (bytes > limit) throw new HpackError("size-update-too-large", "size update above the limit");
    this.#unansweredTableBytesMax = Number.POSITIVE_INFINITY;
    this.#table.resize(bytes);
  }

  /** One representation of RFC 7541 section 6. */
  #readField(first: number): void {
    if (first >= INDEXED_FLAG) {
      const field = this.#fieldAt(reader.readInteger(first, INDEXED_MASK));
      this.#add(field.name, field.value, field.bytes, field.wellFormed);
    } else if (first >= INCREMENTAL_FLAG) {
      this.#readLiteral(reader.readInteger(first, INCREMENTAL_MASK), true);
    } else if (first >= SIZE_UPDATE_FLAG) {
      throw new HpackError("size-update-misplaced", "table size update behind a field");
    } else {
      // "Without indexing" and "never indexed" differ only for those who pass a field on.
      this.#readLiteral(reader.readInteger(first, PLAIN_LITERAL_MASK), false);
    }
  }

  #readLiteral(nameIndex: number, isIndexed: boolean): void {
    let name: string;
    let nameWellFormed: boolean;
    if (nameIndex === 0) {
      name = reader.readName();
      nameWellFormed = reader.wellFormed;
    } else {
      const field = this.#fieldAt(nameIndex);
      name = field.name;
      nameWellFormed = field.nameWellFormed;
    }
    const value = reader.readValue();
    const wellFormed = nameWellFormed && reader.wellFormed;
    if (isIndexed) this.#table.insert(new HeaderField(name, value, nameWellFormed, reader.wellFormed));
    this.#add(name, value, name.length + value.length + FIELD_OVERHEAD_BYTES, wellFormed);
  }

  /** RFC 7541 section 2.3.3: static entries first, then dynamic ones, newest first. */
  #fieldAt(index: number): HeaderField {
    const field = index <= STATIC_LENGTH ? STATIC_FIELDS[index - 1] : this.#table.get(index - STATIC_LENGTH - 1);
    if (field === undefined) throw new HpackError("bad-index", "no table entry has that index");
    return field;
  }

  #add(name: string, value: string, bytes: number, wellFormed: boolean): void {
    this.#bytes += bytes;
    if (!wellFormed) this.#wellFormed = false;
    if (this.#refusal !== undefined) return;
    if (this.#bytes > this.#headerListBytesMax) this.#refuse("header-list-too-large");
    else if (this.#names.length >= this.#fieldsMax) this.#refuse("too-many-fields");
    else {
      this.#names.push(name);
      this.#values.push(value);
    }
  }

  /** A part of a list could pass for a whole one that lacks, say, its credentials. So nothing of it is given. */
  #refuse(refusal: HeaderListRefusal): void {
    this.#refusal = refusal;
    this.#names = [];
    this.#values = [];
  }
}

function checkTableBytes(bytes: number): void {
  if (Number.isInteger(bytes) && bytes >= 0 && bytes <= TABLE_BYTES_LIMIT) return;
  throw new RangeError(`header table size ${bytes} is not a whole number from 0 to ${TABLE_BYTES_LIMIT}`);
}
