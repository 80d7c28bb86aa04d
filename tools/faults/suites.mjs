/**
 * Whose results the table of faults needs, with the command that makes them, and how they count. A suite that is not listed
 * counts by its name, like the listed ones; it is only not missed.
 */

export const suites = {
  unit: "npm test",
  h2spec: "npm run conformance -- h2spec",
  crash: "npm run conformance -- crash",
  "faults-kill": "npm run faults -- kill",
  "faults-power-cut": "npm run faults -- power-cut",
  "faults-disk": "npm run faults -- disk",
  "faults-stalls": "npm run faults -- stalls",
  "faults-network": "npm run faults -- network",
  "faults-clock": "npm run faults -- clock",
  "faults-operations": "npm run faults -- operations",
  "faults-fuzz": "npm run faults -- fuzz",
  simulator: "npm run simulate -- --seeds 1000",
  planted: "npm run planted",
};

/** Unit tests that start real processes. */
const realFiles = [/^packages\/holdfast\/src\/(main|canary|serve-bugs)\.test\.ts$/, /\/real-process\.test\.ts$/];

/** Fuzzers work within one process, but for those that say so. */
const realFuzzer = /\bto a real server\b/;

/** Tests on a real process or by a real client. */
export function isReal({ suite, file, title }) {
  if (suite === "faults-fuzz") return realFuzzer.test(title);
  return (
    suite.startsWith("faults-") || suite === "h2spec" || suite === "crash" || realFiles.some((name) => name.test(file))
  );
}

/** Results of the simulator about its checks and coverage marks. */
export function isSimulator(suite) {
  return suite === "simulator";
}
