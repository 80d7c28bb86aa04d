/** How far a client has seen on one watch: what it needs to go on elsewhere without a gap (CLI-7). */
import type { WatchResponse } from "@holdfast/protocol";
import type { Moment } from "../history/moment.js";
import type { WatchRecord } from "../history/watches.js";

export class WatchCursor {
  readonly record: WatchRecord;
  /** Given by the server's answer. */
  watchId: bigint | undefined = undefined;
  /** Everything of this watch up to this revision was seen; undefined while nothing is known. */
  seen: number | undefined;

  constructor(record: WatchRecord, resumedFrom: number | undefined) {
    this.record = record;
    this.seen = resumedFrom;
  }

  /** Where the next watch has to begin so that nothing is missed. */
  get nextRevision(): number {
    const { startRevision } = this.record.request;
    return this.seen === undefined ? startRevision : Math.max(startRevision, this.seen + 1);
  }

  /** Takes down a response. */
  take(response: WatchResponse, at: Moment): void {
    const revision = response.header?.revision ?? 0;
    const { events, fragment, created, canceled, compactRevision, cancelReason } = response;
    this.record.messages.push({ at, revision, events, fragment, created, canceled, compactRevision, cancelReason });
    if (canceled) this.record.ended = at;
    else this.#advance(response, revision);
  }

  #advance({ events, fragment, created }: WatchResponse, revision: number): void {
    const lastEvent = events.at(-1)?.kv?.modRevision;
    // The rest of that revision may be in the next fragment.
    if (lastEvent !== undefined) this.#saw(fragment ? lastEvent - 1 : lastEvent);
    else if (created) this.#watchesFromNow(revision);
    else this.#saw(revision);
  }

  /** A watch without a start begins where it was made, or a little before: the revision told is not yet seen (WATCH-5, CLI-7). */
  #watchesFromNow(revision: number): void {
    if (this.record.request.startRevision === 0) this.#saw(revision - 1);
  }

  #saw(revision: number): void {
    this.seen = Math.max(this.seen ?? 0, revision);
  }
}
