// Which server the suites measure, and which one's word is law where the two differ on purpose.
//
// HOLDFAST_TARGET=holdfast (the default) measures Holdfast; HOLDFAST_TARGET=etcd runs the same suites against a real
// etcd, which proves the suites themselves. Starting either is server-under-test.ts.

/** A server the suites can measure. */
export type TargetName = "holdfast" | "etcd";

/** The server under test in this process, from HOLDFAST_TARGET. */
export const target: TargetName = targetFromEnvironment();

/** Throws when HOLDFAST_TARGET names no known target: a typing error must not silently measure the other server. */
function targetFromEnvironment(): TargetName {
  const name = process.env.HOLDFAST_TARGET ?? "holdfast";
  if (name !== "holdfast" && name !== "etcd") {
    throw new Error(`HOLDFAST_TARGET must be "holdfast" or "etcd", not ${JSON.stringify(name)}`);
  }
  return name;
}

/** A value for each target: how a test states an expectation in which Holdfast departs from etcd on purpose. */
export function perTarget<T>(values: Readonly<Record<TargetName, T>>): T {
  return values[target];
}
