/**
 * The constants of the protobuf wire format, shared by reader, writer and their users.
 */

/** Wire types (protobuf encoding, "Message Structure"). */
export const WireType = {
  varint: 0,
  fixed64: 1,
  lengthDelimited: 2,
  groupStart: 3,
  groupEnd: 4,
  fixed32: 5,
} as const;
/** A wire type. */
export type WireType = (typeof WireType)[keyof typeof WireType];

/** Largest field number the format allows. */
export const fieldNumberMax = 2 ** 29 - 1;

/** The tag that opens a field of this number and wire type. */
export function fieldTag(fieldNumber: number, wireType: WireType): number {
  return ((fieldNumber << 3) | wireType) >>> 0;
}

/** The zero-length array that stands for every empty `bytes` field. */
export const emptyBytes: Uint8Array = new Uint8Array(0);
