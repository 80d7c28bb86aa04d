/**
 * Integers and strings of a header block (RFC 7541 section 5). What they mean is left to the decoder.
 *
 * One reader serves all decoders of the process: decoding a block is one synchronous call, so that no two of them
 * overlap, and a connection needs no buffers of its own for it.
 */

import { isNameWellFormed, isValueWellFormed } from "./header-field.js";
import { HpackError } from "./hpack-error.js";
import { huffmanDecode, huffmanDecodedBytesMax } from "./huffman.js";
import { sharedName } from "./known-names.js";

const NO_BYTES = new Uint8Array(0);
const HUFFMAN_FLAG = 0x80;
const LENGTH_MASK = 0x7f;
/** The shift of the fourth continuation octet. Integers stay below 2^28 + 128, far above anything meaningful here. */
const LAST_SHIFT = 21;

const SCRATCH_BYTES = 8 * 1024;

export class HeaderBlockReader {
  #block: Uint8Array = NO_BYTES;
  #at = 0;
  #end = 0;
  #scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  #wellFormed = true;

  /** Starts at `block[start]`. Every `open` is followed by `close`, unless an `HpackError` ended the block. */
  open(block: Uint8Array, start: number, end: number): void {
    this.#block = block;
    this.#at = start;
    this.#end = end;
  }

  /** Lets go of the block and of memory that only an unusually long string needed. */
  close(): void {
    this.#block = NO_BYTES;
    if (this.#scratch.length > SCRATCH_BYTES) this.#scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);
  }

  get atEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** Whether the string read last obeys RFC 9113 section 8.2.1. */
  get wellFormed(): boolean {
    return this.#wellFormed;
  }

  /** The next octet, which is not taken. Only valid while not `atEnd`. */
  peek(): number {
    return this.#block[this.#at];
  }

  /** Takes the next octet. Only valid while not `atEnd`. */
  takeOctet(): number {
    return this.#block[this.#at++];
  }

  /** The integer whose first octet, already taken, is `first`; `mask` covers its prefix. */
  readInteger(first: number, mask: number): number {
    const prefix = first & mask;
    return prefix < mask ? prefix : this.#readContinuation(mask);
  }

  /** A string that is a field name. */
  readName(): string {
    const length = this.#readOctets();
    this.#wellFormed = isNameWellFormed(this.#scratch, length);
    return sharedName(this.#scratch.toString("latin1", 0, length));
  }

  /** A string that is a field value. */
  readValue(): string {
    const length = this.#readOctets();
    this.#wellFormed = isValueWellFormed(this.#scratch, length);
    return length === 0 ? "" : this.#scratch.toString("latin1", 0, length);
  }

  #readContinuation(mask: number): number {
    let value = mask;
    for (let shift = 0; shift <= LAST_SHIFT; shift += 7) {
      if (this.#at >= this.#end) throw new HpackError("truncated", "header block ends inside an integer");
      const octet = this.#block[this.#at++];
      value += (octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
    throw new HpackError("integer-overflow", "integer with more than four continuation octets");
  }

  /** Decodes one string into the front of the scratch buffer and returns its length. */
  #readOctets(): number {
    if (this.#at >= this.#end) throw new HpackError("truncated", "header block ends before a string");
    const first = this.#block[this.#at++];
    const length = this.readInteger(first, LENGTH_MASK);
    const start = this.#at;
    if (length > this.#end - start) throw new HpackError("truncated", "header block ends inside a string");
    this.#at = start + length;
    const isHuffman = first >= HUFFMAN_FLAG;
    this.#reserve(isHuffman ? huffmanDecodedBytesMax(length) : length);
    return isHuffman ? huffmanDecode(this.#block, start, this.#at, this.#scratch) : this.#copy(start, length);
  }

  #copy(start: number, length: number): number {
    const scratch = this.#scratch;
    const block = this.#block;
    for (let i = 0; i < length; i++) scratch[i] = block[start + i];
    return length;
  }

  /** The declared length was checked against the block before, so this is bounded by the size of the block. */
  #reserve(bytes: number): void {
    if (bytes > this.#scratch.length) this.#scratch = Buffer.allocUnsafeSlow(bytes);
  }
}
