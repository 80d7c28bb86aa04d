// Nothing is forgotten, and nothing is there twice.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { allScripts } from "./all-scripts.js";

const sources = fileURLToPath(new URL("../../src/differential/", import.meta.url));

test("every file of scripts is listed", () => {
  const list = readFileSync(`${sources}all-scripts.ts`, "utf8");
  const files = readdirSync(`${sources}scripts`).filter((name) => name.endsWith(".ts"));
  const withScripts = files.filter((name) =>
    readFileSync(`${sources}scripts/${name}`, "utf8").includes("export const scripts"),
  );
  const forgotten = withScripts.filter((name) => !list.includes(`"./scripts/${name.replace(".ts", ".js")}"`));
  assert.deepEqual(forgotten, []);
});

test("titles are unique within a rule", () => {
  const names = allScripts.flatMap(({ rules, title }) => rules.map((rule) => `${rule} ${title}`));
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  assert.deepEqual(twice, []);
});
