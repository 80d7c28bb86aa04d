/**
 * What those who live in a simulated world see of it: time, chance, connections to the server, and what may befall them.
 * The world itself is put together in `run/`.
 */
import type { Clock, TransportSocket } from "@holdfast/transport";
import type { Moment } from "../history/moment.js";
import type { SeededRandom } from "./random.js";

export interface World {
  /** True virtual time in milliseconds from the start of the run; for records and checks, not for those who live here. */
  readonly nowMs: number;
  /** A new moment: each call has the next `order`. */
  moment(): Moment;
  /** A stream of chance for one concern, the same for the same name. */
  random(concern: string): SeededRandom;
  /** Makes somebody who lives in this world. Names are unique among the living; a killed one's name may be used again. */
  party(name: string): Party;
  /** Takes a line for the list of last events. It counts for the trace hash, so it must follow from the seed. */
  note(line: string): void;
  /** Counts a coverage mark: a named place that some seed must reach. */
  mark(name: string): void;
}

/** One life of one client: a machine with a clock of its own. */
export interface Party {
  readonly name: string;
  /** Monotonic, with a rate of its own between 0.995 and 1.005. Its timers wait while the party is paused and end when it is killed. */
  readonly clock: Clock;
  readonly alive: boolean;
  /** A stream of chance for one concern of this party, the same for the same names. */
  random(concern: string): SeededRandom;
  /**
   * Connects to the server. Rejects with an error that has a `code`, as sockets do: ECONNREFUSED where nobody listens,
   * ETIMEDOUT where nobody answers. Never settles for the dead.
   */
  connect(): Promise<TransportSocket>;
  /** Resolves after `ms` on the party's clock. Never settles for the dead. */
  sleep(ms: number): Promise<void>;
  /** Told once if the party is killed: by `kill`, or by the run. What it had open is lost already. */
  onKilled(listener: () => void): void;
  /** Nothing of the party runs for `ms` of true time; then it finds everything waiting, timers first or input first. */
  pause(ms: number): void;
  /**
   * Ends the party: none of its timers, promises of `sleep` and `connect` or sockets does anything any more. Its
   * connections are closed, or, if `silently`, left half-open: the server is not told.
   */
  kill(silently?: boolean): void;
}
