/**
 * `npm run test:node -- 24`: runs the unit tests with another Node.js release. Further arguments go to `npm test`.
 *
 * Ends like `npm test`; where the release cannot be had, with a `skipped:` line and `0 passed, 0 failed`.
 */

import { join } from "node:path";
import { fetchNode } from "./other-node.mjs";
import { fail, root, runProgram } from "./workspace.mjs";

const [major, ...rest] = process.argv.slice(2);
if (!/^\d+$/.test(major ?? "")) fail("Usage: npm run test:node -- <major version> [package ...]");
const binary = fetchNode(major);
if (binary === undefined) console.log("0 passed, 0 failed");
else {
  const test = [join(root, "tools", "test.mjs"), "--node", binary, ...rest];
  process.exitCode = runProgram(process.execPath, test).exitCode;
}
