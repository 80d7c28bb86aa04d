/** What a planted bug is: one deliberate error, put into a compiled module while it is loaded. */
import type { Overrides } from "../run/overrides.js";

/** The test of the tests (fault model, section 11): with this in place, something must fail. */
export interface PlantedBug {
  /** For `--planted NAME`. */
  readonly name: string;
  /** The faults and invariants it is of, as `F7, I1`. */
  readonly kind: string;
  /** What is wrong with it, in one sentence. */
  readonly summary: string;
  /** The compiled module below `packages/`, as `log/dist/file/record.js`. */
  readonly module: string;
  /** Must occur exactly once in the module. */
  readonly find: string;
  readonly replace: string;
  /** What the runs that look for it differ in from what their seeds say: it needs rare faults, or many clients of a kind. */
  readonly overrides?: Overrides;
  /** It must be found by so many seeds of the simulator, counted from the first. */
  readonly seedsMax: number;
}
