// One check at a time: its own keys, and how it says what went wrong. Its deadline is that of each call of curl.

import { isDeepStrictEqual } from "node:util";

/** How long a check waits to see that something does not happen. */
export const quietMs = 150;

let number = 0;
let failed = 0;

/** How many checks have failed. */
export const failures = () => failed;

/** Runs `body(prefix)`, where the prefix is for keys that only this check uses, and prints what became of it. */
export async function check(words, body) {
  number += 1;
  try {
    await body(`curl/${number}/`);
    console.log(`ok ${words}`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${words}: ${error.message.replaceAll("\n", " ")}`);
  }
}

/** Throws unless both are equal, field by field. */
export function equal(what, got, want) {
  if (!isDeepStrictEqual(got, want)) {
    throw new Error(`${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
  }
}

/** Throws unless the condition holds. */
export function demand(what, holds) {
  if (!holds) {
    throw new Error(`not so: ${what}`);
  }
}

/** Throws when the promise is settled already, or within a moment. */
export async function pending(what, promise) {
  const settled = await Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    pause(quietMs).then(() => false),
  ]);
  demand(`${what} still waits`, !settled);
}

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
