import assert from "node:assert/strict";
import { test } from "node:test";
import { checkImports, importsOf } from "./check-imports.mjs";
import { importRules } from "./import-rules.mjs";
import { plantWorkspace } from "./planted-workspace.mjs";

/** A small table in the shape of the real one: `core` may import nothing, `outer` may import `core`. */
const template = importRules["packages/transport"];
const rules = {
  "packages/core": {
    ...template,
    builtins: { only: [] },
    globals: ["Date", "Math.random"],
    environment: ["src/environment.ts"],
  },
  "packages/outer": { ...template, ours: ["@planted/core"], thirdParty: true },
};

const core = { name: "@planted/core", exports: { ".": {}, "./suite": {} } };
const outer = { name: "@planted/outer", dependencies: { "@planted/core": "1", listed: "1" } };

/** Plants `files` in the two packages and returns the checker's words. */
function check(t, files) {
  const manifests = { "packages/core/package.json": core, "packages/outer/package.json": outer };
  return checkImports(plantWorkspace(t, { ...manifests, ...files }), rules);
}

/** One test that plants one violation and expects exactly one complaint about it. */
function refuses(what, files, complaint) {
  test(`refuses ${what}`, (t) => {
    assert.deepEqual(check(t, files), [complaint]);
  });
}

test("accepts what the table allows", (t) => {
  const problems = check(t, {
    "packages/core/src/index.ts": 'export * from "./a.js";\n// import "node:fs"; new Date()\n',
    "packages/core/src/a.ts": "export const text = 'import \"node:fs\"';",
    "packages/core/src/environment.ts": 'import { hrtime } from "node:process";\nnew Date();',
    "packages/core/src/a.test.ts": 'import { test } from "node:test";\nnew Date();',
    "packages/outer/src/index.ts":
      'import type { A } from "@planted/core";\nimport "@planted/core/suite";\nimport "listed/deep";\nimport "node:fs";',
  });
  assert.deepEqual(problems, []);
});

refuses(
  "a package outside the table",
  {
    "packages/core/package.json": { ...core, dependencies: { "@planted/outer": "1" } },
    "packages/core/src/a.ts": '\nimport type { A } from "@planted/outer";',
  },
  'packages/core/src/a.ts:2: may not import "@planted/outer"',
);

refuses(
  "a dependency from the registry in the core",
  {
    "packages/core/package.json": { ...core, dependencies: { listed: "1" } },
    "packages/core/src/a.ts": 'export { a } from "listed";',
  },
  'packages/core/src/a.ts:1: may not import "listed"',
);

refuses(
  "an undeclared dependency",
  { "packages/outer/src/a.ts": 'const a = await import("unlisted");' },
  'packages/outer/src/a.ts:1: "unlisted" is not declared in package.json',
);

refuses(
  "a deep import that the package does not export",
  { "packages/outer/src/a.ts": 'import "@planted/core/dist/a.js";' },
  'packages/outer/src/a.ts:1: "@planted/core/dist/a.js" is a deep import: the package does not export it',
);

refuses(
  "a relative import that leaves the package",
  { "packages/outer/src/a.ts": 'import "../../core/src/a.js";', "packages/core/src/a.ts": "" },
  'packages/outer/src/a.ts:1: "../../core/src/a.js" leaves the package',
);

refuses(
  "a relative import of a file that is not there",
  { "packages/outer/src/a.ts": 'import "./gone.js";' },
  'packages/outer/src/a.ts:1: "./gone.js" does not exist',
);

refuses(
  "a circular import, types included",
  {
    "packages/core/src/a.ts": 'import { b } from "./b.js";',
    "packages/core/src/b.ts": 'import { c } from "./c.js";',
    "packages/core/src/c.ts": 'import type { A } from "./a.js";',
  },
  "packages/core/src/a.ts: circular import: " +
    "packages/core/src/a.ts -> packages/core/src/b.ts -> packages/core/src/c.ts -> packages/core/src/a.ts",
);

refuses(
  "a forbidden built-in module",
  { "packages/core/src/a.ts": 'let a: import("node:fs").Stats;' },
  'packages/core/src/a.ts:1: may not import "node:fs"',
);

refuses(
  "a clock in the core",
  { "packages/core/src/a.ts": "const now = Date.now();\nconst mine = this.Date + x.Date;" },
  "packages/core/src/a.ts:1: may not use Date: it is handed in",
);

refuses(
  "chance in the core",
  { "packages/core/src/a.ts": "const a = Math.random();" },
  "packages/core/src/a.ts:1: may not use Math.random: it is handed in",
);

refuses(
  "a computed module name",
  { "packages/outer/src/a.ts": "await import(name);" },
  "packages/outer/src/a.ts:1: imports a module whose name is computed",
);

refuses(
  "a package without a row",
  { "packages/other/package.json": { name: "@planted/other" } },
  "packages/other: has no row in tools/import-rules.mjs",
);

refuses(
  "an import that the build does not know of",
  {
    "tsconfig.json": { references: [{ path: "packages/outer" }] },
    "packages/outer/tsconfig.json": { references: [] },
    "packages/outer/src/a.ts": 'import "@planted/core";',
  },
  'packages/outer/src/a.ts:1: "@planted/core" is missing from tsconfig.json references',
);

refuses(
  "a package that the whole build leaves out",
  { "tsconfig.json": { references: [] }, "packages/outer/tsconfig.json": {} },
  "tsconfig.json: does not refer to packages/outer",
);

test("finds every way to name a module", () => {
  const text = [
    'import "a";',
    'import b from "b";',
    'import {\n  c,\n} from "c";',
    'export * from "d";',
    'await import("e");',
    'type F = import("f").F;',
    'require("g");',
    'Buffer.from("no"); other.import("no"); const from = "no";',
  ].join("\n");
  assert.deepEqual(
    importsOf(text).map(({ specifier }) => specifier),
    ["a", "b", "c", "d", "e", "f", "g"],
  );
});
