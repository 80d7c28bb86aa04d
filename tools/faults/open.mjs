/**
 * What of the open faults, invariants and limits is open only because suites have not been run: nobody should read that
 * something failed where nothing was tried.
 */

import { isReal, isSimulator } from "./suites.mjs";

/** Which suites could have settled a problem, by how it is worded in `status.mjs`. Any other problem, no suite could. */
const settledBy = [
  [/^(no test has passed|nothing decides it)$/, () => true],
  [/^nothing of it is reached by the simulator$/, isSimulatorNamed],
  [/^nothing proves it on a real process$/, isRealNamed],
  [/^nothing planted of its kind was found$/, (suite) => suite === "planted" || suite === "unit"],
];

/** Sorts the open subjects: `failed`, and `notRun`, each of whose problems a suite in `missing` may settle. */
export function sortOpen(open, missing) {
  const isNotRun = ({ problems }) => problems.every((problem) => isOfMissing(problem, missing));
  return { failed: open.filter((one) => !isNotRun(one)), notRun: open.filter(isNotRun) };
}

function isOfMissing(problem, missing) {
  const [, settles = () => false] = settledBy.find(([wording]) => wording.test(problem)) ?? [];
  return missing.some(settles);
}

function isSimulatorNamed(suite) {
  return isSimulator(suite);
}

/** Among the unit tests are some on real processes. */
function isRealNamed(suite) {
  return suite === "unit" || suite === "faults-fuzz" || isReal({ suite, file: "", title: "" });
}
