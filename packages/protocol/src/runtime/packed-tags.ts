/** The fields of `mvccpb.KeyValue` in the order in which they are encoded; those that are zero or empty are left out. */
import { fieldTag, WireType } from "./wire-format.js";

export const keyTag: number = fieldTag(1, WireType.lengthDelimited);
export const createRevisionTag: number = fieldTag(2, WireType.varint);
export const modRevisionTag: number = fieldTag(3, WireType.varint);
export const versionTag: number = fieldTag(4, WireType.varint);
export const valueTag: number = fieldTag(5, WireType.lengthDelimited);
export const leaseTag: number = fieldTag(6, WireType.varint);
