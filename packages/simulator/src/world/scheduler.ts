/**
 * Virtual time, and everything that will happen in it. One step takes the next event, runs it, and lets every promise
 * callback and `nextTick` that follows from it run dry before the next: so the order of everything follows from the seed.
 */
import type { Clock, Timer } from "@holdfast/transport";
import { afterMicrotasks } from "../environment.js";
import { EventHeap } from "./event-heap.js";
import { type EventKind, Owner, type ScheduledEvent } from "./owner.js";
import type { SeededRandom } from "./random.js";
import { Trace } from "./trace.js";

/** Longest virtual time between deferring a task and running it. */
const deferMsMax = 0.05;
/** So that rounding never lets a timer fire before its time on its owner's clock. */
const timerSlackMs = 1e-6;

const kindNumbers: Readonly<Record<EventKind, number>> = { timer: 1, input: 2, deferred: 3, disk: 4, world: 5 };
/** The orders in which a resumed event loop may find what waits (fault model F13). */
const resumeOrders: readonly (readonly EventKind[])[] = [
  ["timer", "input", "disk", "deferred", "world"],
  ["input", "disk", "deferred", "timer", "world"],
  ["deferred", "timer", "disk", "input", "world"],
];

export interface Cancel {
  cancel(): void;
}

export class Scheduler {
  /** For events that happen to nobody in particular. */
  readonly world: Owner;
  readonly trace = new Trace();
  /** Looks at the cheap invariants after each step. */
  onStep: (() => void) | undefined;
  readonly #random: SeededRandom;
  readonly #heap = new EventHeap();
  #nowMs = 0;
  #serial = 0;
  #owners = 0;
  #steps = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
    this.world = this.owner("world");
  }

  /** True milliseconds from the start. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get steps(): number {
    return this.#steps;
  }

  owner(name: string, rate = 1): Owner {
    return new Owner(name, ++this.#owners, rate);
  }

  /** Has `action` happen to `owner` in `delayMs` of true time, unless it dies before. */
  after(delayMs: number, kind: EventKind, owner: Owner, action: () => void, digest = 0): Cancel {
    return this.#add(this.#nowMs + Math.max(0, delayMs), kind, owner, action, digest);
  }

  /** Runs `task` soon, behind all input that is waiting now. */
  defer(owner: Owner, task: () => void): void {
    this.#add(this.#nowMs + this.#random.within(0, deferMsMax), "deferred", owner, task, 0, 1);
  }

  /** The clock of `owner`, as the transport takes it: whole milliseconds. */
  clockOf(owner: Owner): Clock {
    return {
      nowMs: () => Math.trunc(this.localMs(owner)),
      after: (delayMs, callback): Timer => this.timer(owner, delayMs, callback),
    };
  }

  /** What the clock of `owner` shows. */
  localMs(owner: Owner): number {
    return (this.#nowMs - owner.lostMs) * owner.rate;
  }

  /** Calls `callback` after `delayMs` on the clock of `owner`. */
  timer(owner: Owner, delayMs: number, callback: () => void): Cancel {
    const dueMs = this.localMs(owner) + Math.max(delayMs, 0);
    let waiting: Cancel;
    const wait = (): void => {
      const leftMs = dueMs - this.localMs(owner);
      // Once more if the clock stood still meanwhile.
      const run = (): void => (this.localMs(owner) < dueMs ? wait() : callback());
      waiting = this.after(leftMs / owner.rate + timerSlackMs, "timer", owner, run);
    };
    wait();
    return { cancel: () => waiting.cancel() };
  }

  /** Calls `tick` every `intervalMs` on the clock of `owner`, counted from when it last did. @returns what stops it. */
  every(owner: Owner, intervalMs: number, tick: () => void): () => void {
    let next: Cancel;
    const run = (): void => {
      next = this.timer(owner, intervalMs, run);
      tick();
    };
    next = this.timer(owner, intervalMs, run);
    return () => next.cancel();
  }

  /**
   * Nothing happens to `owner` for `ms` of true time. Then what came meanwhile does, in one of the orders a real
   * loop has. If `clockStops`, its clock shows nothing of it, as that of a suspended machine (fault model F12).
   */
  pause(owner: Owner, ms: number, clockStops = false): void {
    if (owner.pausedUntilMs > 0) return;
    const { generation } = owner;
    owner.pausedUntilMs = this.#nowMs + ms;
    this.after(ms, "world", this.world, () => {
      if (clockStops) owner.lostMs += ms;
      if (owner.generation === generation) this.#resume(owner);
    });
  }

  /** Takes steps until `isOver` says so or nothing is left to happen. Rejects with what an event throws. */
  run(isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          this.onStep?.();
          if (isOver() || !this.#step()) resolve();
          else afterMicrotasks(turn);
        } catch (error) {
          reject(error);
        }
      };
      afterMicrotasks(turn);
    });
  }

  #add(timeMs: number, kind: EventKind, owner: Owner, action: () => void, digest: number, tie?: number): Cancel {
    const event: ScheduledEvent = {
      timeMs,
      tie: tie ?? this.#random.next(),
      serial: ++this.#serial,
      kind,
      owner,
      generation: owner.generation,
      action,
      digest,
    };
    this.#heap.push(event);
    return {
      cancel: () => {
        event.action = undefined;
      },
    };
  }

  /** @returns false if nothing is left. */
  #step(): boolean {
    for (;;) {
      const event = this.#heap.pop();
      if (event === undefined) return false;
      const { owner, action } = event;
      if (action === undefined || event.generation !== owner.generation) continue;
      this.#nowMs = event.timeMs;
      if (owner.pausedUntilMs > 0) {
        owner.held.push(event);
        continue;
      }
      this.#steps++;
      this.trace.step(event.timeMs, kindNumbers[event.kind], owner.id, event.digest);
      action();
      return true;
    }
  }

  #resume(owner: Owner): void {
    owner.pausedUntilMs = 0;
    const order = this.#random.pick(resumeOrders);
    const held = owner.held.splice(0);
    let place = 0;
    for (const kind of order) {
      for (const event of held) {
        if (event.kind !== kind) continue;
        event.timeMs = this.#nowMs;
        // Before anything else that happens now, and in this order.
        event.tie = -1 + place++ / (held.length + 1);
        this.#heap.push(event);
      }
    }
  }
}
