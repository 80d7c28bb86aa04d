// The rules of the reference, the rows of the divergences, and the tests elsewhere that name a rule.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../../", import.meta.url));

/** Where the table of rules and results is kept. */
export const tablePath = join(repository, "docs", "conformance.md");

/** A rule's number, as it stands anywhere. */
const ruleNumber = /\b[A-Z][A-Z0-9]*-\d+\b/g;
/** The number of a rule where the reference states it: bold, at the start of a list item. */
const statedRule = /^- \*\*([A-Z][A-Z0-9]*-\d+)\*\*/gm;
/** The name of a test, up to its closing quote. */
const testName = /\b(?:test|it)\(\s*(["'`])((?:\\.|(?!\1)[\s\S])*)\1/g;

/** Every rule of docs/reference/etcd-behaviour.md, in its order. */
export function statedRules(): readonly string[] {
  const text = readFileSync(join(repository, "docs", "reference", "etcd-behaviour.md"), "utf8");
  return [...text.matchAll(statedRule)].map((match) => match[1] as string);
}

/** Every rule that the first column of the table in docs/divergence.md names. */
export function divergenceRows(): ReadonlySet<string> {
  const lines = readFileSync(join(repository, "docs", "divergence.md"), "utf8").split("\n");
  const firstColumns = lines.filter((line) => line.startsWith("|")).map((line) => line.split("|")[1] ?? "");
  return new Set(firstColumns.flatMap((column) => column.match(ruleNumber) ?? []));
}

/** For every rule that the name of a test elsewhere (not of this folder) mentions: the files of those tests, sorted. */
export function testsOfRules(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  const packages = readdirSync(join(repository, "packages")).map((name) => join("packages", name, "src"));
  for (const file of [...packages, join("conformance", "src")].flatMap(testFilesUnder)) {
    const text = readFileSync(join(repository, file), "utf8");
    const names = [...text.matchAll(testName)].map((match) => match[2] as string);
    for (const rule of names.flatMap((name) => name.match(ruleNumber) ?? [])) {
      found.set(rule, (found.get(rule) ?? new Set()).add(file));
    }
  }
  return new Map([...found].map(([rule, files]) => [rule, [...files].sort()]));
}

function testFilesUnder(folder: string): readonly string[] {
  let names: readonly string[];
  try {
    names = readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" });
  } catch {
    // A package without sources, such as one that holds static files only.
    return [];
  }
  return names
    .filter((name) => name.endsWith(".test.ts") && !name.startsWith("differential"))
    .map((name) => relative(repository, join(repository, folder, name)).replaceAll("\\", "/"));
}
