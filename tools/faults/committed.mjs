/**
 * The table of faults as it was last written, read again: a machine that cannot run some test (one that may not mount, say)
 * must neither forget that it passed elsewhere nor pretend that it passed here.
 */

const line = /^- (passed|failed|skipped): (.*) — \[([^\]]+)\]\([^)]*\) \(([\w-]+)\)$/;
const heading = /^### (\S+)$/;
const groupTitle = /^(\d+) tests$/;
const seedCount = /\b\d+ seeds?\b/g;

/** What stands in the document: `passed` are keys of single results; `groups` are files named as a whole, with what of them is about what. */
export function readCommitted(text) {
  const passed = new Set();
  const groups = [];
  let about = "";
  for (const one of text.split("\n")) {
    about = heading.exec(one)?.[1] ?? about;
    const match = line.exec(one);
    if (match === null || match[1] !== "passed") continue;
    const [, , title, file, suite] = match;
    const count = Number(groupTitle.exec(title)?.[1] ?? 0);
    if (count > 0) groups.push({ about, file, suite, count });
    else passed.add(keyOf({ suite, title }));
  }
  return { passed, groups };
}

/**
 * The results with those that were skipped here as they stand in the document. `tolerated` are the titles of what was not
 * run here, with the reasons.
 */
export function tolerateSkips(results, { passed, groups }) {
  const tolerated = [];
  const ran = new Set(results.filter(({ result }) => result !== "skipped").map(fileOf));
  const together = results.flatMap((result) => {
    if (result.result !== "skipped") return [result];
    const elsewhere = ran.has(fileOf(result)) ? [] : groups.filter((group) => fileOf(group) === fileOf(result));
    const isKnown = passed.has(keyOf(result));
    if (!isKnown && elsewhere.length === 0) return [result];
    tolerated.push(`${result.title}: ${result.reason ?? "no reason given"}`);
    return isKnown ? [{ ...result, result: "passed" }] : elsewhere.flatMap(resultsOf);
  });
  return { results: together, tolerated };
}

/** As many results as there were, about the same; their titles are not known any more. */
function resultsOf({ about, suite, file, count }) {
  const name = about.includes(".") ? `LIMIT ${about.slice(about.indexOf(".") + 1)}` : about;
  return Array.from({ length: count }, (_, n) => ({ suite, file, title: `${name}: test ${n + 1}`, result: "passed" }));
}

function fileOf({ suite, file }) {
  return `${suite} ${file}`;
}

/** The lines in which two documents differ, with `-` and `+` before them; figures of chance are not looked at. */
export function differences(committed, made) {
  const [before, after] = [committed, made].map((text) => text.replaceAll(seedCount, "N seeds").split("\n"));
  const [inBefore, inAfter] = [new Set(before), new Set(after)];
  return [
    ...before.filter((text) => !inAfter.has(text)).map((text) => `- ${text}`),
    ...after.filter((text) => !inBefore.has(text)).map((text) => `+ ${text}`),
  ];
}

function keyOf({ suite, title }) {
  return `${suite} ${title.replaceAll(seedCount, "N seeds")}`;
}
