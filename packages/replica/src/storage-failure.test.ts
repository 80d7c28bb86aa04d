import assert from "node:assert/strict";
import { test } from "node:test";
import { createPutRequest } from "@holdfast/protocol";
import type { Command } from "@holdfast/state-machine";
import { Replica } from "./replica.js";
import { byteString } from "./testing/harness.js";
import { ManualEnvironment } from "./testing/manual-environment.js";
import { ScriptedLog } from "./testing/scripted-log.js";

const failure = new Error("sync failed");

interface Scripted {
  readonly replica: Replica;
  readonly log: ScriptedLog;
  readonly environment: ManualEnvironment;
  readonly fatal: Error[];
  /** Proposes a command; what became of it is written to `told`. */
  propose(name: string, command: Command): void;
  readonly told: string[];
}

/** A replica whose appends end as the test says; lease 7 of 2 s is granted. */
async function scripted(): Promise<Scripted> {
  const log = new ScriptedLog();
  const environment = new ManualEnvironment();
  const fatal: Error[] = [];
  const told: string[] = [];
  const replica = await Replica.start({ log, environment, onFatal: (cause) => fatal.push(cause) });
  const propose = (name: string, command: Command): void => {
    replica.propose(command, {
      settled: () => told.push(`${name} settled`),
      failed: (why) => told.push(`${name} ${why}`),
    });
    environment.runDeferred();
  };
  propose("grant", { kind: "leaseGrant", leaseId: 7n, ttlSeconds: 2 });
  log.finish();
  told.length = 0;
  return { replica, log, environment, fatal, propose, told };
}

function put(key: string, lease = 0n): Command {
  return { kind: "put", request: createPutRequest({ key: byteString(key), lease }) };
}

/** Renews lease 7; the answers it has got so far. */
function renew(replica: Replica): number[] {
  const answers: number[] = [];
  replica.leases.renew(7n, (ttlSeconds) => answers.push(ttlSeconds));
  return answers;
}

test("F7, I11: after an append of unknown fate nothing is applied or acknowledged any more", async () => {
  const { replica, log, fatal, propose, told } = await scripted();
  propose("in flight", put("a"));
  propose("behind it", put("b"));
  log.finish({ fate: "unknown", cause: failure });
  propose("later", put("c"));
  assert.deepEqual(told, ["in flight unknown", "behind it stopped", "later stopped"]);
  assert.deepEqual(fatal, [failure]);
  assert.deepEqual([replica.machine.revision, replica.waitingProposals], [1, 0]);
  await replica.close();
});

test("I7: while the fate of a lease's end is unknown, its renewal is answered neither well nor badly", async () => {
  const { replica, log, environment } = await scripted();
  environment.advance(2_300);
  assert.equal(log.isBusy, true);
  const answers = renew(replica);
  log.finish({ fate: "unknown", cause: failure });
  assert.deepEqual([answers, renew(replica)], [[], []]);
  await replica.close();
});

test("I7: a lease whose end was certainly refused lives on, is renewed, and its end is proposed again", async () => {
  const { replica, log, environment } = await scripted();
  environment.advance(2_300);
  const waiting = renew(replica);
  log.finish({ fate: "refused", why: "full" });
  // Not even the reserve has room for it.
  log.finish({ fate: "refused", why: "full" });
  assert.deepEqual([waiting, renew(replica)], [[2], [2]]);
  environment.advance(1_900);
  assert.equal(log.isBusy, false);
  environment.advance(400);
  assert.equal(log.isBusy, true);
  log.finish();
  assert.equal(replica.machine.lease(7n), undefined);
  assert.deepEqual(renew(replica), [0]);
});

test("F6: a full disk refuses the ends of many leases, and all of them end once there is room", async () => {
  const { replica, log, environment, propose } = await scripted();
  for (let id = 100n; id < 120n; id++) {
    propose("grant", { kind: "leaseGrant", leaseId: id, ttlSeconds: 2 });
    log.finish();
  }
  environment.advance(2_300);
  log.finish({ fate: "refused", why: "full" });
  assert.equal(replica.machine.leaseCount, 21);
  environment.advance(300);
  while (log.isBusy) {
    log.finish();
    environment.runDeferred();
  }
  assert.equal(replica.machine.leaseCount, 0);
});

test("I7: a put with the lease that is proposed behind the lease's end is refused by the state", async () => {
  const { replica, log, environment, propose, told } = await scripted();
  environment.advance(2_300);
  propose("put", put("k", 7n));
  log.finish();
  log.finish();
  assert.deepEqual(told, ["put settled"]);
  assert.deepEqual([replica.machine.keyCount, replica.machine.leaseCount], [0, 0]);
});

test("a replica that is closed while appends are in flight settles them first, and stops its clock", async () => {
  const { replica, log, environment, propose, told } = await scripted();
  propose("accepted", put("a"));
  const closed = replica.close();
  propose("too late", put("b"));
  log.finish();
  await closed;
  assert.deepEqual(told, ["too late stopped", "accepted settled"]);
  environment.advance(10_000);
  assert.equal(log.isBusy, false);
});
