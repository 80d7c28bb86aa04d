/**
 * Results of tests in files that the table of faults is made from: `.results/<suite>.json`, one per suite, with an entry
 * for each test whose title names a fault, an invariant or a limit (CONTRIBUTING.md, "Tests").
 */

import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { display, readJson, root } from "../workspace.mjs";

/** Where the files are; not part of the repository. */
export const resultFolder = join(root, ".results");

/** A fault of the fault model's section 5, or an invariant of its section 3. */
const reference = /^(F\d+|I\d+[a-c]?)$/;
const limitName = /^[a-z]\w*$/;

/** The comma-separated names that a title begins with, before its first colon and space. */
function head(title) {
  const end = title.indexOf(": ");
  return end < 0 ? [] : title.slice(0, end).split(/,\s*/);
}

/** What a title names at its start: `F7, I11: text` is about F7 and I11. Other names in the list, as of rules, are left out. */
export function namedIn(title) {
  return head(title).filter((name) => reference.test(name));
}

/**
 * The limits that a title names: `LIMIT streamsTotalMax: text`, also behind the faults. Several are separated by commas; each
 * has the word before it, or the first of them.
 */
export function limitsIn(title) {
  const [, names = ""] = /^(?:[\w, *-]+: )?(?:[\w-]+, )*(LIMIT \w[\w, -]*): /.exec(title) ?? [];
  const limits = names.split(/,\s*/).map((name) => name.replace(/^LIMIT /, ""));
  return limits.filter((name) => limitName.test(name) && !reference.test(name));
}

/** Collects results from the events of Node's test runner. */
export class ResultCollector {
  /** By file and title: a test that runs several times, or a group of that name, fails if one of them does. */
  #results = new Map();

  onPass({ name, file, skip, todo }) {
    if (todo !== undefined) return;
    if (skip === undefined) this.#add(name, file, { result: "passed" });
    else this.#add(name, file, { result: "skipped", reason: typeof skip === "string" ? skip : "no reason given" });
  }

  onFail({ name, file, details, todo }) {
    if (todo !== undefined) return;
    const { error } = details ?? {};
    const text = String(error?.cause?.message ?? error?.message ?? "failed");
    this.#add(name, file, { result: "failed", reason: text.split("\n", 1)[0].slice(0, 200) });
  }

  /** Writes `.results/<suite>.json`, if there is anything to write; what an earlier run wrote is replaced. */
  write(suite, folder = resultFolder) {
    if (this.#results.size === 0) return;
    const results = [...this.#results.values()].sort((a, b) => (order(a) < order(b) ? -1 : 1));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${suite}.json`), `${JSON.stringify({ suite, results }, undefined, 2)}\n`);
  }

  #add(title, path, outcome) {
    if (namedIn(title).length === 0 && limitsIn(title).length === 0) return;
    const file = sourceOf(path);
    const key = `${file} ${title}`;
    const worst = ["passed", "skipped", "failed"];
    const known = this.#results.get(key);
    if (known !== undefined && worst.indexOf(known.result) >= worst.indexOf(outcome.result)) return;
    this.#results.set(key, { title, file, ...outcome });
  }
}

/** All results found, each with its suite. */
export function readResults(folder = resultFolder) {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return files.sort().flatMap((name) => {
    const { suite, results } = readJson(join(folder, name));
    return results.map((result) => ({ suite, ...result }));
  });
}

function order({ file, title }) {
  return `${file} ${title}`;
}

/** The path, from the root of the repository, of the source behind a built test. */
function sourceOf(path) {
  const file = display(path ?? "", root);
  if (!/\/dist\//.test(file)) return file;
  const source = file.replace("/dist/", "/src/").replace(/\.js$/, ".ts");
  return existsSync(join(root, dirname(source))) ? source : file;
}
