/**
 * Gives connections that have had their turn (`turnMs`) another one, a few at a time and in order. So however many of them
 * there are, those that ask for little are served between two rounds (I12).
 */
import type { Clock, Timer } from "../environment.js";

/** How many connections get a turn before everybody else is served. */
const CONNECTIONS_PER_ROUND = 2;
const ROUND_DELAY_MS = 1;

/** A connection whose turn is over. */
export interface TurnTaker {
  /** Its next turn has come. */
  takeTurn(): void;
}

/** One per server or client. */
export class TurnQueue {
  /** In the order in which they get their turn. */
  readonly #waiting = new Set<TurnTaker>();
  readonly #clock: Clock;
  #timer: Timer | undefined = undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(connection: TurnTaker): void {
    this.#waiting.add(connection);
    this.#timer ??= this.#clock.after(ROUND_DELAY_MS, this.#round);
  }

  /** It needs no turn any more. */
  delete(connection: TurnTaker): void {
    this.#waiting.delete(connection);
  }

  readonly #round = (): void => {
    this.#timer = undefined;
    // A connection that is added while this round goes on belongs to the next.
    for (const connection of [...this.#waiting].slice(0, CONNECTIONS_PER_ROUND)) {
      if (this.#waiting.delete(connection)) connection.takeTurn();
    }
    if (this.#waiting.size > 0) this.#timer ??= this.#clock.after(ROUND_DELAY_MS, this.#round);
  };
}
