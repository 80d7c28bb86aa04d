/**
 * Where JSON is written: bytes, not strings, because an answer of some megabytes is made of hundreds of thousands of
 * pieces, and a string of so many is slow to make and has to become bytes in the end.
 */

import type { ByteString } from "../byte-string.js";
import { scratchBytesInitial, scratchBytesKeptMax } from "../limits.js";

/** From here on native code is faster, in bytes. */
const nativeBytesMin = 64;
/** Most bytes that one character takes in UTF-8, of those that a string counts as one. */
const utf8BytesMax = 3;
const padding = 0x3d;
const digits = Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", "latin1");

export class JsonOutput {
  #bytes: Buffer = Buffer.allocUnsafeSlow(scratchBytesInitial);
  #length = 0;

  /** Forgets what was written. */
  reset(): void {
    this.#length = 0;
    if (this.#bytes.length > scratchBytesKeptMax) this.#bytes = Buffer.allocUnsafeSlow(scratchBytesInitial);
  }

  /** What was written, until the next reset. */
  view(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(code: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = code;
  }

  /** Short bytes, which are copied one by one. */
  copy(bytes: Uint8Array): void {
    const { length } = bytes;
    this.#reserve(length);
    const target = this.#bytes;
    let at = this.#length;
    for (let index = 0; index < length; index++) target[at++] = bytes[index] as number;
    this.#length = at;
  }

  /** Text that is ASCII, for example a number. */
  ascii(text: string): void {
    const { length } = text;
    this.#reserve(length);
    const target = this.#bytes;
    let at = this.#length;
    for (let index = 0; index < length; index++) target[at++] = text.charCodeAt(index);
    this.#length = at;
  }

  /** Any text, in quotes. A half of a surrogate pair is written as its escape. */
  string(text: string): void {
    const json = JSON.stringify(text);
    this.#reserve(json.length * utf8BytesMax);
    this.#length += this.#bytes.write(json, this.#length, "utf8");
  }

  /** `bytes` in base64: the standard alphabet, padded. */
  base64OfBytes(bytes: Uint8Array): void {
    if (bytes.length >= nativeBytesMin) {
      this.#nativeBase64(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      return;
    }
    this.#reserve(base64Length(bytes.length));
    const whole = bytes.length - (bytes.length % 3);
    for (let at = 0; at < whole; at += 3) {
      this.#quartet(bytes[at] as number, bytes[at + 1] as number, bytes[at + 2] as number);
    }
    if (whole < bytes.length) this.#lastQuartet(bytes[whole] as number, bytes[whole + 1]);
  }

  /** The bytes of `text` in base64, likewise. */
  base64OfByteString(text: ByteString): void {
    const { length } = text;
    if (length >= nativeBytesMin) {
      this.#nativeBase64(Buffer.from(text, "latin1"));
      return;
    }
    this.#reserve(base64Length(length));
    const whole = length - (length % 3);
    for (let at = 0; at < whole; at += 3) {
      this.#quartet(text.charCodeAt(at), text.charCodeAt(at + 1), text.charCodeAt(at + 2));
    }
    if (whole < length)
      this.#lastQuartet(text.charCodeAt(whole), whole + 1 < length ? text.charCodeAt(whole + 1) : undefined);
  }

  #nativeBase64(bytes: Buffer): void {
    const text = bytes.toString("base64");
    this.#reserve(text.length);
    this.#length += this.#bytes.write(text, this.#length, "latin1");
  }

  #quartet(first: number, second: number, third: number): void {
    const target = this.#bytes;
    const at = this.#length;
    target[at] = digits[first >> 2] as number;
    target[at + 1] = digits[((first & 0x03) << 4) | (second >> 4)] as number;
    target[at + 2] = digits[((second & 0x0f) << 2) | (third >> 6)] as number;
    target[at + 3] = digits[third & 0x3f] as number;
    this.#length = at + 4;
  }

  /** Of one byte or two. */
  #lastQuartet(first: number, second: number | undefined): void {
    this.#quartet(first, second ?? 0, 0);
    this.#bytes[this.#length - 1] = padding;
    if (second === undefined) this.#bytes[this.#length - 2] = padding;
  }

  /** Makes room for so many more bytes. */
  #reserve(byteCount: number): void {
    const needed = this.#length + byteCount;
    if (needed <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

function base64Length(byteCount: number): number {
  return Math.ceil(byteCount / 3) * 4;
}
