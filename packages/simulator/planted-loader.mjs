// Plants one bug while modules are loaded: `HOLDFAST_PLANTED=NAME node --import ./packages/simulator/planted-loader.mjs …`.
// Only for the test of the tests; nothing that is published refers to this file.

import { register } from "node:module";
import { allPlantedBugs } from "./dist/planted/all-planted-bugs.js";

const name = process.env.HOLDFAST_PLANTED;
if (name !== undefined) {
  const bug = allPlantedBugs.find((candidate) => candidate.name === name);
  if (bug === undefined) throw new Error(`there is no planted bug ${name}`);
  const url = new URL(`../${bug.module}`, import.meta.url).href;
  register("./planted-hooks.mjs", import.meta.url, { data: { ...bug, url } });
}
