/**
 * Reads the history for watchers.
 */
import type { KeySpace } from "./key-space.js";
import type { KeyVersion } from "./types.js";

/**
 * Called for each revision with all its events, in the order in which they were made (KV-29). Returning false ends the
 * reading after this revision. The array may be kept, but not changed.
 */
export type RevisionVisitor = (revision: number, events: readonly KeyVersion[]) => unknown;

/**
 * Visits up to `revisionsMax` revisions from `fromRevision` on; a revision is never split (WATCH-19, WATCH-20).
 * Returns the next revision to read; that is the current one plus 1 when all was read. Throws `RangeError` when the
 * history does not reach back so far, which is for the caller to find out before (WATCH-22).
 */
export function readHistory(
  keys: KeySpace,
  fromRevision: number,
  revisionsMax: number,
  visit: RevisionVisitor,
): number {
  if (fromRevision < keys.firstHistoryRevision) throw new RangeError(`revision ${fromRevision} is compacted`);
  const { events } = keys;
  let position = events.positionOf(fromRevision);
  for (let count = 0; position < events.end; count++) {
    const revision = events.revisionAt(position);
    if (count === revisionsMax) return revision;
    const changes: KeyVersion[] = [];
    while (position < events.end && events.revisionAt(position) === revision) changes.push(events.at(position++));
    if (visit(revision, changes) === false) return revision + 1;
  }
  return Math.max(fromRevision, keys.revision + 1);
}

/**
 * What a watcher shows as the pair before the event `version` (WATCH-25): the live version at the revision before,
 * none for a creation, and none when that revision is compacted.
 */
export function previousVersion(keys: KeySpace, version: KeyVersion): KeyVersion | undefined {
  if (version.createRevision === version.modRevision) return undefined;
  const revision = version.modRevision - 1;
  return revision < keys.compactRevision ? undefined : keys.liveAt(version.key, revision);
}
