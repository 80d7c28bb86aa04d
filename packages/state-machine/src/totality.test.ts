/**
 * Whatever can be decoded can be applied.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createCompare,
  createPutRequest,
  createRangeRequest,
  createTxnRequest,
  MalformedMessageError,
  type TxnRequest,
} from "@holdfast/protocol";
import fc from "fast-check";
import { systemCaller } from "./auth/auth-types.js";
import { commandKinds, decodeCommand, encodeCommand, type LoggedCommand } from "./command-codec.js";
import { KeySpace } from "./key-space.js";
import { LeaseTable } from "./leases.js";
import { StateMachine } from "./state-machine.js";
import { authCommands, callers, commands, firstUsers } from "./testing/arbitraries.js";
import { bytes, Driver, deleteOp, key, putOp, rangeOp, txnOp } from "./testing/builders.js";
import { violations } from "./testing/invariants.js";
import type { Command } from "./types.js";

/** A machine that has lived, and its parts. */
function livelyParts() {
  const parts = { keys: new KeySpace(), leases: new LeaseTable(), appliedCommands: 0 };
  const driver = new Driver(new StateMachine(parts));
  driver.grant(1n);
  for (const name of ["a", "b", "\0", "\xff", "a"]) driver.put(name, "x", { lease: 1n });
  driver.delete("b");
  driver.compact(3);
  for (const command of firstUsers) driver.machine.apply(command, systemCaller);
  return { machine: driver.machine, ...parts };
}

const extremeNumbers = fc.constantFrom(0, 1, -1, 5, 2 ** 31, -(2 ** 31), Number.MAX_SAFE_INTEGER, 2 ** 63, -(2 ** 63));
const extremeKeys = fc.constantFrom(...["", "\0", "a", "b", "\xff", "\0\0"].map(key));
const extremeIds = fc.constantFrom(0n, 1n, -1n, 2n ** 63n - 1n, -(2n ** 63n));

const extremeCommands: fc.Arbitrary<Command> = fc.oneof(
  fc
    .record({ leaseId: extremeIds, ttlSeconds: extremeNumbers })
    .map((grant): Command => ({ kind: "leaseGrant", ...grant })),
  fc
    .record({ leaseId: extremeIds, grantNumber: fc.constantFrom(0, 1, 2 ** 53 - 1) })
    .map((expiry): Command => ({ kind: "leaseExpire", ...expiry })),
  extremeNumbers.map((revision): Command => ({ kind: "compact", revision })),
  fc
    .record({
      key: extremeKeys,
      lease: extremeIds,
      ignoreValue: fc.boolean(),
      ignoreLease: fc.boolean(),
      prevKv: fc.boolean(),
    })
    .map((fields): Command => ({ kind: "put", request: createPutRequest({ ...fields, value: bytes("v") }) })),
  fc
    .record({
      key: extremeKeys,
      rangeEnd: extremeKeys,
      limit: extremeNumbers,
      revision: extremeNumbers,
      sortOrder: fc.constantFrom(-1, 0, 1, 2, 3, 2 ** 31 - 1),
      sortTarget: fc.constantFrom(-1, 0, 1, 2, 3, 4, 5, -(2 ** 31)),
      minModRevision: extremeNumbers,
      maxCreateRevision: extremeNumbers,
      target: fc.constantFrom(-1, 0, 3, 5),
      result: fc.constantFrom(-1, 0, 3, 4),
    })
    .map((fields): Command => {
      const { target, result, ...range } = fields;
      const compare = [createCompare({ key: range.key, rangeEnd: range.rangeEnd, target, result })];
      const success = [rangeOp({}), { ...rangeOp({}), requestRange: createRangeRequest(range) }];
      return { kind: "txn", request: createTxnRequest({ compare, success, failure: success }) };
    }),
);

const anyCommands = fc.oneof(extremeCommands, commands, authCommands);

test("F10: extreme and shapeless commands are answered, and leave a sound state", () => {
  const kinds = new Set<string>();
  fc.assert(
    fc.property(fc.array(fc.tuple(anyCommands, callers), { maxLength: 40, size: "max" }), (run) => {
      const { machine, keys, leases } = livelyParts();
      for (const [wanted, somebody] of run) {
        const { command, caller } = decodeCommand(encodeCommand(wanted, somebody));
        kinds.add(machine.apply(command, caller).kind);
      }
      assert.deepEqual(violations(keys, leases), []);
    }),
    { numRuns: 500 },
  );
  assert.deepEqual([...kinds].sort(), ["refused", ...Object.keys(commandKinds)].sort());
});

test("F10: random bytes that decode are answered", () => {
  let applied = 0;
  const { machine, keys, leases } = livelyParts();
  const tryOut = (encoded: Uint8Array): void => {
    let logged: LoggedCommand;
    try {
      logged = decodeCommand(encoded);
    } catch (error) {
      assert.ok(error instanceof MalformedMessageError);
      return;
    }
    machine.apply(logged.command, logged.caller);
    applied += 1;
  };
  fc.assert(
    fc.property(fc.nat(22), fc.uint8Array({ maxLength: 24 }), (kind, body) => tryOut(Uint8Array.of(kind, ...body))),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(commands, callers, fc.nat(), fc.nat(255), (command, caller, position, byte) => {
      const encoded = encodeCommand(command, caller);
      encoded[position % encoded.length] = byte;
      tryOut(encoded);
    }),
    { numRuns: 3000 },
  );
  assert.deepEqual(violations(keys, leases), []);
  assert.ok(applied > 500);
});

test("F10: a transaction nested out of all reason is refused without recursion to its end", () => {
  let request: TxnRequest = createTxnRequest({ success: [putOp({ key: "deep" })] });
  for (let level = 0; level < 100_000; level++) request = createTxnRequest({ success: [txnOp(request)] });
  const driver = new Driver();
  assert.equal(driver.refusal({ kind: "txn", request }), "too-many-operations");
});

test("F10: what the shape checks would refuse is applied in order", () => {
  const driver = new Driver();
  driver.put("");
  driver.txn({ success: [putOp({ key: "a" }), putOp({ key: "a" }), deleteOp({ key: "a" }), putOp({ key: "" })] });
  assert.deepEqual(driver.changes(), ["PUT a", "PUT a", "DELETE a", "PUT "]);
  assert.equal(driver.revision, 3);
});
