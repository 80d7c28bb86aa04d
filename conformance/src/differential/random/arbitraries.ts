// What random scripts are made of: few keys, few values, few leases, so that requests meet; and now and then nonsense.

import fc from "fast-check";
import type { Request } from "../wire.js";
import { leaseIds, type Step } from "./steps.js";

type Made<T> = fc.Arbitrary<T>;

const usualKey = fc.constantFrom("a", "aa", "ab", "b", "b\0", "c", "\x80");
const key = fc.oneof({ weight: 30, arbitrary: usualKey }, { weight: 1, arbitrary: fc.constantFrom("", "\0", "\xff") });
const rangeEnd = fc.oneof(
  { weight: 4, arbitrary: fc.constant("") },
  { weight: 3, arbitrary: fc.constantFrom("b", "c", "d", "\0") },
  { weight: 1, arbitrary: usualKey },
);
const value = fc.constantFrom("", "x", "y", "xy", "\xff");
const lease = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...leaseIds) },
  { weight: 1, arbitrary: fc.constantFrom(0, 9, -1) },
);
const revision = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -8, max: 1 }).map((offset) => `now${offset < 0 ? "" : "+"}${offset}`) },
  { weight: 1, arbitrary: fc.constantFrom<number | string>(0, -1, -2, 1, 2, "9223372036854775807") },
);
const flag = fc.constant(true);
const limit = fc.integer({ min: -1, max: 5 });
const sortOrder = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom<string | number>("NONE", "ASCEND", "DESCEND") },
  { weight: 1, arbitrary: fc.constantFrom<string | number>(3, -1) },
);
const sortTarget = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom<string | number>("KEY", "VERSION", "CREATE", "MOD", "VALUE") },
  { weight: 1, arbitrary: fc.constantFrom<string | number>(5, 99) },
);

/** A request that has some of the fields; those named are always there. */
function some(fields: Readonly<Record<string, Made<Request[string]>>>, ...required: readonly string[]): Made<Request> {
  return fc.record(fields, { requiredKeys: [...required] }) as Made<Request>;
}

/** A field that is there one time in six, so that most requests succeed. */
function seldom<T>(arbitrary: Made<T>): Made<T | undefined> {
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary },
  );
}

const plainRange = { key, range_end: rangeEnd, serializable: seldom(flag) };
const readAt = { revision: seldom(revision), limit: seldom(limit), count_only: seldom(flag), keys_only: seldom(flag) };
const filters = {
  min_mod_revision: seldom(revision),
  max_mod_revision: seldom(revision),
  min_create_revision: seldom(revision),
  max_create_revision: seldom(revision),
};
const range = some({ ...plainRange, ...readAt, ...filters, sort_order: sortOrder, sort_target: sortTarget }, "key");
/** Without NONE for the order: that is the divergence KV-19. */
const streamOrder = fc.constantFrom<Request>(
  {},
  {},
  {},
  { sort_order: "ASCEND" },
  { sort_order: "DESCEND" },
  { sort_order: "ASCEND", sort_target: "MOD" },
);
const rangeStream = fc
  .tuple(some({ ...plainRange, ...readAt, max_mod_revision: seldom(seldom(revision)) }, "key"), streamOrder)
  .map(([request, order]) => ({ ...request, ...order }));

const put = some(
  { key, value, prev_kv: flag, lease: seldom(lease), ignore_value: seldom(flag), ignore_lease: seldom(flag) },
  "key",
);
/** Keeps the value and the lease, as a request may that has neither. */
const keepingPut = some({ key: usualKey, prev_kv: flag, ignore_value: flag, ignore_lease: flag }, "key");
const anyPut = fc.oneof({ weight: 5, arbitrary: put }, { weight: 1, arbitrary: keepingPut });
const deleteRange = some({ key, range_end: rangeEnd, prev_kv: flag }, "key");

const small = fc.integer({ min: -1, max: 3 });
const operands = {
  version: small,
  create_revision: revision,
  mod_revision: revision,
  lease: fc.constantFrom(0, 1, 2),
  value,
};
const result = fc.constantFrom("EQUAL", "NOT_EQUAL", "GREATER", "LESS");
const operandOf = {
  VERSION: "version",
  CREATE: "create_revision",
  MOD: "mod_revision",
  LEASE: "lease",
  VALUE: "value",
} as const;
const compareOf = (target: keyof typeof operandOf): Made<Request> => {
  const field = operandOf[target];
  return some(
    { key, range_end: seldom(rangeEnd), target: fc.constant(target), result, [field]: operands[field] },
    "key",
    "target",
  );
};
/** Operand and target have nothing to do with each other. */
const anyTarget = fc.constantFrom<string | number>("VERSION", "CREATE", "MOD", "VALUE", "LEASE", 9);
const mixedCompare = some({ key, target: anyTarget, result, value, version: small }, "key");
const targets = (Object.keys(operandOf) as (keyof typeof operandOf)[]).map(compareOf);
const compare = fc.oneof(...targets.map((arbitrary) => ({ weight: 4, arbitrary })), {
  weight: 1,
  arbitrary: mixedCompare,
});

const operations = (nested: Made<Request>): Made<Request> =>
  fc.oneof(
    { weight: 8, arbitrary: anyPut.map((request) => ({ request_put: request })) },
    { weight: 6, arbitrary: range.map((request) => ({ request_range: request })) },
    { weight: 4, arbitrary: deleteRange.map((request) => ({ request_delete_range: request })) },
    { weight: 2, arbitrary: nested.map((request) => ({ request_txn: request })) },
    { weight: 1, arbitrary: fc.constant({}) },
  );
const txnOf = (nested: Made<Request>): Made<Request> =>
  some({
    compare: fc.array(compare, { maxLength: 2 }),
    success: fc.array(operations(nested), { maxLength: 4 }),
    failure: fc.array(operations(nested), { maxLength: 3 }),
  });
const txn = txnOf(txnOf(txnOf(fc.constant({})))).map((request) =>
  stopsEtcd(request) ? withoutKeeping(request) : request,
);

/** TXN-11: keeping something of a key that an endless delete of the same transaction removed stops etcd. */
function stopsEtcd(request: Request): boolean {
  const text = JSON.stringify(request);
  const endless = text.includes('"range_end":"\\u0000"') && text.includes('"request_delete_range"');
  return endless && text.includes('"ignore_');
}

function withoutKeeping(request: Request): Request {
  const keeping = (name: string): boolean => name === "ignore_value" || name === "ignore_lease";
  return JSON.parse(JSON.stringify(request, (name, item: unknown) => (keeping(name) ? undefined : item))) as Request;
}

const compact = some({ revision, physical: flag }, "revision");
const grant = some({ TTL: fc.constantFrom(600, 1000), ID: fc.constantFrom(...leaseIds) }, "TTL", "ID");
const revoke = some({ ID: lease }, "ID");
const timeToLive = some({ ID: lease, keys: flag }, "ID");

/** Few keys, and a lease each time, so that leases come to hold several keys. */
const leasedPut = some({ key: usualKey, value, lease: fc.constantFrom(...leaseIds), prev_kv: flag }, "key", "lease");

const step = (call: Step["call"], request: Made<Request>): Made<Step> =>
  request.map((made) => ({ call, request: made }));

const steps = {
  put: step("put", anyPut),
  leasedPut: step("put", leasedPut),
  range: step("range", range),
  rangeStream: step("rangeStream", rangeStream),
  deleteRange: step("deleteRange", deleteRange),
  txn: step("txn", txn),
  compact: step("compact", compact),
  grant: step("grant", grant),
  revoke: step("revoke", revoke),
  timeToLive: step("timeToLive", timeToLive),
  leases: step("leases", fc.constant<Request>({})),
} as const;

/** How often each kind of step comes in scripts with this emphasis. */
export const profiles = {
  keys: { put: 8, range: 8, rangeStream: 2, deleteRange: 2, compact: 1 },
  transactions: { put: 2, leasedPut: 1, deleteRange: 1, txn: 12, compact: 1, grant: 1 },
  leases: { put: 2, leasedPut: 8, txn: 2, deleteRange: 1, grant: 4, revoke: 2, timeToLive: 2, leases: 1, range: 1 },
  history: { put: 6, leasedPut: 2, range: 6, deleteRange: 4, txn: 3, compact: 2, rangeStream: 1, grant: 1 },
} as const satisfies Readonly<Record<string, Readonly<Partial<Record<keyof typeof steps, number>>>>>;

/** Random scripts with one emphasis. */
export function scriptsOf(profile: keyof typeof profiles): Made<readonly Step[]> {
  const weights = Object.entries(profiles[profile]) as [keyof typeof steps, number][];
  const one = fc.oneof(...weights.map(([kind, weight]) => ({ weight, arbitrary: steps[kind] })));
  return fc.array(one, { minLength: 1, maxLength: 40, size: "max" });
}
