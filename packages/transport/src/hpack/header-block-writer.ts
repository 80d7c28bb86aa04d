/** Integers and strings of a header block (RFC 7541 section 5), into a buffer that grows. What to write is left to the encoder. */

import { huffmanEncode, huffmanEncodedBytes } from "./huffman.js";

const INITIAL_BYTES = 512;
const HUFFMAN_FLAG = 0x80;
const LENGTH_MASK = 0x7f;
/** An integer takes its prefix and at most eight continuation octets, seven bits in each. */
const INTEGER_BYTES_MAX = 9;

/** Collects header blocks. Meant to be reused: `reset` keeps the memory. */
export class HeaderBlockWriter {
  #bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #length = 0;

  /** The buffer; its first `length` octets are the block. Replaced when it grows, so do not keep it over a write. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get length(): number {
    return this.#length;
  }

  /** Forgets what was written. */
  reset(): void {
    this.#length = 0;
  }

  /** Cuts back to `length` octets, which must not be more than there are. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** A copy of the block. */
  copy(): Uint8Array {
    return Uint8Array.prototype.slice.call(this.#bytes, 0, this.#length);
  }

  /** Appends octets as they are. */
  writeBytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Appends an integer whose first octet has `flags` above the prefix that `mask` covers (RFC 7541 section 5.1). */
  writeInteger(flags: number, mask: number, value: number): void {
    this.#reserve(INTEGER_BYTES_MAX);
    if (value < mask) {
      this.#bytes[this.#length++] = flags | value;
      return;
    }
    this.#bytes[this.#length++] = flags | mask;
    let rest = value - mask;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
    this.#bytes[this.#length++] = rest;
  }

  /**
   * Appends a string, Huffman-coded if that is shorter (RFC 7541 section 5.2). Throws `RangeError` if `text` has a char
   * above 255; nothing is written then.
   */
  writeString(text: string): void {
    const coded = huffmanEncodedBytes(text);
    if (coded < text.length) {
      this.writeInteger(HUFFMAN_FLAG, LENGTH_MASK, coded);
      this.#reserve(coded);
      this.#length = huffmanEncode(text, this.#bytes, this.#length);
      return;
    }
    this.writeInteger(0, LENGTH_MASK, text.length);
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) this.#bytes[this.#length + i] = text.charCodeAt(i);
    this.#length += text.length;
  }

  #reserve(bytes: number): void {
    const needed = this.#length + bytes;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}
