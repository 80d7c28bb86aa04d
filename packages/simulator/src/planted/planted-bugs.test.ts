import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { allPlantedBugs } from "./all-planted-bugs.js";

const packages = new URL("../../../", import.meta.url);

function placesOf(text: string, part: string): number {
  return text.split(part).length - 1;
}

for (const { name, module, find, replace } of allPlantedBugs) {
  test(`the planted bug ${name} has exactly one place`, () => {
    const source = readFileSync(new URL(module, packages), "utf8");
    assert.equal(placesOf(source, find), 1, `${module} must hold once: ${find}`);
    assert.notEqual(find, replace);
  });
}

test("planted bugs have names of their own", () => {
  const names = allPlantedBugs.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});
