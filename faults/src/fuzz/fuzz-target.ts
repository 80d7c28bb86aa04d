/** What a fuzzer is: makes inputs out of numbers, and decides of each whether the code under test did right by it. */
import type { Random } from "./random.js";

/** An input is bytes, whatever it stands for: so every one can be printed, replayed and made smaller in the same way. */
export interface FuzzTarget {
  /** In one word or two, with hyphens. */
  readonly name: string;
  /** Starts what is needed, before the first input. */
  open?(): Promise<void>;
  /** A new input. Must depend on `random` alone. */
  generate(random: Random): Buffer;
  /**
   * Hands the input to the code under test. Throws, or rejects, if that did wrong: anything thrown but the error that its
   * interface promises, a wrong value, something left behind.
   */
  run(input: Buffer): void | Promise<void>;
  /** What must hold after many inputs, and is too dear to look at after each. */
  check?(): void | Promise<void>;
  /** Gives back what the target holds. */
  close?(): void | Promise<void>;
  /** Figures of interest beside the executions, such as how many inputs were well formed. */
  figures?(): string;
}

/** How far from the start a run begins, and how long it lasts. */
export interface FuzzPlan {
  /** The seed of the first input; the next inputs have the next ones. */
  readonly seed: number;
  /** At least one input is run, however short this is. */
  readonly seconds: number;
}

/** What came of a run that found nothing. */
export interface FuzzReport {
  readonly executions: number;
  readonly seconds: number;
  /** The longest that one input took, and its seed. */
  readonly slowestMs: number;
  readonly slowestSeed: number;
}
