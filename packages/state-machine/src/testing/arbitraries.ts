/**
 * Random commands and queries on few keys, so that they get into each other's way.
 */
import {
  type Compare,
  createCompare,
  createDeleteRangeRequest,
  createPutRequest,
  createRangeRequest,
  createRequestOp,
  createTxnRequest,
  type DeleteRangeRequest,
  PermissionType,
  type PutRequest,
  type RangeRequest,
  type RequestOp,
  type TxnRequest,
} from "@holdfast/protocol";
import fc from "fast-check";
import { type Caller, systemCaller } from "../auth/auth-types.js";
import type { Command } from "../types.js";
import { bytes, key } from "./builders.js";

const keys = fc.constantFrom(...["a", "b", "ab", "c", "\0", "\xff", "\xff\xff", "__proto__", "a\0"].map(key));
const rangeEnds = fc.oneof(
  { weight: 4, arbitrary: fc.constant(key("")) },
  { weight: 1, arbitrary: fc.constant(key("\0")) },
  { weight: 3, arbitrary: keys },
);
const values = fc.constantFrom(...["", "x", "y", "\0", "\xff", "xy"].map(bytes));
const commonLeaseIds = [1n, 2n, -1n];
const leaseIds = fc.oneof(
  { weight: 9, arbitrary: fc.constantFrom(...commonLeaseIds) },
  { weight: 1, arbitrary: fc.constant(2n ** 63n - 1n) },
);
const revisions = fc.integer({ min: -3, max: 45 });
const flags = fc.boolean();
const rareFlags = fc.nat(7).map((number) => number === 0);

export const putRequests: fc.Arbitrary<PutRequest> = fc
  .record({
    key: keys,
    value: values,
    lease: fc.oneof({ weight: 2, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: leaseIds }),
    prevKv: flags,
    ignoreValue: rareFlags,
    ignoreLease: rareFlags,
  })
  .map(createPutRequest);

const deleteRequests: fc.Arbitrary<DeleteRangeRequest> = fc
  .record({ key: keys, rangeEnd: rangeEnds, prevKv: flags })
  .map(createDeleteRangeRequest);

const filters = fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: revisions });

export const rangeRequests: fc.Arbitrary<RangeRequest> = fc
  .record({
    key: keys,
    rangeEnd: rangeEnds,
    limit: fc.integer({ min: -1, max: 5 }),
    revision: fc.oneof(fc.constant(0), revisions),
    sortOrder: fc.nat(2),
    sortTarget: fc.nat(4),
    keysOnly: flags,
    countOnly: rareFlags,
    minModRevision: filters,
    maxModRevision: filters,
    minCreateRevision: filters,
    maxCreateRevision: filters,
  })
  .map(createRangeRequest);

/** One member of the union, or none; not always the one that the target asks for. */
const operands = fc.oneof(
  fc.constant({}),
  fc.nat(3).map((version) => ({ version })),
  revisions.map((createRevision) => ({ createRevision })),
  revisions.map((modRevision) => ({ modRevision })),
  values.map((value) => ({ value })),
  leaseIds.map((lease) => ({ lease })),
);

const compares: fc.Arbitrary<Compare> = fc
  .record({ key: keys, rangeEnd: rangeEnds, result: fc.nat(4), target: fc.nat(5), operand: operands })
  .map(({ operand, ...fields }) => createCompare({ ...fields, ...operand }));

function operations(depth: number): fc.Arbitrary<RequestOp> {
  const simple = fc.oneof(
    { weight: 4, arbitrary: putRequests.map((requestPut) => createRequestOp({ requestPut })) },
    { weight: 3, arbitrary: rangeRequests.map((requestRange) => createRequestOp({ requestRange })) },
    { weight: 3, arbitrary: deleteRequests.map((requestDeleteRange) => createRequestOp({ requestDeleteRange })) },
  );
  if (depth === 0) return simple;
  const nested = transactions(depth - 1).map((requestTxn) => createRequestOp({ requestTxn }));
  return fc.oneof({ weight: 5, arbitrary: simple }, { weight: 1, arbitrary: nested });
}

function transactions(depth: number): fc.Arbitrary<TxnRequest> {
  const branch = fc.array(operations(depth), { maxLength: 4 });
  return fc
    .record({ compare: fc.array(compares, { maxLength: 2 }), success: branch, failure: branch })
    .map(createTxnRequest);
}

/** Transactions of any legal or illegal kind. */
export const txnRequests: fc.Arbitrary<TxnRequest> = transactions(2);

const ttls = fc.constantFrom(2, 5, 60, 60, 9e9, 9e9 + 1);

const storeCommands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: putRequests.map((request): Command => ({ kind: "put", request })) },
  { weight: 2, arbitrary: deleteRequests.map((request): Command => ({ kind: "deleteRange", request })) },
  { weight: 4, arbitrary: txnRequests.map((request): Command => ({ kind: "txn", request })) },
  { weight: 1, arbitrary: fc.oneof(revisions, fc.nat(20)).map((revision): Command => ({ kind: "compact", revision })) },
  {
    weight: 3,
    arbitrary: fc
      .record({ leaseId: fc.oneof(leaseIds, leaseIds, fc.constant(0n)), ttlSeconds: ttls })
      .map((grant): Command => ({ kind: "leaseGrant", ...grant })),
  },
  { weight: 1, arbitrary: leaseIds.map((leaseId): Command => ({ kind: "leaseRevoke", leaseId })) },
  {
    weight: 2,
    arbitrary: fc
      .record({ leaseId: leaseIds, grantNumber: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.nat(40)) })
      .map((expiry): Command => ({ kind: "leaseExpire", ...expiry })),
  },
);

/** Names of users and of roles. */
const names = fc.constantFrom("root", "root", "u", "u", "é\u{1f512}", "__proto__", "");

const permissions = fc.record({ permType: fc.integer({ min: 0, max: 3 }), key: keys, rangeEnd: rangeEnds });

/** One that is there at first (see `firstUsers`), so that taking it away now and then succeeds. */
const firstPermission = { roleName: "u", key: key("c"), rangeEnd: key("") };

export const authCommands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Command>({ kind: "authEnable" }) },
  { weight: 1, arbitrary: fc.constant<Command>({ kind: "authDisable" }) },
  {
    weight: 2,
    arbitrary: fc
      .record({ name: names, passwordHash: fc.constantFrom("", "$2b$hash"), noPassword: rareFlags })
      .map((user): Command => ({ kind: "userAdd", ...user })),
  },
  { weight: 1, arbitrary: names.map((name): Command => ({ kind: "userDelete", name })) },
  { weight: 1, arbitrary: names.map((name): Command => ({ kind: "userChangePassword", name, passwordHash: "new" })) },
  {
    weight: 4,
    arbitrary: fc
      .record({ userName: names, roleName: names })
      .map((both): Command => ({ kind: "userGrantRole", ...both })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ userName: names, roleName: names })
      .map((both): Command => ({ kind: "userRevokeRole", ...both })),
  },
  { weight: 2, arbitrary: names.map((name): Command => ({ kind: "roleAdd", name })) },
  { weight: 1, arbitrary: names.map((name): Command => ({ kind: "roleDelete", name })) },
  {
    weight: 5,
    arbitrary: fc
      .record({ roleName: names, permission: fc.option(permissions, { nil: undefined, freq: 9 }) })
      .map((grant): Command => ({ kind: "roleGrantPermission", ...grant })),
  },
  {
    weight: 1,
    arbitrary: fc
      .oneof(fc.constant(firstPermission), fc.record({ roleName: names, key: keys, rangeEnd: rangeEnds }))
      .map((revoked): Command => ({ kind: "roleRevokePermission", ...revoked })),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ memberId: fc.constantFrom(0n, 1n, 2n ** 64n - 1n), alarm: fc.nat(3) })
      .map((alarm): Command => ({ kind: "alarm", action: "activate", ...alarm })),
  },
  {
    weight: 4,
    arbitrary: fc
      .record({ memberId: fc.constantFrom(0n, 1n, 2n ** 64n - 1n), alarm: fc.nat(3) })
      .map((alarm): Command => ({ kind: "alarm", action: "deactivate", ...alarm })),
  },
);

export const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: storeCommands },
  { weight: 1, arbitrary: authCommands },
);

/** A revision that every token is newer than. */
export const freshRevision = 1_000_000;

/** Somebody, nobody, or the server; with tokens new, old and strange. */
export const callers: fc.Arbitrary<Caller | undefined> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(undefined, systemCaller) },
  {
    weight: 6,
    arbitrary: fc.record({
      userName: names,
      authRevision: fc.oneof(
        { weight: 8, arbitrary: fc.constant(freshRevision) },
        { weight: 1, arbitrary: fc.constantFrom(0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY) },
        { weight: 1, arbitrary: fc.nat(20) },
      ),
    }),
  },
);

/** What a run with authentication begins with: a root user, and one who may do something. */
export const firstUsers: readonly Command[] = [
  { kind: "userAdd", name: "root", passwordHash: "", noPassword: false },
  { kind: "userGrantRole", userName: "root", roleName: "root" },
  { kind: "userAdd", name: "u", passwordHash: "", noPassword: false },
  { kind: "roleAdd", name: "u" },
  { kind: "userGrantRole", userName: "u", roleName: "u" },
  {
    kind: "roleGrantPermission",
    roleName: "u",
    permission: { permType: PermissionType.READWRITE, key: key("a"), rangeEnd: key("b\0") },
  },
  {
    kind: "roleGrantPermission",
    roleName: firstPermission.roleName,
    permission: { permType: PermissionType.READ, key: firstPermission.key, rangeEnd: firstPermission.rangeEnd },
  },
  { kind: "authEnable" },
];

/** What a run begins with, so that leases and their expiries are not always unknown. */
export const firstGrants: readonly Command[] = commonLeaseIds.map((leaseId) => {
  return { kind: "leaseGrant", leaseId, ttlSeconds: 60 };
});
