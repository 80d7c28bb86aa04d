/** What a suite of faults is made of. `runner.ts` runs them; each suite is one file or folder that exports a `Suite`. */

/** What a scenario gets. Everything it starts is registered with `cleanUp`, and undone in reverse order when it ends. */
export interface ScenarioContext {
  /** An empty folder of its own, removed afterwards. */
  readonly folder: string;
  /** Set when the scenario has run out of time: its waits should give up. */
  readonly signal: AbortSignal;
  /** How long a scenario that could go on for ever should do so (`--seconds`); undefined: as short as is worth anything. */
  readonly seconds: number | undefined;
  /** Where chance starts from (`--seed`); undefined: the scenario's own choice, which it notes. */
  readonly seed: number | undefined;
  cleanUp(undo: () => void | Promise<void>): void;
  /** Prints a line of figures that a reader of the report wants to see (measured values, counts). */
  note(line: string): void;
}

/** One fault, provoked; it passes if `run` does not throw. */
export interface Scenario {
  /** Begins with the faults, invariants and limits it proves: `F19, I14: …`, `LIMIT resetsBurst: …`. */
  readonly title: string;
  /** After that (and what `--seconds` asks for) it has failed. */
  readonly secondsMax: number;
  /** Why it cannot run on this machine, in a few words; undefined if it can. */
  readonly missing?: () => string | undefined | Promise<string | undefined>;
  readonly run: (context: ScenarioContext) => Promise<void>;
}

/** Scenarios of one kind, run by `npm run faults -- NAME`. */
export interface Suite {
  readonly name: string;
  /** One line for `--help`. */
  readonly summary: string;
  readonly scenarios: readonly Scenario[];
}
