/**
 * The layout of a snapshot, shared by `frozen-state.ts` (writes) and `restorer.ts` (reads).
 *
 * A snapshot is a sequence of chunks, each a whole number of records in protobuf encoding, a record being one field:
 *
 * 1. `header`, once: what the state as a whole is like.
 * 2. `role` (`authpb.Role`), `user` (`authpb.User`), each in byte order of the names; `alarm`
 *    (`etcdserverpb.AlarmMember`), by type and member; `auth`, once: what authentication as a whole is like.
 * 3. `lease`, oldest grant first.
 * 4. `base`, in key order: the version (`mvccpb.KeyValue`) that a key had when the history that is kept begins.
 * 5. `event`, in the order of time: every version since; a deletion has version 0.
 * 6. `pause`, anywhere: means nothing; fills a chunk that would otherwise be empty.
 * 7. `end`, once: how many records of each kind there were.
 *
 * The first format knew neither users nor alarms: it has none of the records under 2, and does not count them.
 *
 * Whether the bytes are those that were written is for the log to verify; here only their sense is checked.
 */
import { fieldTag, WireType } from "@holdfast/protocol";

/** First number of every snapshot; changes with the layout. */
export const snapshotFormat = 0x4846_0002;

/** The layout before there were users, which can still be read. */
export const snapshotFormatWithoutAuth = 0x4846_0001;

export const recordTags = {
  header: fieldTag(1, WireType.lengthDelimited),
  lease: fieldTag(2, WireType.lengthDelimited),
  base: fieldTag(3, WireType.lengthDelimited),
  event: fieldTag(4, WireType.lengthDelimited),
  pause: fieldTag(5, WireType.varint),
  end: fieldTag(6, WireType.lengthDelimited),
  auth: fieldTag(7, WireType.lengthDelimited),
  role: fieldTag(8, WireType.lengthDelimited),
  user: fieldTag(9, WireType.lengthDelimited),
  alarm: fieldTag(10, WireType.lengthDelimited),
} as const;

/**
 * The tag of a number in a record. The numbers are, from field 1 on: in `header` the format, the revision, the compacted
 * revision and the count of applied commands; in `auth` 1 or 0 for on or off and the auth revision; in `lease` the id,
 * the length in seconds and the number of the grant; in `end` the counts of leases, bases, events, roles, users and
 * alarms.
 */
export function numberTag(fieldNumber: number): number {
  return fieldTag(fieldNumber, WireType.varint);
}

/** The bytes are no snapshot, a damaged one, or one of another layout. */
export class SnapshotFormatError extends Error {
  override readonly name = "SnapshotFormatError";
}
