/**
 * Checks every import against the table in `import-rules.mjs`: packages, deep imports, undeclared dependencies,
 * relative imports that leave the package, circular imports, and doors to time, chance and the world.
 *
 * Type-only imports count like others: a package that needs another's types cannot be understood without it.
 */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { findCycles } from "./cycles.mjs";
import { importRules, testPackages } from "./import-rules.mjs";
import { lexSource, lineAt } from "./source-text.mjs";
import { display, filesUnder, readJson, root, workspaceFolders } from "./workspace.mjs";

const sourceFile = /\.(ts|tsx|mts|mjs|js)$/;
/** Paths inside a package that do not run with it: tests and what serves them, benchmarks, tools that build it. */
const asidePath = /\.(test|bench)\.(ts|tsx|mts|mjs)$|^src\/testing\/|^tools\//;

/** Returns one line per violation; none means that the table holds. */
export function checkImports(top = root, rules = importRules) {
  const workspace = describeWorkspace(top);
  const unlisted = workspaceFolders(top)
    .map((folder) => display(folder, top))
    .filter((folder) => rules[folder] === undefined)
    .map((folder) => `${folder}: has no row in tools/import-rules.mjs`);
  const broken = Object.keys(rules)
    .filter((folder) => existsSync(join(top, folder)))
    .flatMap((folder) => new FolderCheck(workspace, folder, rules).run());
  return [...unlisted, ...checkRootReferences(top), ...broken];
}

/**
 * Every module named by an import, export-from, dynamic import, import type or require in a source text.
 *
 * `specifier` is undefined where it is computed and nothing can be said about it.
 */
export function importsOf(text) {
  const { code, strings } = lexSource(text);
  const found = strings
    .filter(({ start }) =>
      /(^|[^\w$.])(from|import|(import|require)\s*\()\s*["']$/.test(code.slice(0, start).slice(-80)),
    )
    .map(({ start, content }) => ({ specifier: content, line: lineAt(text, start) }));
  for (const match of code.matchAll(/(?<![\w$.])(import|require)\s*\(\s*(?!["'\s])/g)) {
    found.push({ specifier: undefined, line: lineAt(text, match.index) });
  }
  return found;
}

function describeWorkspace(top) {
  const folderOf = new Map();
  for (const folder of workspaceFolders(top)) folderOf.set(readJson(join(folder, "package.json")).name, folder);
  return { top, folderOf, manifest: readJson(join(top, "package.json")) };
}

/** Every package with a tsconfig.json takes part in the build of the whole. */
function checkRootReferences(top) {
  if (!existsSync(join(top, "tsconfig.json"))) return [];
  const references = referencesOf(top);
  return workspaceFolders(top)
    .filter((folder) => existsSync(join(folder, "tsconfig.json")) && !references.includes(folder))
    .map((folder) => `tsconfig.json: does not refer to ${display(folder, top)}`);
}

/** The folders a project's tsconfig.json refers to; undefined without one. */
function referencesOf(folder) {
  const path = join(folder, "tsconfig.json");
  if (!existsSync(path)) return undefined;
  return (readJson(path).references ?? []).map((reference) => normalize(join(folder, reference.path)));
}

/** The check of one row of the table. */
class FolderCheck {
  #workspace;
  #folder;
  #rule;
  #reachable;
  #manifest;
  #references;
  #problems = [];
  /** Which file imports which, for the search for cycles. */
  #graph = new Map();

  constructor(workspace, folder, rules) {
    this.#workspace = workspace;
    this.#folder = join(workspace.top, folder);
    this.#rule = rules[folder];
    this.#reachable = [this.#folder, ...this.#rule.reaches.map((name) => join(workspace.top, name))];
    const own = join(this.#folder, "package.json");
    this.#manifest = existsSync(own) ? readJson(own) : workspace.manifest;
    this.#references = referencesOf(this.#folder);
  }

  run() {
    for (const path of filesUnder(this.#folder).filter((file) => sourceFile.test(file))) this.#checkFile(path);
    for (const cycle of findCycles(this.#graph)) {
      const names = cycle.map((path) => display(path, this.#workspace.top));
      this.#problems.push(`${names[0]}: circular import: ${names.join(" -> ")}`);
    }
    return this.#problems;
  }

  #checkFile(path) {
    const text = readFileSync(path, "utf8");
    const name = display(path, this.#folder);
    const isAside = asidePath.test(name);
    const isFree = isAside || this.#isEnvironment(name);
    const targets = [];
    for (const { specifier, line } of importsOf(text)) {
      const report = (problem) => this.#report(path, line, problem);
      if (specifier === undefined) {
        if (!isAside && !this.#rule.computed.includes(name)) report("imports a module whose name is computed");
      } else if (specifier.startsWith(".")) targets.push(...this.#checkRelative(path, specifier, report));
      else if (!specifier.startsWith("node:")) this.#checkPackage(specifier, isAside, report);
      else if (!isFree) this.#checkBuiltin(specifier.slice("node:".length), report);
    }
    this.#graph.set(path, targets);
    if (!isFree) this.#checkGlobals(path, text);
  }

  #isEnvironment(name) {
    return this.#rule.environment.some((entry) => (entry.endsWith("/") ? name.startsWith(entry) : name === entry));
  }

  /** Returns the source file behind a relative import, or nothing when the import is refused. */
  #checkRelative(path, specifier, report) {
    const target = normalize(join(dirname(path), specifier));
    if (!this.#reachable.some((folder) => target.startsWith(join(folder, "/")))) {
      report(`"${specifier}" leaves the package`);
      return [];
    }
    const candidates = [target, target.replace(/js$/, "ts"), target.replace(/js$/, "tsx")];
    const source = candidates.find((candidate) => existsSync(candidate));
    if (source === undefined) report(`"${specifier}" does not exist`);
    return source === undefined ? [] : [source];
  }

  #checkBuiltin(name, report) {
    const { only, except = [] } = this.#rule.builtins;
    const group = name.split("/")[0];
    const allowed = only === undefined ? !except.includes(group) : only.includes(name);
    if (!allowed) report(`may not import "node:${name}"`);
  }

  #checkPackage(specifier, isAside, report) {
    const parts = specifier.split("/");
    const name = parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
    const folder = this.#workspace.folderOf.get(name);
    if (folder === undefined) {
      if (!this.#rule.thirdParty && !(isAside && testPackages.includes(name))) report(`may not import "${name}"`);
    } else {
      if (name === this.#manifest.name) report("imports its own package by name");
      if (!this.#mayImport(name, isAside)) report(`may not import "${name}"`);
      if (specifier !== name && !exposes(folder, specifier.slice(name.length))) {
        report(`"${specifier}" is a deep import: the package does not export it`);
      }
      if (this.#references?.includes(folder) === false) report(`"${name}" is missing from tsconfig.json references`);
    }
    if (!this.#declares(name, isAside)) report(`"${name}" is not declared in package.json`);
  }

  #mayImport(name, isAside) {
    const { ours, testsMayUse } = this.#rule;
    return ours.includes(name) || (isAside && (testsMayUse === "any" || testsMayUse.includes(name)));
  }

  #declares(name, isAside) {
    const own = this.#manifest;
    const groups = [own.dependencies, own.peerDependencies, own.optionalDependencies];
    if (isAside) groups.push(own.devDependencies, this.#workspace.manifest.devDependencies);
    return groups.some((group) => group?.[name] !== undefined);
  }

  #checkGlobals(path, text) {
    const { code } = lexSource(text);
    for (const name of this.#rule.globals) {
      const use = new RegExp(`(?<![\\w$.#])${name.replace(".", "\\.")}(?![\\w$])`, "g");
      for (const match of code.matchAll(use)) {
        this.#report(path, lineAt(text, match.index), `may not use ${name}: it is handed in`);
      }
    }
  }

  #report(path, line, problem) {
    this.#problems.push(`${display(path, this.#workspace.top)}:${line}: ${problem}`);
  }
}

/** Whether a package's `exports` offer `subpath` ("/name"). */
function exposes(folder, subpath) {
  const { exports = {} } = readJson(join(folder, "package.json"));
  return Object.keys(exports).some((key) => {
    const [head, tail] = key.split("*");
    const wanted = `.${subpath}`;
    return tail === undefined ? key === wanted : wanted.startsWith(head) && wanted.endsWith(tail);
  });
}
