/** The suites there are, in the order in which they run, with the file that each is reported under. */
import { attackSuites } from "./attacks/suites.js";
import { clockSuite } from "./clock/clock-suite.js";
import { diskSuite } from "./disk/disk-suite.js";
import { fuzzSuite } from "./fuzz/suite.js";
import { killSuite } from "./kill/kill-suite.js";
import { loginSuite } from "./login/login-suite.js";
import { networkSuite } from "./network/network-suite.js";
import { operationsSuite } from "./operations/operations-suite.js";
import { powerCutSuite } from "./power-cut/power-cut-suite.js";
import type { Suite } from "./scenario.js";
import { stallsSuite } from "./stalls/stalls-suite.js";

export interface RegisteredSuite {
  readonly suite: Suite;
  /** From the root of the repository. */
  readonly file: string;
}

export const allSuites: readonly RegisteredSuite[] = [
  { suite: killSuite, file: "faults/src/kill/kill-suite.ts" },
  { suite: diskSuite, file: "faults/src/disk/disk-suite.ts" },
  { suite: powerCutSuite, file: "faults/src/power-cut/power-cut-suite.ts" },
  { suite: stallsSuite, file: "faults/src/stalls/stalls-suite.ts" },
  { suite: clockSuite, file: "faults/src/clock/clock-suite.ts" },
  { suite: networkSuite, file: "faults/src/network/network-suite.ts" },
  { suite: operationsSuite, file: "faults/src/operations/operations-suite.ts" },
  { suite: loginSuite, file: "faults/src/login/login-suite.ts" },
  ...attackSuites,
  { suite: fuzzSuite, file: "faults/src/fuzz/suite.ts" },
];
