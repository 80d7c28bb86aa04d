/**
 * What the results say of each fault, invariant and limit. A fault is covered when a test has passed, none has failed, and
 * each of its four boxes (fault model, section 13) is filled or has a reason to be empty; otherwise it is open.
 */

import { isPartOf } from "./fault-model.mjs";
import { measuredRows } from "./limits-table.mjs";
import { limitsIn, namedIn } from "./results.mjs";
import { isReal, isSimulator } from "./suites.mjs";

const markTitle = /^SIM ([\w-]+): (.*)$/;
const plantedTitle = /^PLANTED ([\w-]+)(?: \(([^)]*)\))?: (.*)$/;
const namedCheck = /^C\d+$/;
const testOfTheTest = "(the test of the test)";

/** Sorts results into tests, marks, checks and planted bugs. */
export function classify(results) {
  const classes = { tests: [], marks: [], checks: [], planted: [] };
  for (const result of results) {
    const { suite, title } = result;
    const mark = markTitle.exec(title);
    const bug = plantedTitle.exec(title);
    if (mark !== null) classes.marks.push({ ...result, name: mark[1], names: namedIn(mark[2]) });
    else if (bug !== null) classes.planted.push({ ...result, name: bug[1], names: namedIn(`${bug[2] ?? ""}: `) });
    else {
      const names = namedIn(title);
      const checks = isSimulator(suite) ? title.slice(0, title.indexOf(": ")).split(", ").filter(isCheck) : [];
      if (checks.length > 0) classes.checks.push({ ...result, names, checks });
      else classes.tests.push({ ...result, names, limits: limitsIn(title) });
    }
  }
  return classes;
}

/** The status of every fault of the model. */
export function faultStatus(model, classes, reasons) {
  return model.faults.map((fault) => {
    const { id } = fault;
    const waits = reasons.notYet[id];
    const tests = classes.tests.filter(({ names }) => names.includes(id));
    if (waits !== undefined) return { ...fault, tests, waits, problems: [] };
    const boxes = {
      decided: decidedBox(fault, model, classes, tests),
      simulator: simulatorBox(fault, classes, tests, reasons),
      real: realBox(fault, tests, reasons),
      planted: plantedBox(fault, classes, tests, reasons),
    };
    const empty = Object.entries(boxes).filter(([, { filled, reason }]) => !filled && reason === undefined);
    return {
      ...fault,
      tests,
      boxes,
      problems: [...problemsOf(tests), ...empty.map(([box]) => `nothing ${boxNames[box]}`)],
    };
  });
}

/** The status of every invariant of the model. */
export function invariantStatus(model, classes) {
  return model.invariants.map((invariant) => {
    const isAbout = ({ names }) => names.some((name) => name === invariant.id || isPartOf(name, invariant.id));
    const checks = classes.checks.filter(isAbout);
    const tests = classes.tests.filter(isAbout);
    const passed = [...checks, ...tests].some(({ result }) => result === "passed");
    const failed = problemsOf([...checks, ...tests]).filter((problem) => problem !== noTest);
    return { ...invariant, checkers: checks, tests, problems: passed ? failed : [noTest, ...failed] };
  });
}

/** The status of every option of every limit of the model. */
export function limitStatus(model, classes, { rows, defaults, metrics }) {
  const unknown = Object.keys(rows).filter((what) => !model.limits.some((limit) => limit.what === what));
  const limits = model.limits.map((limit) => {
    const options = (rows[limit.what] ?? []).map((entry) => optionStatus(entry, classes, defaults, metrics));
    const measured = measuredRows[limit.what];
    const tests =
      measured === undefined
        ? []
        : classes.tests.filter((one) => isReal(one) && measured.provedBy.some((id) => one.names.includes(id)));
    const missing = options.length > 0 ? [] : measured === undefined ? ["no option holds it"] : problemsOf(tests);
    return { ...limit, options, measured, tests, problems: missing };
  });
  return { limits, problems: unknown.map((what) => `limits-table.mjs: the fault model has no limit "${what}"`) };
}

function optionStatus({ option, metric, why }, classes, defaults, metrics) {
  const name = option.slice(option.indexOf(".") + 1);
  const tests = classes.tests.filter(({ limits }) => limits.includes(name));
  const problems = problemsOf(tests);
  if (!defaults.has(option)) problems.unshift(`there is no limit ${option}`);
  if (metric === undefined && why === undefined) problems.push("no metric, and no reason why");
  if (metric !== undefined && !metrics.has(metric))
    problems.push(`docs/metrics.md has no metric ${metric || "for it"}`);
  return { option, name, metric, why, value: defaults.get(option), tests, problems };
}

const noTest = "no test has passed";
const boxNames = {
  decided: "decides it",
  simulator: "of it is reached by the simulator",
  real: "proves it on a real process",
  planted: "planted of its kind was found",
};

function problemsOf(tests) {
  const failed = tests.filter(({ result }) => result === "failed").map(({ title }) => `failed: ${title}`);
  return tests.some(({ result }) => result === "passed") ? failed : [noTest, ...failed];
}

/** By the checks of its invariants, and by the assertions of its tests. */
function decidedBox({ invariants }, model, { checks }, tests) {
  const wanted = model.checks.filter(({ decides }) =>
    decides.some((id) => invariants.includes(id) || invariants.some((whole) => isPartOf(id, whole))),
  );
  const passed = checks.filter(({ result }) => result === "passed").flatMap((result) => result.checks);
  const names = wanted.map(({ id }) => id).filter((id) => passed.includes(id));
  const assertions = tests.filter(({ result }) => result === "passed").length;
  return { filled: names.length > 0 || assertions > 0, names, assertions };
}

/** By marks that were reached, or runs under the fault that violated nothing. */
function simulatorBox({ id }, { marks }, tests, { marksAlso, withoutMark }) {
  const reached = marks.filter(
    ({ result, names, name }) => result === "passed" && (names.includes(id) || marksAlso[id]?.includes(name)),
  );
  const runs = tests.filter(({ suite, result }) => isSimulator(suite) && result === "passed");
  const names = reached.map(({ name }) => name).sort();
  return { filled: names.length > 0 || runs.length > 0, names, runs: runs.length, reason: withoutMark[id] };
}

function realBox({ id, wantsReal }, tests, { withoutReal }) {
  const real = tests.filter((one) => isReal(one) && one.result === "passed");
  const reason = withoutReal[id] ?? (wantsReal ? undefined : "section 5 names none");
  return { filled: real.length > 0, count: real.length, reason };
}

function plantedBox({ id }, { planted }, tests, { plantedAlso, withoutPlanted }) {
  const found = planted.filter(
    ({ result, names, name }) => result === "passed" && (names.includes(id) || plantedAlso[id]?.includes(name)),
  );
  const others = tests.filter(({ title, result }) => result === "passed" && title.endsWith(testOfTheTest));
  return { filled: found.length + others.length > 0, found, others: others.length, reason: withoutPlanted[id] };
}

function isCheck(name) {
  return namedCheck.test(name);
}
