// Plants one bug into a server while its modules are loaded, for `npm run faults -- --planted`: FAULTS_PLANTED holds it as JSON
// (planted-runs.ts). It must be registered before any of our modules is loaded, so this imports none.

import { register } from "node:module";

const bug = JSON.parse(process.env.FAULTS_PLANTED);
const url = new URL(`../packages/${bug.module}`, import.meta.url).href;
register("../packages/simulator/planted-hooks.mjs", import.meta.url, { data: { ...bug, url } });
