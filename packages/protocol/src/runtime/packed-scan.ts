/**
 * Looks at encoded pairs that come from elsewhere, such as those of a snapshot: whether they are encoded as `packKeyValue` does
 * it, so that a store may keep their very bytes, and what they say.
 */
import type { ByteString } from "../byte-string.js";
import { type PackedMemory, packedKey } from "./packed-key-value.js";
import { createRevisionTag, keyTag, leaseTag, modRevisionTag, valueTag, versionTag } from "./packed-tags.js";
import { Reader } from "./reader.js";
import { emptyBytes } from "./wire-format.js";

/** Longest varint of a number below 2^53. */
const wholeBytesMax = 8;

/** Longest varint of 64 bits, and the most that its last byte can be then. */
const varintBytesMax = 10;
const tenthByteMax = 1;

/** What the pair says that was looked at last. One scan serves pair after pair without allocating anything but keys. */
export class PackedScan {
  createRevision = 0;
  modRevision = 0;
  /** 0 for a deletion. */
  version = 0;
  keyLength = 0;
  valueLength = 0;
  /** Where the encoding begins, and how long it is. */
  start = 0;
  length = 0;
  #memory: PackedMemory | undefined = undefined;
  #bytes: Uint8Array = emptyBytes;
  #leaseStart = 0;
  #end = 0;
  #at = 0;
  readonly #reader = new Reader();

  /**
   * Looks at what lies in `memory` from `start` to below `end`. Returns whether that is what `packKeyValue` would have written; if
   * not, nothing is known of it.
   */
  look(memory: PackedMemory, start: number, end: number): boolean {
    this.#memory = memory;
    this.#bytes = memory.bytes;
    this.start = start;
    this.length = end - start;
    this.#at = start;
    this.#end = end;
    this.keyLength = this.#number(keyTag);
    if (!this.#pass(this.keyLength)) return false;
    this.createRevision = this.#number(createRevisionTag);
    this.modRevision = this.#number(modRevisionTag);
    this.version = this.#number(versionTag);
    this.valueLength = this.#number(valueTag);
    if (!this.#pass(this.valueLength) || this.createRevision < 0 || this.modRevision < 0 || this.version < 0)
      return false;
    this.#leaseStart = this.#at;
    return this.#at === end || this.#isLease();
  }

  /** The memory it lies in. */
  get memory(): PackedMemory {
    return this.#memory!;
  }

  get key(): ByteString {
    return packedKey(this.memory, this.start);
  }

  get hasLease(): boolean {
    return this.#leaseStart < this.#end;
  }

  /** 0 if it has none. */
  get lease(): bigint {
    if (!this.hasLease) return 0n;
    this.#reader.reset(this.#bytes, this.#leaseStart + 1, this.#end);
    return this.#reader.int64BigInt();
  }

  /** Goes behind `length` bytes; false if there are not so many, or `length` is none. */
  #pass(length: number): boolean {
    this.#at += length;
    return length >= 0 && this.#at <= this.#end;
  }

  /** The number behind `tag`, 0 if that does not come next, -1 if it is not encoded as it should be. */
  #number(tag: number): number {
    const bytes = this.#bytes;
    const end = this.#end;
    let at = this.#at;
    if (at >= end || bytes[at] !== tag) return 0;
    const last = Math.min(end, at + 1 + wholeBytesMax);
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      at += 1;
      if (at >= last) return -1;
      const byte = bytes[at]!;
      value += (byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      this.#at = at + 1;
      // A number that is 0 is left out, and so is an uppermost byte.
      return byte === 0 || value > Number.MAX_SAFE_INTEGER ? -1 : value;
    }
  }

  /** Whether all that is left is a lease. */
  #isLease(): boolean {
    const bytes = this.#bytes;
    const end = this.#end;
    const start = this.#leaseStart + 1;
    const length = end - start;
    if (bytes[this.#leaseStart] !== leaseTag || length < 1 || length > varintBytesMax) return false;
    for (let at = start; at < end - 1; at++) if (bytes[at]! < 0x80) return false;
    const last = bytes[end - 1]!;
    return last !== 0 && last < 0x80 && (length < varintBytesMax || last <= tenthByteMax);
  }
}
