/**
 * Key-value pairs in their encoded form: what a store keeps by the million, and what answers, events and snapshots are made of
 * by copying bytes.
 *
 * Such a pair takes some 25 bytes besides its key and value, where an object with a string and a typed array takes some 250.
 * Its fields are read out of the encoding when they are asked for. Where the memory comes from and when it is given up is the
 * business of the store.
 */
import type { ByteString } from "../byte-string.js";
import { halves, highHalf, lowHalf, signedWhole } from "./halves.js";
import { createRevisionTag, keyTag, leaseTag, modRevisionTag, valueTag, versionTag } from "./packed-tags.js";
import { Reader } from "./reader.js";
import { shortLatin1, shortLatin1Max } from "./short-latin1-table.js";
import { emptyBytes } from "./wire-format.js";

/**
 * Behind each pair, where the tag of another field could be: a pair ends without a look at its length. Any byte would do that is
 * the tag of none of the fields.
 */
const endOfPair = 0;

/** Most bytes that a pair takes besides its key and value: six tags, two lengths, three numbers below 2^53, a lease, the end. */
const packedOverheadBytesMax = 6 + 2 * 5 + 3 * 8 + 10 + 1;

/** Longer keys are written and read by native code, which takes longer to begin. */
const shortKeyMax = 28;

const two31 = 2 ** 31;

const leaseReader = new Reader();

/** Memory that pairs are packed into, seen in two ways. */
export class PackedMemory {
  readonly bytes: Uint8Array;
  /** The same, for native code. */
  readonly buffer: Buffer;
  readonly #memory: ArrayBufferLike;

  /** `length` bytes, of any content: to fill a slab with zeros first took a fifth of what it takes to fill it with pairs. */
  constructor(length: number) {
    this.buffer = Buffer.allocUnsafeSlow(length);
    this.#memory = this.buffer.buffer;
    this.bytes = new Uint8Array(this.#memory, 0, length);
  }

  get length(): number {
    return this.bytes.length;
  }

  /** A view, valid as long as nobody writes there. */
  view(start: number, length: number): Uint8Array {
    return length === 0 ? emptyBytes : new Uint8Array(this.#memory, start, length);
  }
}

/** At least as many bytes as `packKeyValue` needs for a pair. */
export function packedBytesMax(keyLength: number, valueLength: number): number {
  return packedOverheadBytesMax + keyLength + valueLength;
}

/**
 * Writes the encoding of a pair to `memory` from `start` on, where there must be room for `packedBytesMax`. Returns the length
 * of the encoding; one byte more is taken. The numbers are whole, from 0 to below 2^53.
 */
export function packKeyValue(
  memory: PackedMemory,
  start: number,
  key: ByteString,
  createRevision: number,
  modRevision: number,
  version: number,
  value: Uint8Array,
  lease: bigint,
): number {
  const { bytes } = memory;
  let at = key.length === 0 ? start : packKey(memory, start, key);
  if (createRevision !== 0) at = packNumber(bytes, at, createRevisionTag, createRevision);
  if (modRevision !== 0) at = packNumber(bytes, at, modRevisionTag, modRevision);
  if (version !== 0) at = packNumber(bytes, at, versionTag, version);
  if (value.length !== 0) {
    at = packNumber(bytes, at, valueTag, value.length);
    bytes.set(value, at);
    at += value.length;
  }
  if (lease !== 0n) at = packLease(bytes, at, lease);
  bytes[at] = endOfPair;
  return at - start;
}

/**
 * Writes the event of a deletion at `modRevision`, which is not 0, of the key of the pair that begins at `from` in `source`, as
 * `packKeyValue` would: the key is copied as it stands there. Returns the length of the encoding; one byte more is taken.
 */
export function packDeletion(
  memory: PackedMemory,
  start: number,
  source: PackedMemory,
  from: number,
  modRevision: number,
): number {
  const { bytes } = memory;
  const keyBytes = packedKeyStart(source.bytes, from) + packedKeyLength(source.bytes, from) - from;
  if (keyBytes > shortKeyMax) bytes.set(source.bytes.subarray(from, from + keyBytes), start);
  else for (let index = 0; index < keyBytes; index++) bytes[start + index] = source.bytes[from + index]!;
  const at = packNumber(bytes, start + keyBytes, modRevisionTag, modRevision);
  bytes[at] = endOfPair;
  return at - start;
}

function packKey({ bytes, buffer }: PackedMemory, start: number, key: ByteString): number {
  const { length } = key;
  const at = packNumber(bytes, start, keyTag, length);
  if (length > shortKeyMax) buffer.write(key, at, length, "latin1");
  else for (let index = 0; index < length; index++) bytes[at + index] = key.charCodeAt(index);
  return at + length;
}

/** A tag and a number, as a varint. */
function packNumber(bytes: Uint8Array, start: number, tag: number, value: number): number {
  let at = start;
  bytes[at++] = tag;
  let rest = value;
  while (rest >= two31) {
    bytes[at++] = (rest % 0x80) | 0x80;
    rest = Math.floor(rest / 0x80);
  }
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

function packLease(bytes: Uint8Array, start: number, lease: bigint): number {
  signedWhole[0] = lease;
  let low = halves[lowHalf]! >>> 0;
  let high = halves[highHalf]! >>> 0;
  let at = start;
  bytes[at++] = leaseTag;
  while (high !== 0 || low > 0x7f) {
    bytes[at++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  bytes[at++] = low;
  return at;
}

/** What `mvccpb.KeyValue` is, said again here because the generated code depends on this file. */
interface UnpackedKeyValue {
  readonly key: ByteString;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly value: Uint8Array;
  readonly lease: bigint;
}

/** A pair that was packed; a `KeyValue` like any other. The memory must not change any more. */
export class PackedKeyValue {
  readonly memory: PackedMemory;
  /** Where the encoding begins. */
  readonly start: number;
  /** Length of the encoding, in bytes. */
  readonly length: number;
  #key: ByteString | undefined;
  #value: Uint8Array | undefined = undefined;

  /** `key` is the key of the pair, if it is known. */
  constructor(memory: PackedMemory, start: number, length: number, key?: ByteString) {
    this.memory = memory;
    this.start = start;
    this.length = length;
    this.#key = key;
  }

  get key(): ByteString {
    this.#key ??= packedKey(this.memory, this.start);
    return this.#key;
  }

  get createRevision(): number {
    return packedCreateRevision(this.memory.bytes, this.start);
  }

  get modRevision(): number {
    return packedModRevision(this.memory.bytes, this.start);
  }

  get version(): number {
    return packedVersion(this.memory.bytes, this.start);
  }

  /** A view of the memory: to be copied by whoever keeps it for long, since it keeps its neighbours alive. */
  get value(): Uint8Array {
    this.#value ??= this.#viewOfValue();
    return this.#value;
  }

  get lease(): bigint {
    return packedLease(this.memory.bytes, this.start);
  }

  /** The pair as an object with properties of its own, for whoever looks for these. */
  unpacked(): UnpackedKeyValue {
    const { key, createRevision, modRevision, version, value, lease } = this;
    return { key, createRevision, modRevision, version, value, lease };
  }

  #viewOfValue(): Uint8Array {
    const length = packedValueLength(this.memory.bytes, this.start);
    return length === 0 ? emptyBytes : this.memory.view(afterValue(this.memory.bytes, this.start) - length, length);
  }
}

// The fields of a packed pair, for whoever looks at many of them and needs no object for each.

/** Length of the key of the pair that begins at `start`. */
export function packedKeyLength(bytes: Uint8Array, start: number): number {
  return bytes[start] === keyTag ? numberAt(bytes, start + 1) : 0;
}

/** Where the key of the pair that begins at `start` does. */
export function packedKeyStart(bytes: Uint8Array, start: number): number {
  return bytes[start] === keyTag ? afterNumber(bytes, start + 1) : start;
}

export function packedKey(memory: PackedMemory, start: number): ByteString {
  const { bytes } = memory;
  const length = packedKeyLength(bytes, start);
  const from = packedKeyStart(bytes, start);
  if (length === 0) return "" as ByteString;
  if (length <= shortLatin1Max) return shortLatin1(bytes, from, length) as ByteString;
  return memory.buffer.toString("latin1", from, from + length) as ByteString;
}

/** Below 0, 0 or above 0, as the key of the pair that begins at `start` comes before `key`, is the same, or comes behind. */
export function comparePackedKey(bytes: Uint8Array, start: number, key: ByteString): number {
  const length = packedKeyLength(bytes, start);
  const from = packedKeyStart(bytes, start);
  const shared = Math.min(length, key.length);
  for (let index = 0; index < shared; index++) {
    const difference = bytes[from + index]! - key.charCodeAt(index);
    if (difference !== 0) return difference;
  }
  return length - key.length;
}

/** Four bytes of the key of the pair that begins at `start`, from `offset` on, the first highest; zeros behind its end. */
export function packedKeyHead(bytes: Uint8Array, start: number, offset: number): number {
  const from = packedKeyStart(bytes, start);
  const end = from + packedKeyLength(bytes, start);
  let head = 0;
  for (let at = from + offset; at < from + offset + 4; at++) head = (head << 8) | (at < end ? bytes[at]! : 0);
  return head >>> 0;
}

/** Whether `key` is the key of the pair that begins at `start`. */
export function equalsPackedKey(bytes: Uint8Array, start: number, key: ByteString): boolean {
  const length = packedKeyLength(bytes, start);
  if (length !== key.length) return false;
  const from = packedKeyStart(bytes, start);
  for (let index = 0; index < length; index++) if (bytes[from + index] !== key.charCodeAt(index)) return false;
  return true;
}

export function packedCreateRevision(bytes: Uint8Array, start: number): number {
  const at = packedKeyStart(bytes, start) + packedKeyLength(bytes, start);
  return bytes[at] === createRevisionTag ? numberAt(bytes, at + 1) : 0;
}

export function packedModRevision(bytes: Uint8Array, start: number): number {
  const at = afterCreateRevision(bytes, start);
  return bytes[at] === modRevisionTag ? numberAt(bytes, at + 1) : 0;
}

/** 0 for a deletion. */
export function packedVersion(bytes: Uint8Array, start: number): number {
  const at = afterModRevision(bytes, start);
  return bytes[at] === versionTag ? numberAt(bytes, at + 1) : 0;
}

/** What a pair tells of the life of its key. */
export interface PackedLife {
  createRevision: number;
  version: number;
}

/** `packedCreateRevision` and `packedVersion` of the pair that begins at `start`, in one go, into `life`. */
export function readPackedLife(bytes: Uint8Array, start: number, life: PackedLife): void {
  let at = packedKeyStart(bytes, start) + packedKeyLength(bytes, start);
  life.createRevision = 0;
  if (bytes[at] === createRevisionTag) {
    life.createRevision = numberAt(bytes, at + 1);
    at = afterNumber(bytes, at + 1);
  }
  if (bytes[at] === modRevisionTag) at = afterNumber(bytes, at + 1);
  life.version = bytes[at] === versionTag ? numberAt(bytes, at + 1) : 0;
}

export function packedValueLength(bytes: Uint8Array, start: number): number {
  const at = afterVersion(bytes, start);
  return bytes[at] === valueTag ? numberAt(bytes, at + 1) : 0;
}

/** The lease of the pair that begins at `start`; 0 for none. */
export function packedLease(bytes: Uint8Array, start: number): bigint {
  const at = afterValue(bytes, start);
  if (bytes[at] !== leaseTag) return 0n;
  leaseReader.reset(bytes, at + 1, bytes.length);
  return leaseReader.int64BigInt();
}

function afterCreateRevision(bytes: Uint8Array, start: number): number {
  const at = packedKeyStart(bytes, start) + packedKeyLength(bytes, start);
  return bytes[at] === createRevisionTag ? afterNumber(bytes, at + 1) : at;
}

function afterModRevision(bytes: Uint8Array, start: number): number {
  const at = afterCreateRevision(bytes, start);
  return bytes[at] === modRevisionTag ? afterNumber(bytes, at + 1) : at;
}

function afterVersion(bytes: Uint8Array, start: number): number {
  const at = afterModRevision(bytes, start);
  return bytes[at] === versionTag ? afterNumber(bytes, at + 1) : at;
}

function afterValue(bytes: Uint8Array, start: number): number {
  const at = afterVersion(bytes, start);
  return bytes[at] === valueTag ? afterNumber(bytes, at + 1) + numberAt(bytes, at + 1) : at;
}

/** Where the varint at `start` ends. */
function afterNumber(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at++]! >= 0x80);
  return at;
}

/** The varint at `start`. */
function numberAt(bytes: Uint8Array, start: number): number {
  let at = start;
  let byte = bytes[at++]!;
  if (byte < 0x80) return byte;
  let value = byte & 0x7f;
  for (let shift = 7; shift < 28; shift += 7) {
    byte = bytes[at++]!;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  for (let scale = 2 ** 28; ; scale *= 0x80) {
    byte = bytes[at++]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
  }
}
