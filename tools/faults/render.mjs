/** The table of faults as a document: docs/faults.md. The same results always make the same text. */

import { groupBy } from "./group-by.mjs";

const introduction = `# Faults, invariants and limits: what proves them

Made by \`npm run faults:table -- --write\` from the results of the last runs (\`.results/\`); not to be edited. The faults,
invariants and limits are those of the [fault model](reference/fault-model.md), and a test names what it proves at the start
of its title. A fault is covered when tests of it have passed and four things are there (fault model, section 13), or a
reason why one is not:

1. **decided**: a check of the simulator (section 9), or assertions of tests, tell whether its invariants held;
2. **simulator**: coverage marks of it were reached by simulated runs, or runs under it violated nothing;
3. **real**: a test on a real process or by a real client;
4. **planted**: a deliberate error of its kind was found by the tests.
`;

const boxWords = { simulator: "mark of the simulator", real: "test on a real process", planted: "planted bug" };

/** Above so many tests in one file the file is named instead of each. */
const namedTestsMax = 12;

/** How a test stands in the document; `committed.mjs` reads it again. */
export function resultLine({ result, title, file, suite }) {
  return `- ${result}: ${title} — [${file}](../${file}) (${suite})`;
}

/** @param status what `status.mjs` made of the results. */
export function renderDocument({ faults, invariants, limits, classes }) {
  const sections = [
    introduction,
    `## Faults\n\n${faultTable(faults)}`,
    `## Invariants\n\n${invariantTable(invariants)}`,
    `## Limits\n\n${limitTable(limits)}`,
    `## Tests of each fault\n\n${faults.map((fault) => faultSection(fault)).join("\n\n")}`,
    `## Tests of each invariant\n\n${invariants.map((one) => testSection(one)).join("\n\n")}`,
    `## Tests of each limit\n\n${limits.flatMap(({ options }) => options.map((option) => limitSection(option))).join("\n\n")}`,
    `## Checks of the simulator\n\n${lines(classes.checks)}`,
    `## Coverage marks of the simulator\n\n${lines(classes.marks)}`,
    `## Planted bugs\n\n${lines(classes.planted)}`,
  ];
  return `${sections
    .join("\n\n")
    .replace(/\n{3,}/g, "\n\n")
    .trimEnd()}\n`;
}

function faultTable(faults) {
  const rows = faults.map(({ id, name, waits, boxes, tests, problems }) => {
    if (waits !== undefined) return row([link(id), name, `not yet: ${waits}`, "", "", "", "", ""]);
    const cells = [
      decidedCell(boxes.decided),
      boxCell(id, boxes.simulator, simulatorCell),
      boxCell(id, boxes.real, realCell),
      boxCell(id, boxes.planted, plantedCell),
    ];
    return row([link(id), name, stateOf(problems), ...cells, passedOf(tests)]);
  });
  return table(["fault", "name", "state", "decided", "simulator", "real", "planted", "tests passed"], rows);
}

function decidedCell({ names, assertions }) {
  return names.length > 0 ? names.join(", ") : assertions > 0 ? "assertions" : "**open**";
}

function simulatorCell({ names, runs }) {
  return [
    ...names.map((name) => `\`${name}\``),
    ...(runs > 0 ? [counted(runs, "kind of runs", "kinds of runs")] : []),
  ].join(", ");
}

function realCell({ count }) {
  return counted(count, "test", "tests");
}

function plantedCell({ found, others }) {
  const ofTests = others > 0 ? [counted(others, "test of a test", "tests of tests")] : [];
  return [...found.map(({ name }) => `\`${name}\``), ...ofTests].join(", ");
}

/** What fills a box; the reason why nothing does stands below. */
function boxCell(id, box, textOf) {
  if (box.filled) return textOf(box);
  return box.reason === undefined ? "**open**" : `[reason](#${id.toLowerCase()})`;
}

function counted(count, one, several) {
  return `${count} ${count === 1 ? one : several}`;
}

function invariantTable(invariants) {
  const rows = invariants.map(({ id, name, checks, checkers, tests, problems }) =>
    row([link(id), name, stateOf(problems), checks.join(", "), passedOf(checkers), passedOf(tests)]),
  );
  return table(["invariant", "name", "state", "decided by", "checks passed", "tests passed"], rows);
}

function limitTable(limits) {
  const rows = limits.flatMap(({ what, value, options, measured, problems }) => {
    if (options.length === 0) return [row([what, value, measured?.how ?? "", "", "", stateOf(problems)])];
    return options.map((option) =>
      row([what, value, `\`${option.option}\``, shown(option.value), metricOf(option), stateOf(option.problems)]),
    );
  });
  return table(["limit", "fault model", "option", "default", "metric", "state"], rows);
}

function metricOf({ metric, why }) {
  return metric === undefined ? `none: ${why}` : `\`${metric || "?"}\``;
}

function shown(value) {
  return value === undefined ? "" : value.toLocaleString("en");
}

function faultSection({ id, name, tests, problems, waits, boxes }) {
  const note = waits === undefined ? openNote(problems) + reasonsOf(boxes) : `Not yet: ${waits}.\n\n`;
  return `### ${id}\n\n${name}.\n\n${note}${grouped(tests)}`;
}

/** Why boxes are empty. */
function reasonsOf({ simulator, real, planted }) {
  const named = Object.entries({ simulator, real, planted }).filter(
    ([, box]) => !box.filled && box.reason !== undefined,
  );
  return named.length === 0
    ? ""
    : `${named.map(([box, { reason }]) => `- no ${boxWords[box]}: ${reason}`).join("\n")}\n\n`;
}

function testSection({ id, name, tests, problems }) {
  return `### ${id}\n\n${name}.\n\n${openNote(problems)}${grouped(tests)}`;
}

function limitSection({ option, tests, problems }) {
  return `### ${option}\n\n${openNote(problems)}${grouped(tests)}`;
}

function openNote(problems) {
  return problems.length === 0 ? "" : `**Open**: ${problems.join("; ")}.\n\n`;
}

/** One line for each test, or for each file that has very many. */
function grouped(tests) {
  const byFile = groupBy(tests, ({ suite, file }) => `${suite} ${file}`);
  const groups = [...byFile].sort(([one], [other]) => (one < other ? -1 : 1));
  return groups.map(([, group]) => groupLines(group)).join("\n");
}

function groupLines(group) {
  if (group.length <= namedTestsMax) return lines(group);
  const byResult = groupBy(group, ({ result }) => result);
  return [...byResult].map(([, some]) => resultLine({ ...some[0], title: `${some.length} tests` })).join("\n");
}

function lines(results) {
  return [...new Set(results.map(resultLine))].sort().join("\n");
}

function stateOf(problems) {
  return problems.length === 0 ? "ok" : "**open**";
}

function passedOf(results) {
  return String(results.filter(({ result }) => result === "passed").length);
}

function link(id) {
  return `[${id}](#${id.toLowerCase()})`;
}

function row(cells) {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function table(heads, rows) {
  return [row(heads), `|${heads.map(() => "---|").join("")}`, ...rows].join("\n");
}
