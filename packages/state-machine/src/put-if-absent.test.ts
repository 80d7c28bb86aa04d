/**
 * The short form of the transaction that takes a place in a queue, against the transaction that it is.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { byteStringFromBytes, createTxnRequest, encodeTxnRequest, type TxnRequest } from "@holdfast/protocol";
import fc from "fast-check";
import type { Caller } from "./auth/auth-types.js";
import { costOf } from "./auth/cost.js";
import { decodeCommand, encodeCommand } from "./command-codec.js";
import { PutIfAbsent } from "./put-if-absent.js";
import { StateMachine } from "./state-machine.js";
import { callers, commands, firstGrants, firstUsers, putRequests } from "./testing/arbitraries.js";
import { canonicalDump } from "./testing/canonical-dump.js";
import { plain } from "./testing/plain.js";
import type { Command } from "./types.js";

interface Step {
  readonly command: Command;
  readonly caller: Caller | undefined;
}

const joins: fc.Arbitrary<Command> = putRequests.map(({ key, lease, value }) => {
  return { kind: "txn", request: new PutIfAbsent(key, lease, value) };
});

const steps: fc.Arbitrary<Step> = fc.record({ command: fc.oneof(joins, commands), caller: callers });

const leases = fc.oneof(fc.constant(0n), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }));
/** Around where the length of a message takes one more digit. */
const lengths = fc.oneof(fc.nat(200), fc.integer({ min: 16_300, max: 16_500 }));

/** What a machine can be asked before it applies a command, and what came of that. */
function applied(machine: StateMachine, { command, caller }: Step): unknown {
  const before = [costOf(command), machine.commandRefusal(command, caller), machine.hasEffect(command, caller)];
  const outcome = machine.apply(command, caller);
  return plain([before, outcome, machine.changes, machine.leaseChanges]);
}

/** As a restart reads it from the log. */
function replayed({ command, caller }: Step): Step {
  const logged = decodeCommand(encodeCommand(command, caller));
  assert.ok(!(logged.command.kind === "txn" && logged.command.request instanceof PutIfAbsent));
  return { command: logged.command, caller: logged.caller };
}

test("LOCK-2: a put of an absent key does what its transaction does when that is read from the log", () => {
  let made = 0;
  fc.assert(
    fc.property(fc.boolean(), fc.array(steps, { maxLength: 60, size: "max" }), (hasUsers, list) => {
      const machine = new StateMachine();
      const other = new StateMachine();
      const first = [...firstGrants, ...(hasUsers ? firstUsers : [])].map((command) => ({
        command,
        caller: undefined,
      }));
      for (const step of [...first, ...list]) {
        assert.deepEqual(applied(machine, step), applied(other, replayed(step)));
        if (step.command.kind === "txn" && step.command.request instanceof PutIfAbsent) made += machine.changes.length;
      }
      assert.equal(canonicalDump(machine), canonicalDump(other));
    }),
    { numRuns: 300 },
  );
  assert.ok(made > 200, `only ${made} keys were absent`);
});

test("its encoding is that of the transaction, whatever the length of its key and value", () => {
  const bytes = lengths.chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
  fc.assert(
    fc.property(bytes, leases, bytes, (key, lease, value) => {
      const request = new PutIfAbsent(byteStringFromBytes(key), lease, value);
      assert.deepEqual(encodeCommand({ kind: "txn", request }).subarray(1), encodeTxnRequest(listsOf(request)));
    }),
  );
});

test("a lease that is no 64-bit integer is not encoded", () => {
  const request = new PutIfAbsent(byteStringFromBytes(Uint8Array.of(97)), 2n ** 63n, new Uint8Array(0));
  assert.throws(() => encodeCommand({ kind: "txn", request }), RangeError);
});

/** In an object that is no `PutIfAbsent`. */
function listsOf({ compare, success, failure }: TxnRequest): TxnRequest {
  return createTxnRequest({ compare, success, failure });
}
