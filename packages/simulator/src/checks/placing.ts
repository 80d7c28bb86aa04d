/**
 * Gives every answer a position: a command its own, a read the earliest at which its answer is right. What was answered
 * before another call was made must not come after it (I2), and nothing may be known before it is stored (I1).
 */
import type { Call } from "../history/calls.js";
import type { Replay } from "./replay.js";

/** The first position from `from` on that an answer fits; undefined if there is none. */
export type NextPosition = (from: number) => number | undefined;

/** An answer to be placed. */
export interface Placeable {
  readonly call: Call;
  /** When it had been answered, as an order. */
  readonly ended: number;
  readonly next: NextPosition;
  /** A serializable read may show what others know to be past (I3). */
  readonly mayBePast: boolean;
}

/** What was found of one answer. */
export interface Placed {
  readonly call: Call;
  /** Where it stands; undefined if it fits nowhere. */
  readonly position: number | undefined;
  /** The position that others had been answered from before the call was made. */
  readonly floor: number;
  /** The last position known to be stored before the answer came. */
  readonly ceiling: number;
  /** Where it would stand if time did not matter; undefined if nowhere. */
  readonly anywhere: number | undefined;
}

interface Happening {
  readonly order: number;
  readonly item: Placeable;
  readonly isEnd: boolean;
}

/** Places all answers, as early as each can stand: if this fails for one, no other way succeeds for all. */
export function placeAll(items: readonly Placeable[], replay: Replay): Placed[] {
  const placed = new Map<Placeable, Placed>();
  let floor = 0;
  for (const { item, isEnd } of happenings(items)) {
    if (isEnd) floor = Math.max(floor, placed.get(item)?.position ?? 0);
    else placed.set(item, place(item, floor, replay));
  }
  return [...placed.values()];
}

function place(item: Placeable, floor: number, replay: Replay): Placed {
  const ceiling = replay.lastToldBefore(item.ended);
  const found = item.next(item.mayBePast ? 0 : floor);
  const position = found !== undefined && found <= ceiling ? found : undefined;
  const anywhere = position ?? item.next(0);
  return { call: item.call, position, floor, ceiling, anywhere };
}

function happenings(items: readonly Placeable[]): Happening[] {
  const all = items.flatMap((item): Happening[] => [
    { order: item.call.invoked.order, item, isEnd: false },
    { order: item.ended, item, isEnd: true },
  ]);
  return all.sort((left, right) => left.order - right.order);
}
