/** The filters of a range by revisions (KV-11). */
import type { RangeRequest } from "@holdfast/protocol";

export function hasFilters(request: RangeRequest): boolean {
  return (
    request.minModRevision !== 0 ||
    request.maxModRevision !== 0 ||
    request.minCreateRevision !== 0 ||
    request.maxCreateRevision !== 0
  );
}

/** What the filters look at. */
export interface Revisions {
  readonly modRevision: number;
  readonly createRevision: number;
}

/** Whether a pair passes the filters. */
export function passes(request: RangeRequest, pair: Revisions): boolean {
  return (
    (request.minModRevision === 0 || pair.modRevision >= request.minModRevision) &&
    (request.maxModRevision === 0 || pair.modRevision <= request.maxModRevision) &&
    (request.minCreateRevision === 0 || pair.createRevision >= request.minCreateRevision) &&
    (request.maxCreateRevision === 0 || pair.createRevision <= request.maxCreateRevision)
  );
}
