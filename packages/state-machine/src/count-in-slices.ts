/** Counts the keys of an interval as they were at an older revision between other work: what `KeySpace.countAt` does in one go. */
import type { ByteString } from "@holdfast/protocol";
import { keyAfter } from "./key-interval.js";
import type { KeySpace } from "./key-space.js";
import { countSliceLength } from "./limits.js";

/**
 * Returns how many keys from `from` to below `to` were alive at `revision`, and pauses every `sliceLength` events or keys looked
 * at. Not to be resumed once `revision` is compacted. Of the current revision it is told without a pause.
 */
export function* countInSlices(
  keys: KeySpace,
  from: ByteString,
  to: ByteString | undefined,
  revision: number,
  sliceLength: number = countSliceLength,
): Generator<void, number, undefined> {
  const { events, index } = keys;
  const { end } = events;
  let position = events.positionOf(revision + 1);
  if (end - position >= index.countKnown(from, to)) return yield* countByKeys(keys, from, to, revision, sliceLength);
  let count = index.countLive(from, to);
  for (; position < end; position += sliceLength) {
    count -= keys.growthBetween(position, Math.min(end, position + sliceLength), from, to);
    yield;
  }
  return count;
}

function* countByKeys(
  keys: KeySpace,
  start: ByteString,
  to: ByteString | undefined,
  revision: number,
  sliceLength: number,
): Generator<void, number, undefined> {
  let count = 0;
  for (let from: ByteString | undefined = start; from !== undefined; ) {
    let steps = 0;
    let next: ByteString | undefined;
    keys.index.visit(from, to, (number) => {
      if (keys.histories.isLiveAt(number, revision)) count += 1;
      steps += 1;
      if (steps < sliceLength) return true;
      next = keyAfter(keys.histories.key(number));
      return false;
    });
    from = next;
    if (from !== undefined) yield;
  }
  return count;
}
