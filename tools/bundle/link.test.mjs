import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Script } from "node:vm";
import { plantWorkspace } from "../planted-workspace.mjs";
import { display } from "../workspace.mjs";
import { link } from "./link.mjs";

const door = { exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } } };

test("modules of all packages run once, those imported first; what is not ours is asked for as their package would", async (t) => {
  const top = plantWorkspace(t, {
    "package.json": { workspaces: ["packages/*"] },
    "packages/a/package.json": { name: "a", ...door },
    "packages/a/dist/main.js": `
import { b } from "@ours/b";
import { join } from "node:path";
import { log } from "./log.js";
log.push("main");
export const found = join(b, "main");
export const rest = () => import("./later.js");
export { log };
`,
    "packages/a/dist/log.js": "export const log = [];\n",
    "packages/a/dist/later.js":
      'import { log } from "./log.js";\nlog.push("later");\nexport const late = import.meta.url;\n',
    "packages/b/package.json": { name: "@ours/b", ...door },
    "packages/b/dist/index.js": 'export * from "./b.js";\n',
    "packages/b/dist/b.js": 'import { c } from "theirs";\nexport const b = c;\n',
    "packages/c/package.json": { name: "c", ...door },
  });
  const { text, folders } = link(top, join(top, "packages/a/dist/main.js"));
  assert.deepEqual(folders.map((folder) => display(folder, top)).sort(), ["packages/a", "packages/b"]);
  const asked = [];
  const theirs = { "node:path": { join: (...parts) => parts.join("/") }, theirs: { c: "see" } };
  const requireFrom = (name, specifier) => {
    asked.push(`${name}: ${specifier}`);
    return theirs[specifier];
  };
  const made = new Script(text).runInThisContext()(requireFrom, (name, file) => `${name}/${file}`);
  assert.equal(made.found, "see/main");
  assert.deepEqual(asked, ["@ours/b: theirs", "a: node:path"]);
  assert.deepEqual(made.log, ["main"]);
  assert.equal((await made.rest()).late, "a/dist/later.js");
  assert.deepEqual(made.log, ["main", "later"]);
});

test("a name is taken from the module that makes it, and what only passes it on does not run", (t) => {
  const top = plantWorkspace(t, {
    "package.json": { workspaces: ["packages/*"] },
    "packages/a/package.json": { name: "a", ...door },
    "packages/a/dist/main.js": `
import { one, second as two, theirs, whole } from "b";
import * as all from "b";
export const found = [one, two, theirs, whole];
export const keys = () => Object.keys(all);
`,
    "packages/b/package.json": { name: "b", ...door },
    "packages/b/dist/index.js": `
export * from "./inner.js";
export { three as second } from "./inner.js";
export { x as theirs } from "theirs";
export const whole = "whole";
`,
    "packages/b/dist/inner.js": 'export * from "./one.js";\nexport const three = 3;\n',
    "packages/b/dist/one.js": "export const one = 1;\n",
  });
  const { text } = link(top, join(top, "packages/a/dist/main.js"));
  const made = new Script(text).runInThisContext()(() => ({ x: "x" }));
  assert.deepEqual(made.found, [1, 3, "x", "whole"]);
  assert.deepEqual(made.keys().sort(), ["one", "second", "theirs", "three", "whole"]);
  writeFileSync(join(top, "packages/a/dist/main.js"), 'import { one } from "b";\nexport const found = one;\n');
  assert.doesNotMatch(link(top, join(top, "packages/a/dist/main.js")).text, /index\.js|inner\.js/);
});
