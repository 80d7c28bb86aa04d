// Makes a failing random script smaller: fewer steps first, then less in each.
//
// fast-check's own shrinking knows nothing of what a trial costs here; this one keeps a pair of servers for as long as
// the trials on it find no difference.

import type { Request, RequestValue } from "../wire.js";
import type { Step } from "./steps.js";

/** The smallest script found until `deadlineMs` (of `performance.now`) for which `fails` still holds. */
export async function shrinkSteps(
  steps: readonly Step[],
  fails: (steps: readonly Step[]) => Promise<boolean>,
  deadlineMs: number,
): Promise<readonly Step[]> {
  let smallest = steps;
  const tryAll = async (candidates: Iterable<readonly Step[]>): Promise<boolean> => {
    for (const candidate of candidates) {
      if (performance.now() > deadlineMs) {
        return false;
      }
      if (await fails(candidate)) {
        smallest = candidate;
        return true;
      }
    }
    return false;
  };
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    while (await tryAll(withoutRuns(smallest, size))) {
      // Each success starts over with the smaller script.
    }
  }
  while (await tryAll(withSimplerRequests(smallest))) {
    // As above.
  }
  return smallest;
}

/** The script without each run of `size` steps; the last ones first, since what follows a failure never matters. */
function* withoutRuns(steps: readonly Step[], size: number): Iterable<readonly Step[]> {
  for (let end = steps.length; end > 0 && steps.length > 1; end -= size) {
    const rest = [...steps.slice(0, Math.max(0, end - size)), ...steps.slice(end)];
    if (rest.length > 0) {
      yield rest;
    }
  }
}

function* withSimplerRequests(steps: readonly Step[]): Iterable<readonly Step[]> {
  for (const [index, { call, request }] of steps.entries()) {
    for (const simpler of simplerRequests(request)) {
      yield steps.with(index, { call, request: simpler });
    }
  }
}

/** The request without each of its fields, and with a simpler value in each. */
function* simplerRequests(request: Request): Iterable<Request> {
  for (const [name, value] of Object.entries(request)) {
    const { [name]: _left, ...rest } = request;
    yield rest;
    for (const simpler of simplerValues(value)) {
      yield { ...request, [name]: simpler };
    }
  }
}

function* simplerValues(value: RequestValue): Iterable<RequestValue> {
  if (Array.isArray(value)) {
    const items = value as readonly RequestValue[];
    for (const [index, item] of items.entries()) {
      yield items.filter((_item, other) => other !== index);
      for (const simpler of simplerValues(item)) {
        yield items.map((same, other) => (other === index ? simpler : same));
      }
    }
  } else if (typeof value === "object" && !(value instanceof Uint8Array)) {
    yield* simplerRequests(value as Request);
  }
}
