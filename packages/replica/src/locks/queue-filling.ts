/**
 * Fills a queue with the keys that live when it is made, in pieces: a prefix may have any number of ordinary keys below it
 * (LOCK-5), and putting them in order must not keep everybody else waiting.
 *
 * Keys made while this goes on are added at the queue's end by whoever observes the changes, and keys deleted meanwhile
 * are left out here.
 */
import type { KeyVersion, StateMachine } from "@holdfast/state-machine";
import type { LockQueue } from "./lock-queue.js";
import { prefixEnd } from "./prefix-end.js";

/** Sorted by creation, the oldest first. */
type Run = readonly KeyVersion[];

/** Yields between pieces of work with `keysMax` keys; a queue of no more than that is filled without a pause. */
export function* fillQueue(machine: StateMachine, queue: LockQueue, keysMax: number): Generator<undefined, void> {
  let runs = yield* sortedRuns(machine, queue, keysMax);
  while (runs.length > 1) runs = yield* mergedInPairs(runs, keysMax);
  const [all = []] = runs;
  for (let index = all.length - 1, done = 1; index >= 0; index--, done++) {
    const { key, createRevision } = all[index] as KeyVersion;
    if (machine.get(key)?.createRevision === createRevision) queue.prepend(key, createRevision);
    if (done % keysMax === 0 && index > 0) yield;
  }
}

/** The keys that live now, in runs of up to `keysMax`. */
function* sortedRuns(machine: StateMachine, { prefix }: LockQueue, keysMax: number): Generator<undefined, Run[]> {
  const runs: Run[] = [];
  const newestRevision = machine.revision;
  let from = prefix;
  for (let more = true; more; ) {
    const run: KeyVersion[] = [];
    let visited = 0;
    more = false;
    machine.forEachLive(from, prefixEnd(prefix), (version) => {
      if (visited++ === keysMax) {
        from = version.key;
        more = true;
        return false;
      }
      if (version.createRevision <= newestRevision) run.push(version);
      return true;
    });
    runs.push(run.sort(byCreation));
    if (more) yield;
  }
  return runs;
}

function* mergedInPairs(runs: readonly Run[], keysMax: number): Generator<undefined, Run[]> {
  const merged: Run[] = [];
  for (let index = 0; index < runs.length; index += 2) {
    merged.push(yield* mergedPair(runs[index] as Run, runs[index + 1] ?? [], keysMax));
  }
  return merged;
}

function* mergedPair(left: Run, right: Run, keysMax: number): Generator<undefined, Run> {
  if (right.length === 0) return left;
  const merged: KeyVersion[] = [];
  let leftIndex = 0;
  let rightIndex = 0;
  while (leftIndex < left.length || rightIndex < right.length) {
    const [a, b] = [left[leftIndex], right[rightIndex]];
    const takesLeft = b === undefined || (a !== undefined && byCreation(a, b) < 0);
    merged.push((takesLeft ? left[leftIndex++] : right[rightIndex++]) as KeyVersion);
    if (merged.length % keysMax === 0) yield;
  }
  return merged;
}

/** Keys made by one transaction share a revision; among them the byte-smallest comes first (ELECT-2). */
function byCreation(a: KeyVersion, b: KeyVersion): number {
  return a.createRevision - b.createRevision || (a.key < b.key ? -1 : 1);
}
