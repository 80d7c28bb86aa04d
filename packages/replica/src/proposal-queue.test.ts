import assert from "node:assert/strict";
import { test } from "node:test";
import { createPutRequest } from "@holdfast/protocol";
import type { Command } from "@holdfast/state-machine";
import { defaultReplicaLimits, type ReplicaLimits } from "./limits.js";
import { ProposalQueue } from "./proposal-queue.js";
import { byteString } from "./testing/harness.js";
import { ManualEnvironment } from "./testing/manual-environment.js";
import { ScriptedLog } from "./testing/scripted-log.js";

interface Setup {
  readonly log: ScriptedLog;
  readonly environment: ManualEnvironment;
  readonly queue: ProposalQueue;
  /** What happened, in order. */
  readonly told: string[];
  propose(name: string, bytes?: number, internal?: boolean): void;
}

function setUp(limits: Partial<ReplicaLimits> = {}): Setup {
  const log = new ScriptedLog();
  const environment = new ManualEnvironment();
  const told: string[] = [];
  const queue = new ProposalQueue({
    log,
    environment,
    limits: { ...defaultReplicaLimits, ...limits },
    apply: (command, _caller, proposer) => {
      told.push(`apply ${keyOf(command)}`);
      proposer.settled({ kind: "leaseExpire", ended: true });
    },
    applied: (index) => told.push(`applied ${index}`),
    onFatal: (cause) => told.push(`fatal ${cause.message}`),
  });
  const propose = (name: string, bytes = 10, internal = false): void => {
    const command: Command = { kind: "put", request: createPutRequest({ key: byteString(name) }) };
    const settled = (): number => told.push(`${name} settled`);
    const failed = (failure: string): number => told.push(`${name} ${failure}`);
    queue.add(command, new Uint8Array(bytes), { settled, failed }, undefined, internal);
  };
  return { log, environment, queue, told, propose };
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

test("a batch is cut at its limits of commands and bytes; one larger command travels alone", () => {
  const { log, environment, propose } = setUp({ batchCommands: 3, batchBytes: 100 });
  for (let i = 0; i < 7; i++) propose(`k${i}`, 1);
  propose("large", 500);
  propose("after", 1);
  environment.runDeferred();
  while (log.isBusy) log.finish();
  const overhead = 5;
  assert.deepEqual(log.appended, [1 + 3 * 6, 1 + 3 * 6, 1 + 6, 1 + 500 + overhead, 1 + 6]);
});

test("F8: beyond the limit of waiting proposals callers are refused, internal ones are not", () => {
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

test("F8: beyond the limit of waiting bytes callers are refused, and the bytes are given back", () => {
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
  assert.deepEqual(told, ["a no-space", "apply b", "b settled", "applied 1"]);
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
