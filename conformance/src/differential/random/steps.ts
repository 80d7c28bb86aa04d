// One step of a random script: a request as data, which can be made at random, shrunk and printed.
//
// Revisions are written relative to the newest revision that an answer has told of, such as `now-3`, so that a script
// means the same wherever it starts.

import type { Session } from "../session.js";
import type { Request, RequestValue } from "../wire.js";

/** What a step asks for; the methods by short names. */
export interface Step {
  readonly call: keyof typeof methods;
  readonly request: Request;
}

const methods = {
  range: "etcdserverpb.KV/Range",
  rangeStream: "etcdserverpb.KV/RangeStream",
  put: "etcdserverpb.KV/Put",
  deleteRange: "etcdserverpb.KV/DeleteRange",
  txn: "etcdserverpb.KV/Txn",
  compact: "etcdserverpb.KV/Compact",
  grant: "etcdserverpb.Lease/LeaseGrant",
  revoke: "etcdserverpb.Lease/LeaseRevoke",
  timeToLive: "etcdserverpb.Lease/LeaseTimeToLive",
  leases: "etcdserverpb.Lease/LeaseLeases",
} as const;

/** Leases that random scripts grant, use and revoke. */
export const leaseIds = [1, 2, 3] as const;

/** A key that random scripts never touch. */
const lastKey = "\xffthe end";

/**
 * Runs the steps one after the other, while a watch looks at everything. Then ends the leases and deletes the keys, so
 * that the next script meets an empty store, and takes down what the watch saw of it all.
 */
export async function runSteps(s: Session, steps: readonly Step[]): Promise<void> {
  const start = await s.range("\0", { range_end: "\0" }, { as: "start" });
  start.shows({ count: 0 });
  const watch = await s.watch({ key: "\0", range_end: "\0", prev_kv: true }, { as: "watch" });
  let now = start.revision;
  for (const [index, { call, request }] of steps.entries()) {
    const resolved = resolve(request, now);
    const as = `step ${index} ${call}`;
    if (call === "rangeStream") {
      await s.stream(methods[call], resolved, { as }).end();
      continue;
    }
    const answer = await s.unary(methods[call], resolved, { as });
    now = answer.status === "OK" ? Math.max(now, answer.revision) : now;
  }
  await s.range("\0", { range_end: "\0" }, { as: "all keys" });
  await s.put(lastKey, "", {}, { as: "last put" });
  for (const ID of leaseIds) {
    await s.unary(methods.revoke, { ID }, { as: `end of lease ${ID}` });
  }
  await s.deleteRange("\0", { range_end: "\0", prev_kv: true }, { as: "last delete" });
  await watch.eventsUntil(lastKey);
  await watch.eventsUntil(lastKey);
}

const relative = /^now([+-]\d+)$/;

function resolve(value: Request, now: number): Request {
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, resolveValue(item, now)]));
}

function resolveValue(value: RequestValue, now: number): RequestValue {
  if (typeof value === "string") {
    const offset = relative.exec(value)?.[1];
    return offset === undefined ? value : now + Number(offset);
  }
  if (Array.isArray(value)) {
    return value.map((item: RequestValue) => resolveValue(item, now));
  }
  const nested = typeof value === "object" && !(value instanceof Uint8Array);
  return nested ? resolve(value as Request, now) : value;
}
