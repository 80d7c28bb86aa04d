import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { allSuites } from "../all-suites.js";
import { chosenScenarios } from "../runner.js";
import { realPlantedBugs } from "./real-planted-bugs.js";

const packages = new URL("../../../packages/", import.meta.url);

/** Reads a module. Nothing of ours can be imported from such an address, so nothing of it runs. @throws SyntaxError */
async function read(text: string): Promise<void> {
  await import(`data:text/javascript,${encodeURIComponent(text)}`).catch((error) => {
    if (error instanceof SyntaxError) throw error;
  });
}

for (const { bug, suite, only } of realPlantedBugs) {
  test(`the planted bug ${bug.name} has exactly one place, leaves a module there, and one scenario to find it`, async () => {
    const source = readFileSync(new URL(bug.module, packages), "utf8");
    assert.equal(source.split(bug.find).length - 1, 1, `${bug.module} must hold once: ${bug.find}`);
    assert.notEqual(bug.find, bug.replace);
    await read(source.replace(bug.find, () => bug.replace));
    const found = allSuites.filter((registered) => registered.suite.name === suite);
    assert.equal(found.flatMap((registered) => chosenScenarios(registered, only)).length, 1);
  });
}

test("planted bugs have names of their own", () => {
  const names = realPlantedBugs.map(({ bug }) => bug.name);
  assert.equal(new Set(names).size, names.length);
});
