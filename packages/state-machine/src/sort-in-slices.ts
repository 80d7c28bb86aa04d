/** Sorts a long array between other work. */
import { sortSliceLength } from "./limits.js";

type Comparison<Item> = (left: Item, right: Item) => number;

/**
 * Hands `done` the items of `items` in the order of `comparison`, equals as they stood, and pauses about every
 * `sliceLength` steps. `items` is of no use afterwards.
 */
export function* sortInSlices<Item>(
  items: Item[],
  comparison: Comparison<Item>,
  done: (sorted: Item[]) => void,
  sliceLength: number = sortSliceLength,
): Generator<void, void, undefined> {
  let from = items;
  for (let start = 0; start < from.length; start += sliceLength) {
    const run = from.slice(start, start + sliceLength).sort(comparison);
    for (const [offset, item] of run.entries()) from[start + offset] = item;
    yield;
  }
  let to: Item[] = new Array(from.length);
  for (let length = sliceLength; length < from.length; length *= 2) {
    for (let start = 0; start < from.length; start += 2 * length)
      yield* merge(from, to, start, length, comparison, sliceLength);
    [from, to] = [to, from];
  }
  done(from);
}

/** Merges two neighbouring sorted runs of `length` items at `start`, the last of which may be shorter or missing. */
function* merge<Item>(
  from: readonly Item[],
  to: Item[],
  start: number,
  length: number,
  comparison: Comparison<Item>,
  sliceLength: number,
): Generator<void, void, undefined> {
  const middle = Math.min(start + length, from.length);
  const end = Math.min(middle + length, from.length);
  let [left, right] = [start, middle];
  for (let at = start; at < end; at++) {
    const takesLeft = left < middle && (right >= end || comparison(from[left] as Item, from[right] as Item) <= 0);
    to[at] = from[takesLeft ? left++ : right++] as Item;
    if ((at - start) % sliceLength === sliceLength - 1) yield;
  }
}
