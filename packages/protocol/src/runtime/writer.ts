/**
 * Writes the protobuf wire format: the hand-tuned half of every encoder.
 *
 * It knows bytes, varints and lengths; which field is which, and which defaults are left out, is the business of the
 * generated code. All methods grow the buffer as needed.
 */

import type { ByteString } from "../byte-string.js";
import { scratchBytesInitial, scratchBytesKeptMax } from "../limits.js";
import { ByteCopier } from "./byte-copies.js";
import { halves, highHalf, lowHalf, signedWhole, unsignedWhole } from "./halves.js";
import type { PackedKeyValue } from "./packed-key-value.js";

const two32 = 2 ** 32;
const two63 = 2 ** 63;
const two64 = 2 ** 64;

/** Byte strings up to this length are written character by character; longer ones by the runtime's own encoder. */
const shortStringMax = 28;

/** Longest tag (5 bytes) plus longest varint (10 bytes). */
const scalarFieldBytesMax = 15;

const int64Min = -(2n ** 63n);
const int64Max = 2n ** 63n - 1n;
const uint64Max = 2n ** 64n - 1n;

/** Appends to a buffer that it owns and that grows. */
export class Writer {
  #buffer: Buffer;
  #plain: Uint8Array;
  #copier = new ByteCopier();
  #position = 0;
  /** The last one given. Answers of one kind are mostly as long as the one before, and a view costs as much as writing twenty bytes. */
  #view: Uint8Array;
  readonly #keptBytesMax: number;

  /** A buffer that has grown beyond `keptBytesMax` is given up at the next `reset`. */
  constructor(initialBytes: number = scratchBytesInitial, keptBytesMax: number = scratchBytesKeptMax) {
    this.#keptBytesMax = keptBytesMax;
    this.#buffer = Buffer.allocUnsafeSlow(initialBytes);
    this.#plain = plainView(this.#buffer);
    this.#view = this.#plain;
  }

  /** How many bytes have been written. */
  get length(): number {
    return this.#position;
  }

  /** Starts over; whatever `view` returned before is overwritten from now on. */
  reset(): void {
    this.#position = 0;
    if (this.#buffer.length > this.#keptBytesMax) this.#replaceBuffer(scratchBytesInitial);
  }

  /** The bytes written, as a view that is valid until something is written after the next call of `reset`. */
  view(): Uint8Array {
    if (this.#view.length !== this.#position) this.#view = this.#plain.subarray(0, this.#position);
    return this.#view;
  }

  /** The bytes written, as a copy. */
  copy(): Uint8Array {
    return this.#copier.copy(this.#plain, 0, this.#position);
  }

  /** Appends bytes as they are: a message or field encoded elsewhere. */
  raw(bytes: Uint8Array): void {
    this.#ensure(bytes.length);
    this.#plain.set(bytes, this.#position);
    this.#position += bytes.length;
  }

  /** Appends all that was written from `start` on again, so many times. */
  repeat(start: number, times: number): void {
    const end = this.#position;
    const length = end - start;
    this.#ensure(length * times);
    const bytes = this.#plain;
    for (let at = end, from = start; at < end + length * times; at++, from++) bytes[at] = bytes[from]!;
    this.#position = end + length * times;
  }

  /** Appends the encoding of a pair that was packed. */
  packed({ memory, start, length }: PackedKeyValue): void {
    this.#ensure(length);
    this.#plain.set(memory.bytes.subarray(start, start + length), this.#position);
    this.#position += length;
  }

  /** A tag; see `fieldTag`. */
  tag(tag: number): void {
    this.varint32(tag);
  }

  /** An unsigned 32-bit integer as a varint. */
  varint32(value: number): void {
    this.#ensure(5);
    this.#varint32(value);
  }

  /** Four bytes, little-endian. */
  fixed32(value: number): void {
    this.#ensure(4);
    this.#position = this.#buffer.writeUInt32LE(value >>> 0, this.#position);
  }

  /** Eight bytes, little-endian. */
  fixed64(value: bigint): void {
    this.#ensure(8);
    this.#position = this.#buffer.writeBigUInt64LE(BigInt.asUintN(64, value), this.#position);
  }

  /** A `bool` field. All `…Field` methods write a tag (see `fieldTag`) and a value. */
  boolField(tag: number, value: boolean): void {
    this.#ensure(scalarFieldBytesMax);
    this.#varint32(tag);
    this.#plain[this.#position++] = value ? 1 : 0;
  }

  /** An `int32` field or the number of an enum, modulo 2^32. */
  int32Field(tag: number, value: number): void {
    this.#ensure(scalarFieldBytesMax);
    this.#varint32(tag);
    this.#varint64(value, value >> 31);
  }

  /** One number of a packed list. */
  int32(value: number): void {
    this.#ensure(scalarFieldBytesMax);
    this.#varint64(value, value >> 31);
  }

  /** A `uint32` field, modulo 2^32. */
  uint32Field(tag: number, value: number): void {
    this.#ensure(scalarFieldBytesMax);
    this.#varint32(tag);
    this.#varint32(value);
  }

  /** An `int64` field. Fractions are cut off, values out of range are clamped, NaN is 0. */
  int64NumberField(tag: number, value: number): void {
    this.#ensure(scalarFieldBytesMax);
    this.#varint32(tag);
    if (value >= 0 && value < two32) this.#varint32(value);
    else if (value >= two63) this.#varint64(-1, 0x7fffffff);
    else if (value <= -two63) this.#varint64(0, -two63 / two32);
    else this.#varintNumber(value);
  }

  /** A `uint64` field. Fractions are cut off, values out of range are clamped, NaN is 0. */
  uint64NumberField(tag: number, value: number): void {
    this.#ensure(scalarFieldBytesMax);
    this.#varint32(tag);
    if (value >= 0 && value < two32) this.#varint32(value);
    else if (value >= two64) this.#varint64(-1, -1);
    else this.#varintNumber(Math.max(value, 0));
  }

  /** An `int64` field. Throws `RangeError` when the value does not fit. */
  int64BigIntField(tag: number, value: bigint): void {
    this.#ensure(scalarFieldBytesMax);
    this.#varint32(tag);
    if (value < int64Min || value > int64Max) throw new RangeError(`not a signed 64-bit integer: ${value}`);
    signedWhole[0] = value;
    this.#varint64(halves[lowHalf]!, halves[highHalf]!);
  }

  /** A `uint64` field. Throws `RangeError` when the value does not fit. */
  uint64BigIntField(tag: number, value: bigint): void {
    this.#ensure(scalarFieldBytesMax);
    this.#varint32(tag);
    if (value < 0n || value > uint64Max) throw new RangeError(`not an unsigned 64-bit integer: ${value}`);
    unsignedWhole[0] = value;
    this.#varint64(halves[lowHalf]!, halves[highHalf]!);
  }

  /** A `bytes` field held as a byte string. */
  byteStringField(tag: number, value: ByteString): void {
    const length = value.length;
    this.#ensure(scalarFieldBytesMax + length);
    this.#varint32(tag);
    this.#varint32(length);
    if (length <= shortStringMax) {
      const buffer = this.#plain;
      let position = this.#position;
      for (let index = 0; index < length; index++) buffer[position++] = value.charCodeAt(index);
    } else {
      this.#buffer.write(value, this.#position, length, "latin1");
    }
    this.#position += length;
  }

  /** A `bytes` field, or a message that is encoded already. */
  bytesField(tag: number, value: Uint8Array): void {
    const length = value.length;
    this.#ensure(scalarFieldBytesMax + length);
    this.#varint32(tag);
    this.#varint32(length);
    this.#plain.set(value, this.#position);
    this.#position += length;
  }

  /** A `string` field. Lone surrogates become U+FFFD. */
  stringField(tag: number, value: string): void {
    const length = Buffer.byteLength(value, "utf8");
    this.#ensure(scalarFieldBytesMax + length);
    this.#varint32(tag);
    this.#varint32(length);
    this.#buffer.write(value, this.#position, length, "utf8");
    this.#position += length;
  }

  /**
   * Opens a message field (or packed list); returns the mark for `end`. `expectedBytes` is a guess at its size:
   * when the guess has the right number of digits, `end` need not move the body.
   */
  begin(tag: number, expectedBytes: number): number {
    this.#ensure(scalarFieldBytesMax);
    this.#varint32(tag);
    this.#position += varintBytes(expectedBytes);
    return this.#position;
  }

  /** Closes the field opened by `begin`; `expectedBytes` has to be the same. */
  end(bodyStart: number, expectedBytes: number): void {
    const length = this.#position - bodyStart;
    const lengthStart = bodyStart - varintBytes(expectedBytes);
    const shift = lengthStart + varintBytes(length) - bodyStart;
    if (shift !== 0) {
      this.#ensure(scalarFieldBytesMax);
      this.#plain.copyWithin(bodyStart + shift, bodyStart, bodyStart + length);
    }
    this.#position = lengthStart;
    this.#varint32(length);
    this.#position += length;
  }

  /** As `varint32`, when there is room already. */
  #varint32(value: number): void {
    const buffer = this.#plain;
    let position = this.#position;
    let rest = value >>> 0;
    while (rest > 0x7f) {
      buffer[position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[position++] = rest;
    this.#position = position;
  }

  #varintNumber(value: number): void {
    const whole = Math.trunc(value);
    const high = Math.floor(whole / two32);
    this.#varint64(whole - high * two32, high);
  }

  /** A varint of the 64 bits `high`, `low`, when there is room already. */
  #varint64(low: number, high: number): void {
    if (high === 0) {
      this.#varint32(low);
      return;
    }
    this.#continued28(low);
    const middle = (low >>> 28) | (high << 4);
    const top = high >>> 24;
    if (top === 0) {
      this.#varint32(middle);
      return;
    }
    this.#continued28(middle);
    this.#varint32(top);
  }

  /** The low 28 bits as four bytes of a varint that goes on. */
  #continued28(bits: number): void {
    const buffer = this.#plain;
    const position = this.#position;
    buffer[position] = bits | 0x80;
    buffer[position + 1] = (bits >>> 7) | 0x80;
    buffer[position + 2] = (bits >>> 14) | 0x80;
    buffer[position + 3] = (bits >>> 21) | 0x80;
    this.#position = position + 4;
  }

  #ensure(byteCount: number): void {
    if (this.#position + byteCount > this.#plain.length) this.#grow(this.#position + byteCount);
  }

  #grow(neededBytes: number): void {
    const old = this.#buffer;
    this.#replaceBuffer(Math.max(neededBytes, old.length * 2));
    old.copy(this.#buffer, 0, 0, this.#position);
  }

  #replaceBuffer(byteCount: number): void {
    this.#buffer = Buffer.allocUnsafeSlow(byteCount);
    this.#plain = plainView(this.#buffer);
    this.#view = this.#plain;
    // The old one would go on holding the old buffer.
    this.#copier = new ByteCopier();
  }
}

/** The writer behind all `encode` and `encodeShared` functions. */
export const sharedWriter = new Writer();

/** How many bytes `value` takes as a varint. */
function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  if (value < 0x10000000) return 4;
  return 5;
}

function plainView(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
