/**
 * Turns the text of one built ES module into that of a function that takes what it imports and returns what it exports, so
 * that many modules can stand in one file.
 *
 * It understands what the compiler writes: imports and exports that begin a line and end with a semicolon. Whatever it does
 * not understand it refuses.
 */

import { lexSource, lineAt } from "../source-text.mjs";

const fromClause = /^(?:import|export)\s+(?<names>[^"';=()]*?)\s*from\s*["'](?<blank>\s*)["'];/;
const bareImport = /^import\s*["'](?<blank>\s*)["'];/;
const exportList = /^export\s*\{(?<names>[^}]*)\};/;
const declaration = /^export\s+(?:async\s+)?(?:class|const|function)\b[\s*]*(?<name>[\w$]+)/;

/**
 * Rewrites one module.
 *
 * @param {object} module `text`; `name` for messages; and what its imports become: `resolve(specifier)` gives the expression
 *   for a module's exports, `resolveLater(specifier)` that for a promise of them, `url` the expression for `import.meta.url`.
 *   `resolveName(specifier, name)`, if given, may give `{ module, name }` instead: the expression for the module that a name is
 *   really of, and its name there.
 * @returns {string} the body of the function.
 * @throws Error for what cannot be rewritten.
 */
export function functionBody({ text, name, resolve, resolveName = () => undefined, resolveLater, url }) {
  const { code, strings, comments } = lexSource(text);
  const contentAt = new Map(strings.map(({ start, content }) => [start, content]));
  const doorsFrom = (start) => ({
    all: (at) => resolve(contentAt.get(start + at)),
    one: (at, imported) => resolveName(contentAt.get(start + at), imported),
  });
  const refuse = (at, what) => {
    throw new Error(`${name}:${lineAt(text, at)}: ${what} cannot be bundled`);
  };
  const edits = comments.map(({ start, end }) => ({ start, end, text: "" }));
  const exported = [];
  for (const { index: start } of code.matchAll(/^(?:import(?![\s]*[.(])|export)\b/gm)) {
    const statement = rewritten(code.slice(start), doorsFrom(start));
    if (statement === undefined) refuse(start, "this import or export");
    edits.push({ start, end: start + statement.length, text: statement.text });
    exported.push(...statement.exported);
  }
  for (const match of code.matchAll(/(?<![\w$.])import\s*\(\s*["']/g)) {
    const specifier = contentAt.get(match.index + match[0].length);
    const end = code.indexOf(")", match.index) + 1;
    edits.push({ start: match.index, end, text: resolveLater(specifier) });
  }
  for (const { index: start } of code.matchAll(/(?<![\w$.])import\.meta\.url\b/g)) {
    edits.push({ start, end: start + "import.meta.url".length, text: url });
  }
  const body = edited(text, edits);
  const left = /(?<![\w$.#])import(?=\s*[.(])|^(?:await|for\s+await)\b/m.exec(lexSource(body).code);
  if (left !== null) refuse(0, `"${left[0]}"`);
  return `${body}\nreturn { ${exported.join(", ")} };`;
}

/** One import or export at the beginning of `code`: its length, what to put in its place, what it exports. */
function rewritten(code, doors) {
  const from = fromClause.exec(code);
  if (from !== null) return fromStatement(from, doors);
  const bare = bareImport.exec(code);
  if (bare !== null) return { length: bare[0].length, text: `${doors.all(contentOffset(bare))};`, exported: [] };
  const list = exportList.exec(code);
  if (list !== null) return { length: list[0].length, text: "", exported: renamed(list.groups.names, reversed) };
  const declared = declaration.exec(code);
  if (declared === null) return undefined;
  return { length: "export ".length, text: "", exported: [declared.groups.name] };
}

function fromStatement(match, doors) {
  const { names } = match.groups;
  const at = contentOffset(match);
  const { length } = match[0];
  if (match[0].startsWith("export")) return reExport(names, doors.all(at), length);
  const all = /^\*\s*as\s+([\w$]+)$/.exec(names);
  if (all !== null) return { length, text: `const ${all[1]} = ${doors.all(at)};`, exported: [] };
  const some = /^\{(?<list>[^}]*)\}$/.exec(names);
  if (some === null) return undefined;
  return { length, text: importText(some.groups.list, at, doors), exported: [] };
}

/** One statement for each module that the names are of. */
function importText(list, at, doors) {
  const byModule = new Map();
  for (const [name, alias = name] of namePairs(list)) {
    const found = doors.one(at, name) ?? { module: doors.all(at), name };
    const parts = byModule.get(found.module) ?? [];
    byModule.set(found.module, [...parts, found.name === alias ? alias : `${found.name}: ${alias}`]);
  }
  if (byModule.size === 0) return `${doors.all(at)};`;
  return [...byModule].map(([module, parts]) => `const { ${parts.join(", ")} } = ${module};`).join(" ");
}

function reExport(names, module, length) {
  if (names === "*") return { length, text: "", exported: [`...${module}`] };
  const some = /^\{(?<list>[^}]*)\}$/.exec(names);
  if (some === null) return undefined;
  const exported = renamed(some.groups.list, (name, alias) => `${alias ?? name}: ${module}.${name}`);
  return { length, text: "", exported };
}

const reversed = (name, alias) => (alias === undefined ? name : `${alias}: ${name}`);

/** "a, b as c", each made into text. */
function renamed(list, toText) {
  return namePairs(list).map((pair) => toText(...pair));
}

/** "a, b as c" as `[["a"], ["b", "c"]]`. */
function namePairs(list) {
  const names = list.split(",").map((part) => part.trim());
  return names.filter((part) => part !== "").map((part) => part.split(/\s+as\s+/));
}

/**
 * What a module exports: `own` are the names of what it makes itself; `passed`, by name, what it passes on, as `{ specifier, name }`;
 * `all` the specifiers of modules of which it passes on everything.
 */
export function exportedNames(text) {
  const { code, strings } = lexSource(text);
  const contentAt = new Map(strings.map(({ start, content }) => [start, content]));
  const found = { own: new Set(), passed: new Map(), all: [] };
  for (const { index: start } of code.matchAll(/^export\b/gm)) addExports(found, code.slice(start), start, contentAt);
  return found;
}

function addExports(found, code, start, contentAt) {
  const from = fromClause.exec(code);
  if (from !== null) {
    const specifier = contentAt.get(start + contentOffset(from));
    const { names } = from.groups;
    if (names === "*") found.all.push(specifier);
    for (const [name, alias = name] of namePairs(/^\{([^}]*)\}$/.exec(names)?.[1] ?? ""))
      found.passed.set(alias, { specifier, name });
    return;
  }
  const list = exportList.exec(code);
  for (const [name, alias = name] of namePairs(list?.groups.names ?? "")) found.own.add(alias);
  const declared = list === null ? declaration.exec(code) : null;
  if (declared !== null) found.own.add(declared.groups.name);
}

/** Where in the statement the module's name begins. */
function contentOffset(match) {
  return match[0].length - '";'.length - match.groups.blank.length;
}

function edited(text, edits) {
  let result = "";
  let at = 0;
  for (const { start, end, text: replacement } of edits.sort((a, b) => a.start - b.start)) {
    result += text.slice(at, start) + replacement;
    at = end;
  }
  return (result + text.slice(at)).replace(/^\s*\n/gm, "");
}
