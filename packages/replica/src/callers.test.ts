/** Who asks for a command: from the proposal through batch and log to `apply`, live and in replay. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createPutRequest, createTxnRequest, encodePutRequest } from "@holdfast/protocol";
import { type Caller, type Command, type Outcome, type StateMachine, systemCaller } from "@holdfast/state-machine";
import { Batch, readBatch } from "./batch.js";
import { Replica } from "./replica.js";
import { byteString, Harness } from "./testing/harness.js";

/** Holds a token of a revision that is never old. */
function callerNamed(userName: string): Caller {
  return { userName, authRevision: 1_000 };
}

function putOf(key: string, lease = 0n): Command {
  return { kind: "put", request: createPutRequest({ key: byteString(key), lease }) };
}

const users: readonly Command[] = [
  { kind: "userAdd", name: "root", passwordHash: "", noPassword: false },
  { kind: "userGrantRole", userName: "root", roleName: "root" },
  { kind: "userAdd", name: "writer", passwordHash: "$2b$hash", noPassword: false },
  { kind: "roleAdd", name: "writes" },
  { kind: "userGrantRole", userName: "writer", roleName: "writes" },
  {
    kind: "roleGrantPermission",
    roleName: "writes",
    permission: { permType: 1, key: byteString("w"), rangeEnd: byteString("") },
  },
];

const enable: Command = { kind: "authEnable" };

/** Proposes everything in one turn, so that it shares one entry, and answers "ok" or the refusal of each. */
async function askAll(harness: Harness, asked: readonly (readonly [Command, Caller?])[]): Promise<string[]> {
  const settled: Promise<Outcome>[] = [];
  for (const [command, caller] of asked) {
    const outcome = new Promise<Outcome>((resolve, reject) => {
      harness.replica.propose(command, { settled: resolve, failed: reject }, caller);
    });
    settled.push(outcome);
  }
  harness.environment.runDeferred();
  return (await Promise.all(settled)).map((outcome) => (outcome.kind === "refused" ? outcome.refusal : "ok"));
}

/** What a machine holds, as far as these tests change it. */
function contents(machine: StateMachine): unknown {
  const keys: string[] = [];
  machine.forEachLive(byteString("\0"), byteString("\0"), ({ key }) => keys.push(key));
  const { auth, revision, appliedCommands } = machine;
  const view = {
    enabled: auth.enabled,
    authRevision: auth.revision,
    users: [...auth.users()],
    roles: [...auth.roles()],
  };
  return { keys, revision, appliedCommands, ...view, alarms: machine.alarms(), leases: [...machine.leases()] };
}

/** Starts a second replica on what the log of `harness` remembers, and answers its machine. */
async function replayed(harness: Harness): Promise<StateMachine> {
  const log = await harness.reopenLog();
  const replica = await Replica.start({ log, environment: harness.environment, onFatal: assert.fail });
  await replica.close();
  return replica.machine;
}

test("AUTH-12, AUTH-21: each command of an entry is judged by who asked for it, in replay as before", async () => {
  const harness = await Harness.start();
  for (const command of [...users, enable]) await harness.propose(command);
  const verdicts = await askAll(harness, [
    [putOf("w")],
    [putOf("w"), callerNamed("writer")],
    [putOf("x"), callerNamed("writer")],
    [putOf("x"), callerNamed("nobody")],
    [putOf("x")],
    [putOf("x"), callerNamed("root")],
    [putOf("y"), systemCaller],
    [{ kind: "userAdd", name: "new", passwordHash: "", noPassword: true }, callerNamed("writer")],
    [putOf("z"), { userName: "root", authRevision: 2 }],
    [{ kind: "alarm", action: "activate", memberId: 7n, alarm: 1 }, callerNamed("root")],
  ]);
  const denied = "permission-denied";
  assert.deepEqual(verdicts, [
    "user-empty",
    "ok",
    denied,
    denied,
    "user-empty",
    "ok",
    "ok",
    denied,
    "auth-revision-old",
    "ok",
  ]);
  const live = contents(harness.replica.machine);
  assert.deepEqual(contents(await replayed(harness)), live);
});

test("AUTH-12: what nobody asked for is refused when authentication is turned on before it runs", async () => {
  const harness = await Harness.start();
  for (const command of users) await harness.propose(command);
  assert.deepEqual(await askAll(harness, [[putOf("a")], [enable], [putOf("b")]]), ["ok", "ok", "user-empty"]);
  await harness.replica.close();
});

test("AUTH-20: the encoded way in carries the caller, too", async () => {
  const harness = await Harness.start();
  for (const command of [...users, enable]) await harness.propose(command);
  const request = createPutRequest({ key: byteString("w") });
  const body = encodePutRequest(request);
  const kinds: string[] = [];
  for (const caller of [undefined, callerNamed("writer")]) {
    const proposer = { settled: (outcome: Outcome) => kinds.push(outcome.kind), failed: assert.fail };
    harness.replica.proposeEncoded({ kind: "put", request }, body, proposer, caller);
  }
  await harness.settle();
  assert.deepEqual(kinds, ["refused", "put"]);
  const live = contents(harness.replica.machine);
  assert.deepEqual(contents(await replayed(harness)), live);
});

test("LOCK-25: what the server proposes by itself is not refused for want of permission", async () => {
  const harness = await Harness.start();
  for (const command of [...users, enable]) await harness.propose(command);
  const kinds: string[] = [];
  const proposer = { settled: (outcome: Outcome) => kinds.push(outcome.kind), failed: assert.fail };
  harness.replica.proposeInternal({ kind: "txn", request: createTxnRequest() }, proposer);
  harness.replica.proposeInternal({ kind: "alarm", action: "activate", memberId: 0n, alarm: 1 }, proposer);
  await harness.settle();
  assert.deepEqual(kinds, ["txn", "alarm"]);
  const live = contents(harness.replica.machine);
  assert.deepEqual(contents(await replayed(harness)), live);
});

test("AUTH-21, MAINT-4, MAINT-5: leases end on time under authentication and every alarm", async () => {
  const harness = await Harness.start();
  await harness.grant(5n, 2);
  await harness.put("held", "", 5n);
  for (const command of users) await harness.propose(command);
  for (const alarm of [1, 2]) await harness.propose({ kind: "alarm", action: "activate", memberId: 0n, alarm });
  await harness.propose(enable);
  harness.environment.advance(2_300);
  await harness.settle();
  assert.equal(harness.replica.machine.lease(5n), undefined);
  assert.equal(harness.replica.machine.get(byteString("held")), undefined);
  const live = contents(harness.replica.machine);
  assert.deepEqual(contents(await replayed(harness)), live);
});

test("a name with half a surrogate pair means the same before and after a restart", async () => {
  const harness = await Harness.start();
  for (const command of users) await harness.propose(command);
  await harness.propose({ kind: "userAdd", name: "\ud800", passwordHash: "", noPassword: true });
  await harness.propose({ kind: "userGrantRole", userName: "\udc00", roleName: "writes" });
  await harness.propose(enable);
  const verdicts = await askAll(harness, [
    [putOf("w"), callerNamed("\ufffd")],
    [putOf("w"), callerNamed("\ud800")],
  ]);
  assert.deepEqual(verdicts, ["ok", "permission-denied"]);
  const live = contents(harness.replica.machine);
  assert.deepEqual(contents(await replayed(harness)), live);
});

test("a batch keeps every caller with its command, and forgets them when it is emptied", () => {
  const batch = new Batch();
  const body = encodePutRequest(createPutRequest({ key: byteString("k") }));
  const proposer = { settled: () => {}, failed: () => {} };
  const rounds: (readonly (Caller | undefined)[])[] = [
    [undefined, undefined, callerNamed("é"), undefined, systemCaller, callerNamed(""), undefined],
    [undefined],
    [callerNamed("a".repeat(40_000)), undefined],
    [systemCaller],
  ];
  for (const callers of rounds) {
    for (const caller of callers) batch.add(putOf("k"), body, proposer, caller, 1);
    assert.deepEqual(
      callers.map((_, index) => batch.callerAt(index)),
      callers,
    );
    const read: (Caller | undefined)[] = [];
    readBatch(1, batch.payload, ({ command, caller }) => {
      assert.deepEqual(command, putOf("k"));
      read.push(caller);
    });
    assert.deepEqual(read, callers);
    batch.clear();
    assert.equal(batch.callerAt(0), undefined);
  }
});

test("the bytes of waiting proposals count callers, and come back to none", async () => {
  const harness = await Harness.start();
  const asked = askAll(harness, [[putOf("a"), callerNamed("someone")], [putOf("b"), systemCaller], [putOf("c")]]);
  assert.deepEqual(await asked, ["ok", "ok", "ok"]);
  await harness.settle();
  assert.equal(harness.replica.waitingBytes, 0);
  await harness.replica.close();
});
