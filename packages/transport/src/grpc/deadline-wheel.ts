/**
 * Deadlines of calls: a hashed timing wheel, so that setting and dropping one costs the same however many there are,
 * and one timer serves all. Deadlines pass up to one tick late, never early.
 */
import type { Clock, Timer } from "../environment.js";

const TICK_MS = 10;
const SLOTS = 1_024;

/** Something with a deadline. */
export interface Expiring {
  /** Called once, at or after the deadline, unless it was removed before. */
  expired(): void;
}

/** A deadline that is set; a link of its slot's ring. */
export class Deadline {
  readonly target: Expiring | undefined;
  readonly tick: number;
  previous: Deadline = this;
  next: Deadline = this;

  constructor(target: Expiring | undefined, tick: number) {
    this.target = target;
    this.tick = tick;
  }

  unlink(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.previous = this;
    this.next = this;
  }
}

/** One per server. */
export class DeadlineWheel {
  readonly #clock: Clock;
  /** Each slot is the fixed link of a ring. */
  readonly #slots: Deadline[] = Array.from({ length: SLOTS }, () => new Deadline(undefined, 0));
  #size = 0;
  #timer: Timer | undefined = undefined;
  /** The last tick that was looked at. */
  #tick = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Deadlines that are set. */
  get size(): number {
    return this.#size;
  }

  /** Has `target` told at `deadlineMs` of the clock. */
  add(deadlineMs: number, target: Expiring): Deadline {
    if (this.#size === 0) this.#tick = Math.floor(this.#clock.nowMs() / TICK_MS);
    // Never in a slot that was looked at already.
    const deadline = new Deadline(target, Math.max(Math.ceil(deadlineMs / TICK_MS), this.#tick + 1));
    const slot = this.#slots[deadline.tick % SLOTS];
    deadline.previous = slot.previous;
    deadline.next = slot;
    slot.previous.next = deadline;
    slot.previous = deadline;
    this.#size++;
    this.#timer ??= this.#clock.after(TICK_MS, this.#turn);
    return deadline;
  }

  /** Drops a deadline that has not passed. */
  remove(deadline: Deadline): void {
    if (deadline.next === deadline) return;
    deadline.unlink();
    this.#size--;
  }

  readonly #turn = (): void => {
    this.#timer = undefined;
    const nowTick = Math.floor(this.#clock.nowMs() / TICK_MS);
    // After a long stall one round over the slots sees every deadline.
    const first = Math.max(this.#tick + 1, nowTick - SLOTS + 1);
    this.#tick = nowTick;
    for (let tick = first; tick <= nowTick; tick++) this.#expireSlot(this.#slots[tick % SLOTS], nowTick);
    if (this.#size > 0) this.#timer ??= this.#clock.after(TICK_MS, this.#turn);
  };

  #expireSlot(slot: Deadline, nowTick: number): void {
    const due: Deadline[] = [];
    for (let link = slot.next; link !== slot; link = link.next) if (link.tick <= nowTick) due.push(link);
    for (const deadline of due) {
      // One that was due may have been removed by another's end.
      if (deadline.next === deadline) continue;
      this.remove(deadline);
      deadline.target!.expired();
    }
  }
}
