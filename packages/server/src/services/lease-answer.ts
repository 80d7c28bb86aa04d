/**
 * What LeaseGrant and LeaseKeepAlive answer: the same three fields in both. There may be a million of them in a second.
 */
import { fieldTag, sharedWriter, WireType } from "@holdfast/protocol";
import type { ServiceContext } from "./context.js";

const idTag = fieldTag(2, WireType.varint);
const ttlTag = fieldTag(3, WireType.varint);

/**
 * The encoding of `LeaseKeepAliveResponse`, or of `LeaseGrantResponse` without an error, as a view that the next encoding of
 * any message overwrites.
 */
export function encodeLeaseAnswer(
  context: ServiceContext,
  revision: number,
  id: bigint,
  ttlSeconds: number,
): Uint8Array {
  sharedWriter.reset();
  context.writeHeader(sharedWriter, revision);
  if (id !== 0n) sharedWriter.int64BigIntField(idTag, id);
  if (ttlSeconds !== 0) sharedWriter.int64NumberField(ttlTag, ttlSeconds);
  return sharedWriter.view();
}
