/**
 * What the fault model (docs/reference/fault-model.md) says of itself: its faults, invariants, checks and limits, by name.
 * The table of faults is made along it, so that what is added there is open here until something proves it.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../workspace.mjs";

const invariantHead = /^\*\*(I\d+) ([^*]+?)\.?\*\*/gm;
const invariantPart = /^- \*(I\d+[a-c]) \(([^)]+)\)\*/gm;
const faultHead = /^(?:\*\*(F\d+) ([^*]+?)\.?\*\*|\| \*\*(F\d+)\*\* \| (?:\*\*)?([^*|(:]+))/gm;
const checkRow = /^\| (C\d+) (.+?) \| ([^|]+) \|$/gm;
const limitRow = /^\| ([^|]+?) \| ([^|]+?) \| ([^|]+?) \|$/gm;

/** Reads the fault model. */
export function readFaultModel(path = join(root, "docs", "reference", "fault-model.md")) {
  const text = readFileSync(path, "utf8");
  const checks = checksOf(sectionOf(text, 9));
  return {
    faults: faultsOf(sectionOf(text, 5)),
    invariants: invariantsOf(sectionOf(text, 3), checks),
    checks,
    limits: limitsOf(sectionOf(text, 6)),
  };
}

/** The text between the headings `## N. …` and `## N+1. …`. */
function sectionOf(text, number) {
  const start = text.search(new RegExp(`^## ${number}\\. `, "m"));
  const end = text.search(new RegExp(`^## ${number + 1}\\. `, "m"));
  if (start < 0) throw new Error(`the fault model has no section ${number}`);
  return text.slice(start, end < 0 ? undefined : end);
}

/** Each with its name, the invariants that its text speaks of, and whether its tests include one on a real process. */
function faultsOf(section) {
  const heads = [...section.matchAll(faultHead)];
  return heads.map((match, at) => {
    const [, heading, headingName, row, rowName] = match;
    const body = section.slice(match.index, heads[at + 1]?.index).split(/^### /m)[0];
    return {
      id: heading ?? row,
      name: (headingName ?? rowName).trim().replace(/,$/, ""),
      invariants: invariantsIn(body),
      // The attacks of the table are all made by a real client.
      wantsReal: row !== undefined || /\*Test:\*[\s\S]*\bReal\b/.test(body),
      wantsSimulator: row === undefined && /\*Test:\*[\s\S]*\bSim\b/.test(body),
    };
  });
}

/** By name; `I4–I9` stands for all between them as well. */
function invariantsIn(text) {
  const names = new Set();
  for (const [name, , last] of text.matchAll(/\bI\d+[a-c]?(–I(\d+))?\b/g)) {
    const first = name.split("–")[0];
    names.add(first);
    for (let n = numberOf(first) + 1; n <= Number(last ?? 0); n++) names.add(`I${n}`);
  }
  return [...names];
}

function invariantsOf(section, checks) {
  const found = [...section.matchAll(invariantHead), ...section.matchAll(invariantPart)];
  // What is said of the whole is decided by what decides its parts.
  const checksFor = (id) => checks.filter(({ decides }) => decides.some((name) => name === id || isPartOf(name, id)));
  return found
    .map(([, id, name]) => ({ id, name, checks: checksFor(id).map((check) => check.id) }))
    .sort((a, b) => numberOf(a.id) - numberOf(b.id) || (a.id < b.id ? -1 : 1));
}

function checksOf(section) {
  return [...section.matchAll(checkRow)].map(([, id, text, decides]) => ({
    id,
    text: text.replace(/\*\*/g, ""),
    decides: decides.match(/I\d+[a-c]?/g) ?? [],
  }));
}

function limitsOf(section) {
  const rows = [...section.matchAll(limitRow)].filter(([, what]) => what !== "What" && !what.startsWith("---"));
  return rows.map(([, what, value, why]) => ({ what, value, why }));
}

/** Whether `I4a` is a part of `I4`. */
export function isPartOf(part, whole) {
  return part.length === whole.length + 1 && part.startsWith(whole) && /[a-c]$/.test(part);
}

function numberOf(id) {
  return Number(/\d+/.exec(id)[0]);
}
