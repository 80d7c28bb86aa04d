import assert from "node:assert/strict";
import { test } from "node:test";
import { digestOf } from "@holdfast/log";
import {
  createPutRequest,
  createRequestOp,
  createTxnRequest,
  type RequestOp,
  type TxnRequest,
} from "@holdfast/protocol";
import { type Caller, type Command, encodeCommand } from "@holdfast/state-machine";
import { readBatch } from "./batch.js";
import { defaultReplicaLimits, type ReplicaLimits } from "./limits.js";
import { ProposalQueue } from "./proposal-queue.js";
import { byteString } from "./testing/harness.js";
import { ManualEnvironment } from "./testing/manual-environment.js";
import { ScriptedLog } from "./testing/scripted-log.js";
import { ApplyFailure, UnappliableEntryError } from "./unappliable-entry.js";

interface Setup {
  readonly log: ScriptedLog;
  readonly environment: ManualEnvironment;
  readonly queue: ProposalQueue;
  /** What happened, in order. */
  readonly told: string[];
  /** Ends a lease. */
  expire(name: string, leaseId: bigint): void;
  propose(name: string, bytes?: number, internal?: boolean): void;
  /** Of ten bytes. */
  proposeTxn(name: string, request: TxnRequest): void;
}

function setUp(limits: Partial<ReplicaLimits> = {}, beforeApply: (command: Command) => void = () => {}): Setup {
  const log = new ScriptedLog();
  const environment = new ManualEnvironment();
  const told: string[] = [];
  const queue = new ProposalQueue({
    log,
    environment,
    limits: { ...defaultReplicaLimits, ...limits },
    apply: (command, _caller, proposer) => {
      beforeApply(command);
      told.push(`apply ${keyOf(command)}`);
      proposer.settled({ kind: "leaseExpire", ended: true });
    },
    hasEffect: () => true,
    applied: (index) => told.push(`applied ${index}`),
    onFull: (refuse) => {
      told.push("full");
      refuse();
    },
    onFatal: (cause) => told.push(`fatal ${cause.message}`),
  });
  const add = (name: string, command: Command, body: Uint8Array, internal: boolean, caller?: Caller): void => {
    const settled = (): number => told.push(`${name} settled`);
    const failed = (failure: string): number => told.push(`${name} ${failure}`);
    queue.add(command, body, { settled, failed }, caller, internal);
  };
  const propose = (name: string, bytes = 10, internal = false): void =>
    add(name, { kind: "put", request: createPutRequest({ key: byteString(name) }) }, new Uint8Array(bytes), internal);
  const proposeTxn = (name: string, request: TxnRequest): void =>
    add(name, { kind: "txn", request }, new Uint8Array(10), false);
  const expire = (name: string, leaseId: bigint): void => {
    const command: Command = { kind: "leaseExpire", leaseId, grantNumber: 1 };
    add(name, command, encodeCommand(command).subarray(1), true, { userName: "ann", authRevision: 1 });
  };
  return { log, environment, queue, told, propose, proposeTxn, expire };
}

const put = { requestPut: createPutRequest({ key: byteString("k") }) };

function txnOf(success: readonly Partial<RequestOp>[], failure: readonly Partial<RequestOp>[]): TxnRequest {
  return createTxnRequest({ success: success.map(createRequestOp), failure: failure.map(createRequestOp) });
}

function keyOf(command: Command): string {
  return command.kind === "put" ? command.request.key : command.kind;
}

test("I1: nothing is applied or answered before the log says that it is stored", () => {
  const { log, environment, told, propose } = setUp();
  propose("a");
  environment.runDeferred();
  assert.equal(log.isBusy, true);
  assert.deepEqual(told, []);
  log.finish();
  assert.deepEqual(told, ["apply a", "a settled", "applied 1"]);
});

test("what arrives in one turn, and while the disk is busy, shares one entry each", () => {
  const { log, environment, told, propose } = setUp();
  for (const name of ["a", "b"]) propose(name);
  environment.runDeferred();
  for (const name of ["c", "d", "e"]) propose(name);
  environment.runDeferred();
  assert.equal(log.appended.length, 1);
  log.finish();
  assert.equal(log.appended.length, 2);
  log.finish();
  assert.equal(log.isBusy, false);
  const settled = told.filter((line) => line.endsWith("settled"));
  assert.deepEqual(settled, ["a settled", "b settled", "c settled", "d settled", "e settled"]);
});

test("F14, LIMIT batchOperations, LIMIT batchBytes: a batch is cut at its limits; one larger command travels alone", () => {
  const { log, environment, propose } = setUp({ batchOperations: 3, batchBytes: 100 });
  for (let i = 0; i < 7; i++) propose(`k${i}`, 1);
  propose("large", 500);
  propose("after", 1);
  environment.runDeferred();
  while (log.isBusy) log.finish();
  const overhead = 5;
  assert.deepEqual(log.appended, [1 + 3 * 6, 1 + 3 * 6, 1 + 6, 1 + 500 + overhead, 1 + 6]);
});

test("F14: a transaction counts in its batch as many times as it has operations, nested ones included", () => {
  const { log, environment, proposeTxn } = setUp({ batchOperations: 6 });
  const nested = { requestTxn: txnOf([put, put, put], [put]) };
  for (const request of [txnOf([put, put, put], []), txnOf([], [put, put, put]), txnOf([], []), txnOf([nested], [put])])
    proposeTxn("t", request);
  proposeTxn("huge", txnOf(Array(7).fill(put), []));
  proposeTxn("last", txnOf([put], []));
  environment.runDeferred();
  while (log.isBusy) log.finish();
  assert.deepEqual(
    log.appended.map((bytes) => (bytes - 1) / 15),
    [2, 2, 1, 1],
  );
});

test("F8, LIMIT waitingProposals: beyond it callers are refused, internal ones are not", () => {
  const { log, environment, told, propose } = setUp({ waitingProposals: 2 });
  propose("a");
  propose("b");
  propose("c");
  propose("expiry", 1, true);
  assert.deepEqual(told, ["c too-many-requests"]);
  environment.runDeferred();
  log.finish();
  propose("d");
  environment.runDeferred();
  log.finish();
  assert.ok(told.includes("d settled"));
  assert.ok(told.includes("expiry settled"));
});

test("F8, LIMIT waitingBytes: beyond it callers are refused, and the bytes are given back", () => {
  const { log, environment, told, propose } = setUp({ waitingBytes: 1_000 });
  propose("a", 600);
  propose("b", 600);
  assert.deepEqual(told, ["b too-many-requests"]);
  environment.runDeferred();
  log.finish();
  propose("c", 1_000);
  environment.runDeferred();
  log.finish();
  assert.ok(told.includes("c settled"));
});

test("F6: a refused entry has no effect, and the next one is served", () => {
  const { log, environment, told, propose } = setUp();
  propose("a");
  environment.runDeferred();
  log.finish({ fate: "refused", why: "full" });
  propose("b");
  environment.runDeferred();
  log.finish();
  assert.deepEqual(told, ["full", "a no-space", "apply b", "b settled", "applied 1"]);
});

test("F7: after an unknown fate nothing more is appended: that entry is unknown, the rest refused", () => {
  const { log, environment, told, propose } = setUp();
  propose("a");
  environment.runDeferred();
  propose("b");
  log.finish({ fate: "unknown", cause: new Error("sync failed") });
  propose("c");
  environment.runDeferred();
  assert.deepEqual(told, ["a unknown", "b stopped", "fatal sync failed", "c stopped"]);
  assert.equal(log.appended.length, 1);
});

test("stopping refuses what comes and settles what was accepted", async () => {
  const { log, environment, queue, told, propose } = setUp();
  propose("a");
  environment.runDeferred();
  propose("b");
  const stopped = queue.stop();
  propose("c");
  log.finish();
  log.finish();
  await stopped;
  assert.deepEqual(
    told.filter((line) => !line.startsWith("appl")),
    ["c stopped", "a settled", "b settled"],
  );
});

const full = { fate: "refused", why: "full" } as const;

test("F6: where the log has no room, what adds to the store is refused and the rest goes into the reserve, in order", () => {
  const { log, environment, queue, told, propose, expire } = setUp();
  propose("a");
  expire("x", 1n);
  propose("b");
  expire("y", 2n);
  environment.runDeferred();
  propose("c");
  environment.runDeferred();
  log.finish(full);
  assert.deepEqual(told, ["full", "a no-space", "b no-space"]);
  const ids: unknown[] = [];
  readBatch(1, log.payload, ({ command, caller }) => {
    ids.push(command.kind === "leaseExpire" ? [command.leaseId, caller?.userName] : command.kind);
  });
  assert.deepEqual(ids, [
    [1n, "ann"],
    [2n, "ann"],
  ]);
  log.finish();
  assert.deepEqual(told.slice(3), ["apply leaseExpire", "x settled", "apply leaseExpire", "y settled", "applied 1"]);
  log.finish();
  assert.deepEqual(log.reserveShares, [0, 1, 0]);
  assert.deepEqual([queue.waitingProposals, queue.waitingBytes], [0, 0]);
});

test("F6: without room, what needs none asks for the reserve at once, until an entry found room again", () => {
  const { log, environment, told, propose, expire } = setUp();
  propose("a");
  environment.runDeferred();
  log.finish(full);
  const expireAlone = (name: string): void => {
    expire(name, 1n);
    environment.runDeferred();
    log.finish();
  };
  expireAlone("x");
  propose("b");
  environment.runDeferred();
  log.finish();
  expireAlone("y");
  assert.deepEqual(log.reserveShares, [0, 1, 0, 0]);
  assert.deepEqual(
    told.filter((line) => line.includes("settled")),
    ["x settled", "b settled", "y settled"],
  );
});

test("F6: when even the reserve is used up, everything is refused", () => {
  const { log, environment, queue, told, expire } = setUp();
  expire("x", 1n);
  environment.runDeferred();
  log.finish(full);
  log.finish(full);
  assert.deepEqual(told, ["x no-space"]);
  assert.deepEqual([queue.waitingProposals, queue.waitingBytes, log.isBusy], [0, 0, false]);
});

test("F10, I11: when applying throws, place and digest are told, and nothing more is applied or taken", () => {
  const { log, environment, queue, told, propose } = setUp({}, (command) => {
    if (keyOf(command) === "poison") throw new ApplyFailure(new TypeError("bug"));
  });
  for (const name of ["a", "poison", "b"]) propose(name);
  environment.runDeferred();
  propose("c");
  const { payload } = log;
  const digest = digestOf(payload).toString("hex");
  assert.throws(
    () => log.finish(),
    (error) => {
      assert.ok(error instanceof UnappliableEntryError);
      assert.deepEqual([error.index, error.digest], [1, digest]);
      assert.match(error.message, new RegExp(`log entry 1 .*${digest}`));
      assert.ok(error.cause instanceof TypeError);
      return true;
    },
  );
  log.finish();
  propose("d");
  assert.deepEqual(told, ["apply a", "a settled", "d stopped"]);
  assert.equal(queue.isStopped, true);
});
