/**
 * F48: random users, roles and permissions, random requests of every shape; what was really read and written is held
 * against what the caller may do with each single key.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CompareTarget, createTxnRequest, PermissionType, type RangeRequest } from "@holdfast/protocol";
import fc from "fast-check";
import { StateMachine } from "../state-machine.js";
import { authCommands, commands, firstGrants, rangeRequests, txnRequests } from "../testing/arbitraries.js";
import { compare, deleteRequest, key, putRequest, rangeRequest, txnOp } from "../testing/builders.js";
import { plain } from "../testing/plain.js";
import { administeredState, changedKeys, contentOf, keysTold, mayTouch } from "../testing/rights-oracle.js";
import { isReadOnlyTxn } from "../transactions.js";
import type { Command } from "../types.js";
import type { Action } from "./action.js";
import type { Caller } from "./auth-types.js";

const allKeys = ["a", "b", "ab", "c", "\0", "\xff", "\xff\xff", "__proto__", "a\0"];
const users = ["u", "v"];
const roleNames = ["u", "r", "s"];

/** A permission of one role. */
const grants = fc.record({
  roleName: fc.constantFrom(...roleNames),
  permType: fc.constantFrom(PermissionType.READ, PermissionType.WRITE, PermissionType.READWRITE),
  key: fc.constantFrom(...allKeys).map(key),
  rangeEnd: fc
    .oneof(
      { weight: 3, arbitrary: fc.constant("") },
      { weight: 2, arbitrary: fc.constantFrom(...allKeys) },
      { weight: 1, arbitrary: fc.constant("\0") },
    )
    .map(key),
});
type Grant = typeof grants extends fc.Arbitrary<infer Value> ? Value : never;

const tables = fc.record({
  grants: fc.array(grants, { maxLength: 8 }),
  held: fc.array(fc.record({ userName: fc.constantFrom(...users), roleName: fc.constantFrom(...roleNames) }), {
    maxLength: 4,
  }),
});
type Tables = typeof tables extends fc.Arbitrary<infer Value> ? Value : never;

/** Leases with keys and without, keys with leases and without, users with these roles, authentication on. */
function begin(machine: StateMachine, { grants: given, held }: Tables): void {
  const first: Command[] = [
    ...firstGrants,
    ...allKeys.map(
      (name, at): Command => ({ kind: "put", request: putRequest({ key: name, lease: at % 2 === 0 ? 1n : 0n }) }),
    ),
    ...["root", ...users].map((name): Command => ({ kind: "userAdd", name, passwordHash: "", noPassword: false })),
    { kind: "userGrantRole", userName: "root", roleName: "root" },
    ...roleNames.map((name): Command => ({ kind: "roleAdd", name })),
    ...given.map(grantCommand),
    ...held.map((both): Command => ({ kind: "userGrantRole", ...both })),
    { kind: "authEnable" },
  ];
  for (const command of first) machine.apply(command);
}

function grantCommand({ roleName, ...permission }: Grant): Command {
  return { kind: "roleGrantPermission", roleName, permission };
}

function callerOf(machine: StateMachine, userName: string): Caller {
  return { userName, authRevision: machine.auth.revision };
}

interface Step {
  readonly userName: string;
  readonly command: Command;
}

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ userName: fc.constantFrom(...users), command: commands }) },
  {
    weight: 2,
    arbitrary: fc.record({
      userName: fc.constantFrom(...users),
      command: txnRequests.map((request): Command => ({ kind: "txn", request })),
    }),
  },
  // What root does to users and roles, so that they change while they are used.
  {
    weight: 1,
    arbitrary: fc.record({
      userName: fc.constant("root"),
      command: authCommands.filter(({ kind }) => kind !== "authDisable"),
    }),
  },
);

/** How often something happened over all runs, so that a test cannot pass by never getting there. */
class Tally {
  readonly #counts = new Map<string, number>();

  add(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  mustHave(...whats: readonly string[]): void {
    for (const what of whats) assert.ok((this.#counts.get(what) ?? 0) > 0, `${what} never happened`);
  }
}

/** Carries out a command and checks what it did and told. */
function checkStep(machine: StateMachine, { userName, command }: Step, tally: Tally): void {
  const { auth } = machine;
  const caller = callerOf(machine, userName);
  const may = (name: string, type: "read" | "write"): boolean => mayTouch(auth, userName, name, type);
  const isRoot = auth.user(userName)?.roles.includes("root") === true;
  const readable = new Set(allKeys.filter((name) => may(name, "read")));
  const writable = new Set(allKeys.filter((name) => may(name, "write")));
  const [before, administered] = [contentOf(machine), administeredState(machine)];
  const outcome = machine.apply(command, caller);
  const changed = changedKeys(before, contentOf(machine));
  if (outcome.kind === "refused") {
    assert.deepEqual(changed, []);
    assert.equal(administeredState(machine), administered);
    tally.add(outcome.refusal);
    return;
  }
  tally.add(command.kind);
  if (userName === "root" && isRoot) return;
  for (const name of changed) assert.ok(writable.has(name), `${userName} changed ${name} by ${command.kind}`);
  for (const name of keysTold(outcome)) assert.ok(readable.has(name), `${userName} was told ${name}`);
  if (!isRoot) assert.equal(administeredState(machine), administered, `${userName} did ${command.kind}`);
}

/** Questions about one key are never refused to who may ask them. */
function checkSingleKeys(machine: StateMachine, userName: string): void {
  const caller = callerOf(machine, userName);
  if (machine.auth.user(userName) === undefined) return;
  for (const name of allKeys) {
    const [read, write] = [
      mayTouch(machine.auth, userName, name, "read"),
      mayTouch(machine.auth, userName, name, "write"),
    ];
    const range: Action = { kind: "range", request: rangeRequest({ key: name }) };
    assert.equal(machine.accessRefusal(range, caller), read ? undefined : "permission-denied");
    for (const [command, allowed] of [
      [{ kind: "put", request: putRequest({ key: name }) }, write],
      [{ kind: "put", request: putRequest({ key: name, prevKv: true }) }, write && read],
      [{ kind: "deleteRange", request: deleteRequest({ key: name }) }, write],
    ] as const) {
      const refusal = machine.commandRefusal(command, caller);
      if (refusal === "no-space" || refusal === "corrupt") continue;
      assert.equal(refusal, allowed ? undefined : "permission-denied", `${userName} ${command.kind} ${name}`);
    }
  }
}

test("F48, I13: no command by anybody changes a key that its caller may not write, or tells one that it may not read", () => {
  const tally = new Tally();
  fc.assert(
    fc.property(tables, fc.array(steps, { minLength: 5, maxLength: 40, size: "max" }), (first, run) => {
      const machine = new StateMachine();
      begin(machine, first);
      for (const userName of users) checkSingleKeys(machine, userName);
      for (const step of run) {
        checkStep(machine, step, tally);
        // Somebody who was given the role root by now may do that; from there on nothing is refused to anybody.
        if (!machine.auth.enabled) return;
      }
      for (const userName of users) checkSingleKeys(machine, userName);
    }),
    { numRuns: 400 },
  );
  tally.mustHave("permission-denied", "put", "deleteRange", "txn", "leaseGrant", "leaseRevoke", "roleGrantPermission");
});

/** What a question is answered with when it is allowed. */
function answered(machine: StateMachine, action: Action): readonly string[] {
  switch (action.kind) {
    case "range":
      return keysTold(machine.range(action.request));
    case "readTxn":
      return keysTold(machine.rangeTxn(action.request));
    case "watch": {
      const from = action.key === "" ? "\0" : action.key;
      return allKeys.filter((name) =>
        action.rangeEnd === "" ? name === from : name >= from && (action.rangeEnd === "\0" || name < action.rangeEnd),
      );
    }
    case "leaseTimeToLive":
      return action.keys ? [...(machine.lease(action.leaseId)?.keys ?? [])] : [];
    case "leaseLeases":
      return [...machine.leases()].flatMap(({ keys }) => [...keys]);
    default:
      return [];
  }
}

const actions: fc.Arbitrary<Action> = fc.oneof(
  rangeRequests.map((request): Action => ({ kind: "range", request })),
  txnRequests.filter(isReadOnlyTxn).map((request): Action => ({ kind: "readTxn", request })),
  rangeRequests.map(({ key: from, rangeEnd }: RangeRequest): Action => ({ kind: "watch", key: from, rangeEnd })),
  fc
    .record({ leaseId: fc.constantFrom(1n, 2n, -1n, 99n), keys: fc.boolean() })
    .map((ask): Action => ({ kind: "leaseTimeToLive", ...ask })),
  fc.constant<Action>({ kind: "leaseLeases" }),
  fc.constant<Action>({ kind: "watch", key: key(""), rangeEnd: key("\0") }),
);

test("F48, I13: no question by anybody is answered with a key that its caller may not read", () => {
  const tally = new Tally();
  fc.assert(
    fc.property(tables, fc.array(actions, { minLength: 5, maxLength: 40, size: "max" }), (first, asked) => {
      const machine = new StateMachine();
      begin(machine, first);
      for (const action of asked) {
        for (const userName of users) {
          const refusal = machine.accessRefusal(action, callerOf(machine, userName));
          tally.add(refusal === undefined ? action.kind : refusal);
          if (refusal !== undefined) continue;
          for (const name of answered(machine, action)) {
            assert.ok(mayTouch(machine.auth, userName, name, "read"), `${userName} ${action.kind} ${name}`);
          }
        }
      }
    }),
    { numRuns: 400 },
  );
  tally.mustHave("permission-denied", "range", "readTxn", "watch", "leaseTimeToLive", "leaseLeases");
});

/** What root puts in here is never told to `u`. */
const secretKeys = ["b", "c", "\xff"];

const rootSteps: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ name: fc.constantFrom(...allKeys), lease: fc.constantFrom(0n, 1n, 2n) }).map(
    ({ name, lease }): Step => ({
      userName: "root",
      command: { kind: "put", request: putRequest({ key: name, value: "x", lease }) },
    }),
  ),
  fc.constantFrom(...allKeys).map(
    (name): Step => ({
      userName: "root",
      command: { kind: "deleteRange", request: deleteRequest({ key: name }) },
    }),
  ),
);

/** Asks what a secret is, by comparing it and doing nothing. */
const probes: fc.Arbitrary<Step> = fc
  .record({
    key: fc.constantFrom(...secretKeys),
    rangeEnd: fc.constantFrom("", "\0"),
    value: fc.constantFrom("x", "yy"),
    result: fc.nat(3),
    nested: fc.boolean(),
  })
  .map(({ nested, ...asked }) => {
    const probe = { compare: [compare({ ...asked, target: CompareTarget.VALUE })] };
    const request = createTxnRequest(nested ? { success: [txnOp(probe)] } : probe);
    return { userName: "u", command: { kind: "txn", request } };
  });

/** The same, but of what root puts into a secret key another value. */
function withOtherSecret(step: Step): Step {
  const { userName, command } = step;
  if (userName !== "root" || command.kind !== "put" || !secretKeys.includes(command.request.key)) return step;
  return { userName, command: { kind: "put", request: { ...command.request, value: Uint8Array.of(121, 121) } } };
}

test("F48, I13: whatever is asked, in whatever shape, the answer does not depend on values that the caller may not read", () => {
  const tally = new Tally();
  const askers = fc.record({ userName: fc.constant("u"), command: commands });
  const mixed = fc.oneof(
    { weight: 3, arbitrary: askers },
    { weight: 1, arbitrary: probes },
    { weight: 2, arbitrary: rootSteps },
  );
  const run = fc.array(mixed, { minLength: 5, maxLength: 40, size: "max" });
  fc.assert(
    fc.property(tables, run, (first, taken) => {
      const [one, other] = [new StateMachine(), new StateMachine()];
      for (const machine of [one, other]) begin(machine, first);
      fc.pre(secretKeys.every((name) => !mayTouch(one.auth, "u", name, "read")));
      for (const step of taken) {
        const told = one.apply(step.command, callerOf(one, step.userName));
        const twin = withOtherSecret(step);
        const toldOther = other.apply(twin.command, callerOf(other, step.userName));
        assert.deepEqual(plain(told), plain(toldOther));
        if (step.userName === "u") tally.add(told.kind);
      }
    }),
    { numRuns: 400 },
  );
  tally.mustHave("refused", "put", "txn", "deleteRange");
});
