/**
 * Checks what every source file promises: its length, the length of its functions, no `any`, no default export, no test
 * left on `.only` or `todo`.
 *
 * The formatter and the compiler check everything else. A function is recognised by the line on which its brace opens,
 * which is certain enough because every file is formatted by one program.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { lexSource, lineAt } from "./source-text.mjs";
import { display, filesUnder, root } from "./workspace.mjs";

const fileLinesMax = 500;
const functionLinesMax = 70;

/** The folders that hold our sources. */
const sourceFolders = ["packages", "conformance", "faults", "bench", "tools"];
const sourceFile = /\.(ts|tsx|mts|mjs|js)$/;
const testFile = /\.test\.(ts|tsx|mts|mjs)$/;

/** A table is as long as it must be, and so is a function that only enumerates. */
const tableFile = /tables?\.m?[jt]s$/;

/** What may not stand in code, and why it is refused. */
const forbiddenInCode = [
  [/(?::|<|\||&|\bas)\s*any\b(?!\s*[(:=.?])|,\s*any\s*(?=[>[|&])/g, "uses `any`"],
  [/\bexport\s+default\b/g, "has a default export"],
  [/\b(?:test|it|describe|suite)\.(?:only|todo)\b/g, "leaves a test on .only or .todo"],
  [/[{,]\s*(?:only|todo)\s*:\s*true\b/g, "leaves a test on only or todo"],
];

/** What may not stand anywhere, comments included. */
const forbiddenInText = [[/@ts-(?:ignore|nocheck)\b/g, "switches the type checker off"]];

/** Returns one line per violation. */
export function checkFiles(top = root) {
  return sourceFolders
    .flatMap((folder) => filesUnder(join(top, folder)))
    .filter((path) => sourceFile.test(path) && !path.endsWith(".d.ts") && !/[\\/]generated[\\/]/.test(path))
    .flatMap((path) => checkFile(display(path, top), readFileSync(path, "utf8")));
}

/** Returns one line per violation in one file. */
export function checkFile(name, text) {
  const { code } = lexSource(text);
  const problems = [];
  for (const [content, rules] of [
    [code, forbiddenInCode],
    [text, name.startsWith("tools/") ? [] : forbiddenInText],
  ]) {
    for (const [pattern, problem] of rules) {
      for (const match of content.matchAll(pattern)) problems.push(`${name}:${lineAt(text, match.index)}: ${problem}`);
    }
  }
  return testFile.test(name) || tableFile.test(name) ? problems : [...problems, ...checkLengths(name, text, code)];
}

function checkLengths(name, text, code) {
  const problems = [];
  const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  if (lines > fileLinesMax) {
    problems.push(`${name}: ${lines} lines; at most ${fileLinesMax}`);
  }
  for (const [start, end] of blocks(code)) {
    const first = lineAt(text, start);
    const length = lineAt(text, end) - first + 1;
    if (length > functionLinesMax && opensFunction(code, start)) {
      problems.push(`${name}:${first}: a function of ${length} lines; at most ${functionLinesMax}`);
    }
  }
  return problems;
}

/** Start and end offsets of everything in braces. */
function blocks(code) {
  const found = [];
  const open = [];
  for (const match of code.matchAll(/[{}]/g)) {
    if (match[0] === "{") open.push(match.index);
    else if (open.length > 0) found.push([open.pop(), match.index]);
  }
  return found;
}

/** Whether the brace follows `=>`, a parameter list, or a parameter list with a return type: `): Type {`. */
function opensFunction(code, brace) {
  const line = code.slice(code.lastIndexOf("\n", brace) + 1, brace).trimEnd();
  if (/^[\s}]*(else\s+)?(if|for|while|switch|catch)\b/.test(line)) return false;
  return /(=>|\))$/.test(line) || /\):\s(?:[^=;]|=>)*$/.test(line);
}
