/**
 * A 64-bit integer as two 32-bit halves, and back: typed arrays over the same eight bytes, which costs half of what a
 * `DataView` costs and nothing like what shifting a bigint costs.
 */

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** Signed halves; index with `lowHalf` and `highHalf`. */
export const halves = new Int32Array(2);

/** The same eight bytes as a signed integer. */
export const signedWhole = new BigInt64Array(halves.buffer);

/** The same eight bytes as an unsigned integer. */
export const unsignedWhole = new BigUint64Array(halves.buffer);

export const lowHalf = isLittleEndian ? 0 : 1;
export const highHalf = isLittleEndian ? 1 : 0;
