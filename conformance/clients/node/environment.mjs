// Where the servers are, and names that no other check uses.

import { readFileSync } from "node:fs";

/** The value of a variable that the driver sets. Throws without it: nothing could be checked. */
export function variable(name) {
  const value = process.env[name];
  if (value === undefined) {
    throw new Error(`${name} is not set; this program is started by conformance/clients/run.mjs`);
  }
  return value;
}

/** The contents of the file that a variable names. */
export const fileOf = (name) => readFileSync(variable(name));

/** A key or name that is new at every call, also across runs. */
export function freshName(words) {
  counter += 1;
  return `node/${process.pid}/${counter}/${words}`;
}

let counter = 0;
