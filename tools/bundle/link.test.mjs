import assert from "node:assert/strict";
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
