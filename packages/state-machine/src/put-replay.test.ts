/**
 * Replaying puts the short way against applying every command.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Caller } from "./auth/auth-types.js";
import { decodeCommand, encodeCommand } from "./command-codec.js";
import { KeySpace } from "./key-space.js";
import { LeaseTable } from "./leases.js";
import { StateMachine } from "./state-machine.js";
import { callers, commands, firstGrants, firstUsers } from "./testing/arbitraries.js";
import { key, putRequest } from "./testing/builders.js";
import { canonicalDump } from "./testing/canonical-dump.js";
import { violations } from "./testing/invariants.js";
import type { Command } from "./types.js";

interface Step {
  readonly command: Command;
  readonly caller: Caller | undefined;
}

const put: fc.Arbitrary<Step> = fc
  .record({ name: fc.constantFrom("a", "b", "c", "a key of more than sixteen bytes"), length: fc.nat(40) })
  .map(({ name, length }) => ({ command: putCommand(name, length), caller: undefined }));

const steps: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: put, weight: 3 },
  fc.record({ command: commands, caller: callers }),
);

function putCommand(name: string, valueLength: number): Command {
  return { kind: "put", request: putRequest({ key: name, value: "v".repeat(valueLength) }) };
}

/** Two machines: one is told every command, the other replays what was logged. */
class Comparison {
  readonly #applied = new StateMachine();
  readonly #keys = new KeySpace();
  readonly #leases = new LeaseTable();
  readonly #replayed = new StateMachine({ keys: this.#keys, leases: this.#leases, appliedCommands: 0 });
  shortened = 0;

  run({ command, caller }: Step): void {
    const logged = Buffer.concat([Buffer.of(0xff), encodeCommand(command, caller), Buffer.of(0xff)]);
    this.#applied.apply(command, caller);
    if (this.#replayed.replayPut(logged, 1, logged.length - 1)) this.#countShortened();
    else this.#replayed.apply(command, caller);
    // What was logged is written over by what comes next.
    logged.fill(0xee);
  }

  finish(): void {
    assert.deepEqual(violations(this.#keys, this.#leases), []);
    assert.equal(canonicalDump(this.#replayed), canonicalDump(this.#applied));
  }

  #countShortened(): void {
    this.shortened += 1;
    assert.deepEqual([this.#replayed.changes.length, this.#replayed.leaseChanges.length], [0, 0]);
  }
}

test("replaying plain puts the short way leaves the state that applying them leaves", () => {
  let shortened = 0;
  fc.assert(
    fc.property(fc.boolean(), fc.array(steps, { maxLength: 60 }), (hasUsers, list) => {
      const comparison = new Comparison();
      for (const command of [...firstGrants, ...(hasUsers ? firstUsers : [])])
        comparison.run({ command, caller: undefined });
      for (const step of list) comparison.run(step);
      comparison.finish();
      shortened += comparison.shortened;
    }),
    { numRuns: 300 },
  );
  assert.ok(shortened > 200, `only ${shortened} puts were plain`);
});

test("only puts that nothing can speak against are replayed the short way", () => {
  const machine = new StateMachine();
  const replay = (command: Command): boolean => {
    const bytes = encodeCommand(command);
    return machine.replayPut(bytes, 0, bytes.length);
  };
  machine.apply({ kind: "leaseGrant", leaseId: 7n, ttlSeconds: 60 });
  const leased: Command = { kind: "put", request: putRequest({ key: "leased", value: "v", lease: 7n }) };
  assert.equal(replay(leased), false, "with a lease");
  machine.apply(leased);
  assert.equal(replay(putCommand("leased", 3)), false, "on a key that a lease loses");
  assert.equal(replay(putCommand("", 3)), false, "without a key");
  assert.equal(replay({ kind: "put", request: putRequest({ key: "a", prevKv: true }) }), false, "with more to it");
  assert.equal(replay(putCommand("a", 0)), true, "without a value");
  assert.equal(replay(putCommand("a", 100_000)), true, "with a long one");
  assert.equal(machine.get(key("a"))?.value.length, 100_000);
  machine.apply({ kind: "alarm", action: "activate", memberId: 1n, alarm: 1 });
  assert.equal(replay(putCommand("a", 3)), false, "while there is an alarm");
});

test("a put that is cut off is left to the decoder", () => {
  const machine = new StateMachine();
  const bytes = encodeCommand(putCommand("key", 20));
  for (let end = 2; end < bytes.length; end++) {
    const isWholeAgain = end === 1 + 2 + "key".length;
    if (isWholeAgain) continue;
    assert.equal(machine.replayPut(bytes, 0, end), false);
    assert.throws(() => decodeCommand(bytes, 0, end));
  }
  assert.equal(machine.revision, 1);
});

test("an empty command is left to the decoder, whatever follows it", () => {
  const machine = new StateMachine();
  // The length of the next command begins with the byte that stands for a put.
  assert.equal(machine.replayPut(Uint8Array.of(1, 0, 0, 0), 0, 0), false);
});
