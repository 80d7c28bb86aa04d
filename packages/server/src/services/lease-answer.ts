/**
 * What LeaseGrant and LeaseKeepAlive answer: the same three fields in both. There may be a million of them in a second, nearly
 * all at the same revision, so the header is not encoded again for each.
 */
import { fieldTag, sharedWriter, WireType } from "@holdfast/protocol";

const idTag = fieldTag(2, WireType.varint);
const ttlTag = fieldTag(3, WireType.varint);

/**
 * The encoding of `LeaseKeepAliveResponse`, or of `LeaseGrantResponse` without an error, as a view that the next encoding of
 * any message overwrites. `headerField` is the header as it stands in there.
 */
export function encodeLeaseAnswer(headerField: Uint8Array, id: bigint, ttlSeconds: number): Uint8Array {
  sharedWriter.reset();
  sharedWriter.raw(headerField);
  if (id !== 0n) sharedWriter.int64BigIntField(idTag, id);
  if (ttlSeconds !== 0) sharedWriter.int64NumberField(ttlTag, ttlSeconds);
  return sharedWriter.view();
}
