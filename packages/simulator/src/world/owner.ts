/**
 * Somebody to whom events happen: a server, a client, or the world itself. It can die (what was to happen to it is dropped),
 * be paused (it waits), and has a clock of its own that goes a little wrong.
 */

/** What an event is to the one it happens to: what decides the order in which a paused one finds things on resuming. */
export type EventKind = "timer" | "input" | "deferred" | "disk" | "world";

export interface ScheduledEvent {
  timeMs: number;
  tie: number;
  readonly serial: number;
  readonly kind: EventKind;
  readonly owner: Owner;
  readonly generation: number;
  /** Undefined once it is cancelled. */
  action: (() => void) | undefined;
  /** Taken into the trace: what tells this event from others of its kind. */
  readonly digest: number;
}

export class Owner {
  readonly name: string;
  /** Local milliseconds per true millisecond. */
  readonly rate: number;
  /** Its place in the trace. */
  readonly id: number;
  /** Raised when it dies: events of an earlier one are dropped. */
  generation = 1;
  /** True time until which it is paused; 0 if it is not. */
  pausedUntilMs = 0;
  /** True time during which its clock stood still, in all. */
  lostMs = 0;
  /** What would have happened during the pause. */
  readonly held: ScheduledEvent[] = [];

  constructor(name: string, id: number, rate = 1) {
    this.name = name;
    this.id = id;
    this.rate = rate;
  }

  /** Everything that was to happen to it will not. */
  die(): void {
    this.generation++;
    this.pausedUntilMs = 0;
    this.held.length = 0;
  }
}
