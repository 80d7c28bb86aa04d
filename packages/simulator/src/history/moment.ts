/** When something happened, as the world that recorded it knows: a simulated one, or a test with real processes. */

/** A point in the history. Two moments of one history never have the same `order`; time may stand still between them. */
export interface Moment {
  /** Milliseconds since the start of the run, on a clock that nobody in the run can change. */
  readonly ms: number;
  /** Counts everything that is recorded, from 1: what has the lower one happened before. */
  readonly order: number;
}
