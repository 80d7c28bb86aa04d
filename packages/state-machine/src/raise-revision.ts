/**
 * Lifts a restored store above everything that was ever told of the history it was taken from (fault-model F62): a backup is
 * older than what clients have seen, and a revision given twice would be two different states, a token given twice two
 * owners.
 */

import { KeySpace } from "./key-space.js";
import type { LeaseTable } from "./leases.js";
import { noLease } from "./stored-version.js";
import type { KeyVersion } from "./types.js";

/** Thrown when a store cannot be lifted so far: revisions end at 2 ^ 53 - 1. */
export class RevisionStepError extends RangeError {
  constructor(step: number) {
    super(`the revision cannot be raised by ${step}`);
    this.name = "RevisionStepError";
  }
}

/**
 * The live keys of `keys` in a key space whose revision is `step` higher and compacted there, so that every cursor into the
 * old history ends as compacted. A key without lease keeps its revisions. One with a lease, which is how locks, elections
 * and registrations are held, begins anew: in the order of their creation they are created again, each at a revision of its
 * own, so that a key's create revision as a token is higher than any given before, and queues keep their order.
 *
 * Throws `RevisionStepError`.
 */
export function raiseRevision(keys: KeySpace, leases: LeaseTable, step: number): KeySpace {
  const held: KeyVersion[] = [];
  const raised = new KeySpace();
  raised.revision = keys.revision + step;
  raised.compactRevision = raised.revision;
  keys.visitLive("" as KeyVersion["key"], undefined, (version) => {
    if (version.lease === noLease) raised.restoreBase(version);
    else held.push(version);
  });
  if (!(step > 0 && Number.isSafeInteger(step) && Number.isSafeInteger(raised.revision + held.length)))
    throw new RevisionStepError(step);
  // Sorting is stable: keys of one revision stay in their order.
  held.sort((left, right) => left.createRevision - right.createRevision);
  for (const { key, value, lease } of held) {
    leases.detach(lease, key);
    raised.revision += 1;
    raised.put(undefined, key, value, leases.attach(lease, key), raised.revision);
  }
  return raised;
}
