/**
 * Whole numbers up to 2^53 in eight little-endian bytes, without a BigInt per field.
 */

const TWO_TO_32 = 2 ** 32;

/** @throws RangeError if `value` is not a whole number from 0 to 2^53 - 1. */
export function writeUint64(target: Buffer, value: number, at: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`not an unsigned whole number: ${value}`);
  target.writeUInt32LE(value % TWO_TO_32, at);
  target.writeUInt32LE(Math.floor(value / TWO_TO_32), at + 4);
}

/** The number, or NaN if it exceeds 2^53 - 1, so that every comparison with it fails. */
export function readUint64(source: Buffer, at: number): number {
  const value = source.readUInt32LE(at + 4) * TWO_TO_32 + source.readUInt32LE(at);
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

/** The same memory seen as a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Makes memory of so many bytes, with anything in it. */
export type Allocate = (bytes: number) => Buffer;

/** A buffer of at least `bytes`, reusing `current` if it is large enough; contents are not kept. New ones come from `allocate`. */
export function grown(current: Buffer, bytes: number, allocate: Allocate = Buffer.allocUnsafeSlow): Buffer {
  if (current.length >= bytes) return current;
  return allocate(Math.max(bytes, current.length * 2));
}
