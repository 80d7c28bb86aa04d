/** Watches as the clients saw them: everything that was said on each, in the order it came. */
import type { Event, WatchCreateRequest } from "@holdfast/protocol";
import type { Moment } from "./moment.js";

/** One response on a watch. Fragments of one response are told one by one. */
export interface WatchMessage {
  readonly at: Moment;
  /** Revision of the response's header. */
  readonly revision: number;
  readonly events: readonly Event[];
  readonly fragment: boolean;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compactRevision: number;
  readonly cancelReason: string;
}

/** One watch on one stream. A client that resumes opens another. */
export interface WatchRecord {
  /** Unique in the history. */
  readonly id: number;
  readonly client: string;
  readonly connection: number;
  readonly request: WatchCreateRequest;
  readonly created: Moment;
  /** Appended to as it comes. A message without events that is neither `created` nor `canceled` is a progress notice. */
  readonly messages: WatchMessage[];
  /** The revision the client had seen when it resumed here, if it did: nothing after it may be missing (I8). */
  readonly resumedFrom: number | undefined;
  /** Undefined while it is open. `caughtUp` is set at the end of a run, when everything there is must have come. */
  ended: Moment | undefined;
  caughtUp: boolean;
}
