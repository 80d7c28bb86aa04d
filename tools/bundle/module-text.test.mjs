import assert from "node:assert/strict";
import { test } from "node:test";
import { exportedNames, functionBody } from "./module-text.mjs";

/** What a module of this text exports, where `modules` are what it imports, by name. */
function exportsOf(text, modules = {}) {
  const body = functionBody({
    text,
    name: "module.js",
    resolve: (specifier) => `modules[${JSON.stringify(specifier)}]`,
    resolveLater: (specifier) => `Promise.resolve(modules[${JSON.stringify(specifier)}])`,
    url: '"file:///here"',
  });
  return new Function("modules", `"use strict";\n${body}`)(modules);
}

test("what a module declares and exports is exported, in every form the compiler writes", () => {
  const text = `
export class A { static name2 = "A"; }
export const one = 1;
export function two() { return 2; }
export async function three() { return 3; }
export function* four() { yield 4; }
const five = 5, six = 6;
export { five, six as sixth };
export {};
`;
  const found = exportsOf(text);
  assert.deepEqual(Object.keys(found), ["A", "one", "two", "three", "four", "five", "sixth"]);
  assert.deepEqual(
    [found.A.name2, found.one, found.two(), [...found.four()], found.five, found.sixth],
    ["A", 1, 2, [4], 5, 6],
  );
});

test("imports and re-exports of every form are taken from the modules named", async () => {
  const modules = { a: { x: 1, y: 2, z: 3 }, "./b.js": { q: 4, r: 5 }, side: {} };
  const text = `
import { x, y as why, } from "a";
import * as all from "./b.js";
import "side";
export { z as zed } from "a";
export * from "./b.js";
export const sum = x + why + all.q;
export const later = () => import("a");
export const url = import.meta.url;
`;
  const found = exportsOf(text, modules);
  assert.deepEqual({ ...found, later: 0 }, { zed: 3, q: 4, r: 5, sum: 7, later: 0, url: "file:///here" });
  assert.equal((await found.later()).x, 1);
});

test("what only looks like an import, in strings, templates, comments and names, stays as it is", () => {
  const text = `
// import { a } from "a";
/* export const b = 1;
export const c = 1; */
const text = "import x from 'y';";
const template = \`
import { a } from "a";
export const d = \${1 + 1};
\`;
const object = { import: 1, await: 2 };
export const found = [text, template, object.import].join("|");
`;
  const expected = "import x from 'y';|\nimport { a } from \"a\";\nexport const d = 2;\n|1";
  assert.deepEqual(exportsOf(text), { found: expected });
});

test("what cannot be put into a function is refused, with its place", () => {
  for (const [text, message] of [
    ["\nexport default 1;\n", /^module.js:2: this import or export cannot be bundled$/],
    ["export let count = 0;\n", /^module.js:1: this import or export/],
    ["export const { a, b } = c;\n", /^module.js:1: this import or export/],
    ['import some from "some";\n', /^module.js:1: this import or export/],
    ["await something();\n", /"await" cannot be bundled$/],
    ["const load = (name) => import(name);\n", /"import" cannot be bundled$/],
  ]) {
    assert.throws(() => exportsOf(text), { message }, text);
  }
});

test("what a module exports is told apart by where it comes from", () => {
  const text = `
export * from "./a.js";
export { b, c as d } from "./b.js";
export const e = 1;
const f = 2;
export { f, f as g };
export class H {}
const text = "export const i = 1;";
`;
  const { own, passed, all } = exportedNames(text);
  assert.deepEqual([...own], ["e", "f", "g", "H"]);
  assert.deepEqual(Object.fromEntries(passed), {
    b: { specifier: "./b.js", name: "b" },
    d: { specifier: "./b.js", name: "c" },
  });
  assert.deepEqual(all, ["./a.js"]);
});
