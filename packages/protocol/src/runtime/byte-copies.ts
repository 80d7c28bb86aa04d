/**
 * Copies of byte ranges, cheaply.
 *
 * A typed array of more than 64 bytes costs several hundred nanoseconds when it gets memory of its own, so copies
 * of medium size are cut from slabs. Such a copy keeps its whole slab (`slabBytes`) alive as long as it lives.
 * Even a view costs some 35 ns and asking a view for its `buffer` some 20 ns, hence the several ways below; the
 * figures are in docs/decisions/0002-wire-codec.md.
 */

import { slabBytes, slabCopyBytesMax } from "../limits.js";
import { emptyBytes } from "./wire-format.js";

/** Up to this length V8 keeps a typed array on its own heap, where it costs next to nothing. */
const onHeapBytesMax = 64;

/** Up to this length copying byte by byte is faster than making a view to copy from. */
const loopBytesMax = 16;

/** The longest message that is copied whole for the sake of its parts, and how much longer what is left of it may be than a part. */
const wholeBytesMax = 4 * 1024;
const wholePartsMax = 16;

let slabMemory = new ArrayBuffer(slabBytes);
let slab = new Uint8Array(slabMemory);
let slabPosition = 0;

/** Copies ranges of one array after the other; keeps what it found out about the last one. */
export class ByteCopier {
  #source: Uint8Array = emptyBytes;
  /** All the memory that `#source` is a part of: a plain `Uint8Array`, because the `slice` of a `Buffer` is a view. */
  #memory: Uint8Array = emptyBytes;
  #arrayBuffer: ArrayBufferLike = emptyBytes.buffer;
  #sourceOffset = 0;
  /** How many parts of medium length the message under way had so far. */
  #parts = 0;
  /** Where its copy begins in there, if all of it was copied. */
  #wholeStart: number | undefined = undefined;
  #wholeMemory = slabMemory;

  /** Tells that the next part is of another message. */
  begin(): void {
    this.#parts = 0;
    this.#wholeStart = undefined;
  }

  /**
   * As `copy`, for the fields of one message, which does not change until `begin`. From the second one of medium length on they
   * are cut from a copy of all of it: one copy takes as long as another, and the view that is made for each as long again.
   */
  copyPart(message: Uint8Array, start: number, end: number): Uint8Array {
    const length = end - start;
    if (length <= onHeapBytesMax || length > slabCopyBytesMax) return this.copy(message, start, end);
    this.#parts += 1;
    if (this.#parts === 2) this.#copyWhole(message, start, length);
    if (this.#wholeStart === undefined) return this.copy(message, start, end);
    return new Uint8Array(this.#wholeMemory, this.#wholeStart + start, length);
  }

  /** Unless that is much more than is likely to be asked for. */
  #copyWhole(message: Uint8Array, start: number, length: number): void {
    if (message.length > wholeBytesMax || message.length - start > wholePartsMax * length) return;
    reserve(message.length);
    slab.set(message, slabPosition);
    this.#wholeMemory = slabMemory;
    this.#wholeStart = slabPosition;
    slabPosition += message.length;
  }

  /** A copy of `source[start..end)`; the empty one is shared. */
  copy(source: Uint8Array, start: number, end: number): Uint8Array {
    const length = end - start;
    if (length === 0) return emptyBytes;
    if (length <= loopBytesMax) return copyByByte(source, start, length);
    const isMedium = length > onHeapBytesMax && length <= slabCopyBytesMax;
    if (isMedium && source.length <= 2 * length) return copyOutOfWhole(source, start, length);
    this.#lookUp(source);
    const offset = this.#sourceOffset + start;
    if (!isMedium) return this.#memory.slice(offset, offset + length);
    reserve(length);
    slab.set(this.#memory.subarray(offset, offset + length), slabPosition);
    return cut(0, length, length);
  }

  #lookUp(source: Uint8Array): void {
    if (source === this.#source) return;
    const arrayBuffer = source.buffer;
    if (arrayBuffer !== this.#arrayBuffer) {
      this.#arrayBuffer = arrayBuffer;
      this.#memory = new Uint8Array(arrayBuffer);
    }
    this.#source = source;
    this.#sourceOffset = source.byteOffset;
  }
}

function copyByByte(source: Uint8Array, start: number, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  for (let index = 0; index < length; index++) copy[index] = source[start + index]!;
  return copy;
}

/** Copies what is around the range, too: that is cheaper than making a view that leaves it out. */
function copyOutOfWhole(source: Uint8Array, start: number, length: number): Uint8Array {
  reserve(source.length);
  slab.set(source, slabPosition);
  return cut(start, length, source.length);
}

/** Sees to it that the slab has room for so many bytes (fewer than a whole slab). */
function reserve(length: number): void {
  if (slabPosition + length <= slabBytes) return;
  slabMemory = new ArrayBuffer(slabBytes);
  slab = new Uint8Array(slabMemory);
  slabPosition = 0;
}

/** The bytes at `start` of the `used` bytes that have just been put at the end of the slab. */
function cut(start: number, length: number, used: number): Uint8Array {
  const bytes = new Uint8Array(slabMemory, slabPosition + start, length);
  slabPosition += used;
  return bytes;
}
