/**
 * Reads entries of an open log back from its segments. Every checksum is verified again on each
 * read; an entry that was stored and cannot be read is damage, never a gap.
 */

import { LogDamagedError } from "../errors.js";
import { type Disk, isAbsent, withFile } from "./disk.js";
import { readRecords, type Stop } from "./record-reader.js";
import type { Segment } from "./segment.js";

export interface EntrySource {
  readonly disk: Disk;
  readonly identity: Buffer;
  readonly sliceBytes: number;
  /** In order, all of them. */
  readonly segments: readonly Segment[];
}

/**
 * Hands the entries from `from` to `to`, which exist, to `visit` in order; `entry` is valid only
 * during the call. @throws LogDamagedError; RangeError if they are discarded meanwhile.
 */
export async function readEntries(
  source: EntrySource,
  from: number,
  to: number,
  visit: (index: number, entry: Buffer) => void,
): Promise<void> {
  let next = from;
  for (const segment of source.segments) {
    if (segment.lastIndex < next || next > to) continue;
    next = await readSegment(source, segment, next, Math.min(to, segment.lastIndex), visit);
  }
}

/** @returns the index behind the last entry read. */
async function readSegment(
  source: EntrySource,
  segment: Segment,
  from: number,
  to: number,
  visit: (index: number, entry: Buffer) => void,
): Promise<number> {
  const stop = await readRange(source, segment, from, to, visit).catch((error: unknown) => {
    throw segment.discarded && isAbsent(error) ? discardedError(segment) : error;
  });
  if (stop.reason === "visitor") return to + 1;
  if (segment.discarded) throw discardedError(segment);
  throw new LogDamagedError(segment.path, stop.offset, `entry ${stop.index} can no longer be read`);
}

function readRange(
  source: EntrySource,
  segment: Segment,
  from: number,
  to: number,
  visit: (index: number, entry: Buffer) => void,
): Promise<Stop> {
  const near = segment.near(from);
  const fileBytes = segment.end;
  return withFile(source.disk, "segment.open", segment.path, "read", (file) =>
    readRecords(
      { file, fileBytes, sequence: segment.sequence, identity: source.identity },
      "segment.read",
      source.sliceBytes,
      near.offset,
      near.index,
      (index, entry) => {
        if (index >= from) visit(index, entry);
        return index < to;
      },
    ),
  );
}

function discardedError(segment: Segment): RangeError {
  return new RangeError(
    `entries ${segment.firstIndex} to ${segment.lastIndex} were discarded while they were being read`,
  );
}
