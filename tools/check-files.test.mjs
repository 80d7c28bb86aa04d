import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFile, checkFiles } from "./check-files.mjs";
import { plantWorkspace } from "./planted-workspace.mjs";

const lines = (count) => "  work();\n".repeat(count);

/** Expects exactly one complaint about a planted source text. */
function refuses(what, text, complaint) {
  test(`refuses ${what}`, () => {
    assert.deepEqual(checkFile("packages/a/src/a.ts", text), [`packages/a/src/a.ts${complaint}`]);
  });
}

/** Expects no complaint. */
function accepts(what, text, name = "packages/a/src/a.ts") {
  test(`accepts ${what}`, () => {
    assert.deepEqual(checkFile(name, text), []);
  });
}

refuses("a file above 500 lines", lines(501), ": 501 lines; at most 500");
accepts("a file of 500 lines", lines(500));
accepts("a long file of tables", lines(501), "packages/a/src/static-tables.ts");
accepts("a long test", lines(501), "packages/a/src/a.test.ts");

refuses("a long function", `\nfunction a() {\n${lines(70)}}\n`, ":2: a function of 72 lines; at most 70");
accepts("a function of 70 lines", `function a() {\n${lines(68)}}\n`);
refuses(
  "a long method",
  `class A {\n  b(\n    c: D,\n  ): Map<E, F> {\n${lines(70)}}\n}\n`,
  ":4: a function of 72 lines; at most 70",
);
refuses(
  "a long function once, not its long statement too",
  `function a() {\n  switch (b) {\n${lines(70)}  }\n}\n`,
  ":1: a function of 74 lines; at most 70",
);
refuses("a long arrow function", `const a = (b): C => {\n${lines(70)}};\n`, ":1: a function of 72 lines; at most 70");
accepts("a long class, object and interface", `class A extends B {\n${lines(70)}}\nconst c: D = {\n${lines(70)}};\n`);

refuses("any as an annotation", "let a: any;", ":1: uses `any`");
refuses("any as a type argument", "let a: Map<string, any>;", ":1: uses `any`");
refuses("any in an assertion", "\nf(a as any);", ":2: uses `any`");
accepts("the word any elsewhere", "// any\nconst a = 'x: any'; Promise.any(b); const c = { any: 1, any };");

refuses("a default export", "export default 1;", ":1: has a default export");
refuses("a test on .only", "test.only('a', f);", ":1: leaves a test on .only or .todo");
refuses("a test with todo", "test('a', { todo: true }, f);", ":1: leaves a test on only or todo");
refuses("a switched-off type checker", "// @ts-ignore", ":1: switches the type checker off");

test("looks at every source folder, but not at built or generated files", (t) => {
  const bad = "export default 1;";
  const top = plantWorkspace(t, {
    "packages/a/src/a.ts": bad,
    "packages/a/dist/a.js": bad,
    "packages/a/src/generated/a.ts": bad,
    "bench/a.mjs": bad,
    "tools/a.md": bad,
  });
  assert.deepEqual(checkFiles(top), [
    "packages/a/src/a.ts:1: has a default export",
    "bench/a.mjs:1: has a default export",
  ]);
});
