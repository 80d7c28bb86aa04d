/** Random commands and ranges on few keys and leases, so that they get into each other's way. */
import {
  AlarmType,
  type ByteString,
  type Compare,
  createCompare,
  createDeleteRangeRequest,
  createPutRequest,
  createRangeRequest,
  createRequestOp,
  createTxnRequest,
  type RangeRequest,
  type RequestOp,
  type TxnRequest,
} from "@holdfast/protocol";
import type { Command } from "@holdfast/state-machine";
import fc from "fast-check";
import { bytes, key } from "./finding.js";

const keys: fc.Arbitrary<ByteString> = fc.constantFrom(...["a", "b", "a\0", "\0", "\xff", "__proto__"].map(key));
const rangeEnds = fc.oneof(
  { weight: 4, arbitrary: fc.constant(key("")) },
  { weight: 2, arbitrary: keys },
  { weight: 1, arbitrary: fc.constant(key("\0")) },
);
const values = fc.constantFrom(...["", "x", "y", "\xff"].map(bytes));
const leaseIds = fc.constantFrom(1n, -2n, 2n ** 63n - 1n);
const revisions = fc.integer({ min: -2, max: 30 });
const mostlyZero = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: revisions });
const rarely = fc.nat(6).map((number) => number === 0);

const puts = fc
  .record({
    key: keys,
    value: values,
    lease: fc.oneof({ weight: 2, arbitrary: fc.constant(0n) }, { weight: 1, arbitrary: leaseIds }),
    prevKv: fc.boolean(),
    ignoreValue: rarely,
    ignoreLease: rarely,
  })
  .map(createPutRequest);

const deletions = fc.record({ key: keys, rangeEnd: rangeEnds, prevKv: fc.boolean() }).map(createDeleteRangeRequest);

/** Ranges of every legal kind. */
export const ranges: fc.Arbitrary<RangeRequest> = fc
  .record({
    key: keys,
    rangeEnd: rangeEnds,
    limit: fc.integer({ min: -1, max: 3 }),
    revision: mostlyZero,
    sortOrder: fc.constantFrom(0, 1, 2),
    sortTarget: fc.constantFrom(0, 1, 2, 3, 4),
    keysOnly: rarely,
    countOnly: rarely,
    minModRevision: mostlyZero,
    maxModRevision: mostlyZero,
    minCreateRevision: mostlyZero,
    maxCreateRevision: mostlyZero,
  })
  .map(createRangeRequest);

const operands = fc.oneof(
  fc.constant({}),
  fc.nat(3).map((version) => ({ version })),
  revisions.map((createRevision) => ({ createRevision })),
  revisions.map((modRevision) => ({ modRevision })),
  values.map((value) => ({ value })),
  leaseIds.map((lease) => ({ lease })),
);

const compares: fc.Arbitrary<Compare> = fc
  .record({
    key: keys,
    rangeEnd: rangeEnds,
    result: fc.constantFrom(0, 1, 2, 3),
    target: fc.constantFrom(0, 1, 2, 3, 4),
    operand: operands,
  })
  .map(({ operand, ...fields }) => createCompare({ ...fields, ...operand }));

function transactions(depth: number): fc.Arbitrary<TxnRequest> {
  const simple: fc.Arbitrary<RequestOp> = fc.oneof(
    puts.map((requestPut) => createRequestOp({ requestPut })),
    ranges.map((requestRange) => createRequestOp({ requestRange })),
    deletions.map((requestDeleteRange) => createRequestOp({ requestDeleteRange })),
  );
  const nested = (): fc.Arbitrary<RequestOp> =>
    transactions(depth - 1).map((requestTxn) => createRequestOp({ requestTxn }));
  const operations =
    depth === 0 ? simple : fc.oneof({ weight: 4, arbitrary: simple }, { weight: 1, arbitrary: nested() });
  const branch = fc.array(operations, { maxLength: 3 });
  return fc
    .record({ compare: fc.array(compares, { maxLength: 2 }), success: branch, failure: branch })
    .map(createTxnRequest);
}

/** Commands of every kind that the model knows; most of them are not refused. */
export const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: puts.map((request): Command => ({ kind: "put", request })) },
  { weight: 2, arbitrary: deletions.map((request): Command => ({ kind: "deleteRange", request })) },
  { weight: 4, arbitrary: transactions(2).map((request): Command => ({ kind: "txn", request })) },
  { weight: 1, arbitrary: revisions.map((revision): Command => ({ kind: "compact", revision })) },
  {
    weight: 3,
    arbitrary: fc
      .record({ leaseId: fc.oneof(leaseIds, fc.constant(0n)), ttlSeconds: fc.constantFrom(2, 60, 9e9, 9e9 + 1) })
      .map((grant): Command => ({ kind: "leaseGrant", ...grant })),
  },
  { weight: 1, arbitrary: leaseIds.map((leaseId): Command => ({ kind: "leaseRevoke", leaseId })) },
  {
    weight: 1,
    arbitrary: fc
      .record({ leaseId: leaseIds, grantNumber: fc.nat(12) })
      .map((expiry): Command => ({ kind: "leaseExpire", ...expiry })),
  },
);

/** Raising the alarm for want of space, and, more often, clearing it. */
export const spaceAlarms: fc.Arbitrary<Command> = fc
  .record({
    action: fc.constantFrom("activate" as const, "deactivate" as const, "deactivate" as const),
    memberId: fc.constantFrom(1n, 2n),
  })
  .map(({ action, memberId }): Command => ({ kind: "alarm", alarm: AlarmType.NOSPACE, action, memberId }));
