/**
 * Reads the protobuf wire format: the hand-tuned half of every decoder.
 *
 * It knows bytes, varints and limits; which field is which is the business of the generated code. Everything that
 * cannot be read throws `MalformedMessageError`. A field whose number is known but whose wire type is not the expected
 * one is no error: the generated code hands it to `skip`, as Google's implementations do.
 */

import { type ByteString, emptyByteString } from "../byte-string.js";
import { messageDepthMax, slabCopyBytesMax } from "../limits.js";
import { ByteCopier } from "./byte-copies.js";
import { halves, highHalf, lowHalf, signedWhole, unsignedWhole } from "./halves.js";
import { MalformedMessageError, TooManyItemsError } from "./malformed-message-error.js";
import { shortLatin1, shortLatin1Max } from "./short-latin1-table.js";
import { emptyBytes, fieldNumberMax, WireType } from "./wire-format.js";

const two32 = 2 ** 32;

/** As a number of items: more than any message has bytes for. A small integer, which the engine counts without allocating. */
const unbounded = 2 ** 30 - 1;

/** Where the tenth and last byte of a varint goes in its upper half: one bit, the 64th, is left for it. */
const tenthByteShift = 31;

/** A view costs more than a copy of so few bytes. */
const shortestView = 16;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A cursor over the bytes of one message. One reader serves message after message without allocating anything. */
export class Reader {
  #bytes: Uint8Array = emptyBytes;
  readonly #copier = new ByteCopier();
  #depth = 0;
  #itemsLeft = unbounded;
  #itemsOfNext = unbounded;
  /** A `bytes` field of more bytes than this is read as a view; see `keepNext` and `lendNext`. */
  #viewsAbove = Number.POSITIVE_INFINITY;
  #viewsOfNextAbove = Number.POSITIVE_INFINITY;
  #low = 0;
  #high = 0;
  /** Where the next byte is read. */
  position = 0;
  /** Where the message that is being read ends. */
  limit = 0;

  /** Starts over at `bytes[start..end)`. Throws `RangeError` when that is no range of `bytes`. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    this.#itemsLeft = this.#itemsOfNext;
    this.#itemsOfNext = unbounded;
    this.#viewsAbove = this.#viewsOfNextAbove;
    this.#viewsOfNextAbove = Number.POSITIVE_INFINITY;
    if (start < 0 || end < start || end > bytes.length) throw new RangeError("not a range of the bytes given");
    this.#bytes = bytes;
    this.#copier.begin();
    this.#depth = 0;
    this.position = start;
    this.limit = end;
  }

  /** Lets the message after the next `reset` have this many items, see `decodeBounded`, and no more. */
  boundNext(itemsMax: number): void {
    this.#itemsOfNext = Math.min(itemsMax, unbounded);
  }

  /** Lets what is read after the next `reset` keep the memory of the message, which nobody writes to any more. */
  keepNext(): void {
    this.#viewsOfNextAbove = slabCopyBytesMax;
  }

  /**
   * Lets what is read after the next `reset` and longer than `bytesMin` be views of the message, for whoever is done with it before
   * its bytes change.
   */
  lendNext(bytesMin: number = shortestView): void {
    this.#viewsOfNextAbove = bytesMin;
  }

  /** The tag of the next field. Known tags are compared whole; all others go to `skip`. */
  tag(): number {
    const position = this.position;
    const first = this.#bytes[position]!;
    if (first < 0x80 && position < this.limit) {
      this.position = position + 1;
      return first;
    }
    this.#varint();
    if (this.#high !== 0) throw new MalformedMessageError("field number out of range");
    return this.#low;
  }

  /** A `bool` field: any number but 0 is true. */
  bool(): boolean {
    this.#varint();
    return (this.#low | this.#high) !== 0;
  }

  /** An `int32` field or the number of an enum; the upper half of a longer number is dropped. */
  int32(): number {
    const position = this.position;
    const first = this.#bytes[position]!;
    if (first < 0x80 && position < this.limit) {
      this.position = position + 1;
      return first;
    }
    this.#varint();
    return this.#low | 0;
  }

  /** A `uint32` field; the upper half of a longer number is dropped. */
  uint32(): number {
    this.#varint();
    return this.#low;
  }

  /** An `int64` field as the nearest double. */
  int64Number(): number {
    const position = this.position;
    const first = this.#bytes[position]!;
    if (first < 0x80 && position < this.limit) {
      this.position = position + 1;
      return first;
    }
    this.#varint();
    return this.#high === 0 ? this.#low : (this.#high | 0) * two32 + this.#low;
  }

  /** A `uint64` field as the nearest double. */
  uint64Number(): number {
    this.#varint();
    return this.#high === 0 ? this.#low : this.#high * two32 + this.#low;
  }

  /** An `int64` field, exactly. */
  int64BigInt(): bigint {
    this.#varint();
    if (this.#high === 0 && this.#low === 0) return 0n;
    halves[lowHalf] = this.#low;
    halves[highHalf] = this.#high;
    return signedWhole[0]!;
  }

  /** A `uint64` field, exactly. */
  uint64BigInt(): bigint {
    this.#varint();
    if (this.#high === 0 && this.#low === 0) return 0n;
    halves[lowHalf] = this.#low;
    halves[highHalf] = this.#high;
    return unsignedWhole[0]!;
  }

  /** A `bytes` field as a byte string. */
  byteString(): ByteString {
    const end = this.#lengthDelimitedEnd();
    const start = this.position;
    this.position = end;
    if (end === start) return emptyByteString;
    if (end - start <= shortLatin1Max) return shortLatin1(this.#bytes, start, end - start) as ByteString;
    return this.#buffer().toString("latin1", start, end) as ByteString;
  }

  /** A `bytes` field as a copy of its bytes; a long one of a message that may be kept as a view. */
  bytes(): Uint8Array {
    const end = this.#lengthDelimitedEnd();
    const start = this.position;
    this.position = end;
    if (end - start > this.#viewsAbove) return viewOf(this.#bytes, start, end);
    return this.#copier.copyPart(this.#bytes, start, end);
  }

  /** A `string` field; it has to be valid UTF-8. */
  string(): string {
    this.item();
    const end = this.#lengthDelimitedEnd();
    const start = this.position;
    this.position = end;
    if (end === start) return "";
    try {
      return strictUtf8.decode(this.#bytes.subarray(start, end));
    } catch {
      throw new MalformedMessageError("string field is not valid UTF-8");
    }
  }

  /** Counts an element of a list of numbers or bytes, which is about to be read. Messages and texts count themselves. */
  item(): void {
    this.#itemsLeft -= 1;
    if (this.#itemsLeft < 0) throw new TooManyItemsError();
  }

  /**
   * Reads a length and narrows `limit` to the message (or packed list) that follows.
   * Returns the limit to be handed to `leave`.
   */
  enter(): number {
    this.item();
    const end = this.#lengthDelimitedEnd();
    const outer = this.limit;
    this.limit = end;
    return outer;
  }

  /** Goes back to the enclosing message, after everything up to `limit` has been read. */
  leave(outer: number): void {
    this.limit = outer;
  }

  /** `enter` for a message whose type can contain itself: refuses more than `messageDepthMax` levels. */
  enterRecursive(): number {
    this.#depth += 1;
    if (this.#depth > messageDepthMax) throw tooDeep();
    return this.enter();
  }

  /** `leave` for a message entered with `enterRecursive`. */
  leaveRecursive(outer: number): void {
    this.#depth -= 1;
    this.limit = outer;
  }

  /** Skips the value of a field that is not known, or not with this wire type. */
  skip(tag: number): void {
    checkFieldNumber(tag);
    switch (tag & 7) {
      case WireType.varint:
        this.#varint();
        return;
      case WireType.fixed64:
        this.#advance(8);
        return;
      case WireType.lengthDelimited:
        this.position = this.#lengthDelimitedEnd();
        return;
      case WireType.groupStart:
        this.#skipGroup(tag);
        return;
      case WireType.fixed32:
        this.#advance(4);
        return;
      case WireType.groupEnd:
        throw new MalformedMessageError("end of a group that was not begun");
      default:
        throw new MalformedMessageError("unknown wire type");
    }
  }

  #buffer(): Buffer {
    const bytes = this.#bytes;
    return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  #skipGroup(startTag: number): void {
    this.#depth += 1;
    if (this.#depth > messageDepthMax) throw tooDeep();
    const endTag = startTag + (WireType.groupEnd - WireType.groupStart);
    for (;;) {
      const tag = this.tag();
      if (tag === endTag) break;
      this.skip(tag);
    }
    this.#depth -= 1;
  }

  #advance(byteCount: number): void {
    if (byteCount > this.limit - this.position) throw truncated();
    this.position += byteCount;
  }

  /** Reads a length; returns where the value ends, having checked that it does not reach beyond the message. */
  #lengthDelimitedEnd(): number {
    const position = this.position;
    let length = this.#bytes[position]!;
    if (length < 0x80 && position < this.limit) {
      this.position = position + 1;
    } else {
      this.#varint();
      if (this.#high !== 0) throw truncated();
      length = this.#low;
    }
    if (length > this.limit - this.position) throw truncated();
    return this.position + length;
  }

  /** Reads a varint of up to 64 bits into `#low` and `#high`, both unsigned. */
  #varint(): void {
    const bytes = this.#bytes;
    const limit = this.limit;
    let position = this.position;
    let low = 0;
    this.#high = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (position >= limit) throw truncated();
      const byte = bytes[position++]!;
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#low = low;
        this.position = position;
        return;
      }
    }
    this.#low = low >>> 0;
    this.position = position;
    this.#longVarint();
  }

  /** The fifth to tenth byte of a varint. */
  #longVarint(): void {
    const bytes = this.#bytes;
    const limit = this.limit;
    let position = this.position;
    if (position >= limit) throw truncated();
    let byte = bytes[position++]!;
    this.#low = (this.#low | (byte << 28)) >>> 0;
    let high = (byte & 0x7f) >>> 4;
    for (let shift = 3; byte >= 0x80; shift += 7) {
      if (position >= limit) throw truncated();
      byte = bytes[position++]!;
      if (shift === tenthByteShift && byte > 1) throw new MalformedMessageError("varint longer than 64 bits");
      high |= (byte & 0x7f) << shift;
    }
    this.#high = high >>> 0;
    this.position = position;
  }
}

/** The reader behind all `decode` functions: decoding is synchronous, so one is enough. */
export const sharedReader = new Reader();

/** A plain array, also of a `Buffer`. */
function viewOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}

function checkFieldNumber(tag: number): void {
  const fieldNumber = tag >>> 3;
  if (fieldNumber === 0 || fieldNumber > fieldNumberMax) throw new MalformedMessageError("field number out of range");
}

function truncated(): MalformedMessageError {
  return new MalformedMessageError("field reaches beyond the end of the message");
}

function tooDeep(): MalformedMessageError {
  return new MalformedMessageError(`nested more than ${messageDepthMax} levels deep`);
}
