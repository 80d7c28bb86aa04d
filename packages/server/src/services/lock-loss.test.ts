import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  CompareResult,
  CompareTarget,
  createCompare,
  etcdErrors,
  etcdTexts,
  kvService,
  lockService,
  StatusCode,
} from "@holdfast/protocol";
import { GatedLog } from "../testing/gated-log.js";
import { Services, until } from "../testing/services.js";
import { rejectsAs, StatusError } from "../testing/status-error.js";
import { byteString, putOp, type TestClient } from "../testing/test-client.js";
import { create, events, openWatch, type WatchStream } from "../testing/watching.js";

interface Contended {
  readonly services: Services;
  readonly log: GatedLog;
  readonly client: TestClient;
  /** Sees what happens under `n/` from here on. */
  readonly watch: WatchStream;
}

/** Lock `n` is held by lease 1; leases 2 and 3 are granted. */
async function contended(t: TestContext): Promise<Contended> {
  const log = await GatedLog.open();
  const services = await Services.start(t, { log });
  const client = await services.connect();
  for (const id of [1n, 2n, 3n]) await client.grant(id, 60);
  await client.lock("n", 1n);
  const watch = openWatch(client);
  await create(watch, "n/", { rangeEnd: "n0" });
  return { services, log, client, watch };
}

const waiters = (services: Services, count: number) => until(() => services.replica.locks.waiterCount === count);

test("F24, LOCK-15: a caller that cancels while it waits takes its key with it, and the lease lives on", async (t) => {
  const { services, client, watch } = await contended(t);
  const cancel = new AbortController();
  const waiting = client.lock("n", 2n, { signal: cancel.signal });
  waiting.catch(() => {});
  await waiters(services, 1);
  cancel.abort();
  await assert.rejects(waiting, (error) => error instanceof StatusError && error.code === StatusCode.cancelled);
  assert.deepEqual(await events(watch, 2), ["n/2=@3", "-n/2@4"]);
  await client.put("still alive", "", 2n);
  assert.deepEqual([services.replica.locks.waiterCount, services.context.openCalls.size], [0, 1]);
});

test("F24, LOCK-15: a deadline that passes while a caller waits takes its key with it", async (t) => {
  const { client, watch } = await contended(t);
  const waiting = client.lock("n", 2n, { deadlineMs: 50 });
  await assert.rejects(waiting, (error) => error instanceof StatusError && error.code === StatusCode.deadlineExceeded);
  assert.deepEqual(await events(watch, 2), ["n/2=@3", "-n/2@4"]);
});

test("F24, LOCK-15: a dropped connection takes the keys of all its waiters with it, and nobody else's", async (t) => {
  const { services, client, watch } = await contended(t);
  const dropped = await services.connect();
  const lost = [dropped.lock("n", 2n), dropped.lock("n", 3n)];
  await client.grant(4n);
  await waiters(services, 2);
  const staying = client.lock("n", 4n);
  await waiters(services, 3);
  dropped.grpc.destroy();
  for (const call of lost) await assert.rejects(call, { code: StatusCode.unavailable });
  const seen = await events(watch, 5);
  assert.deepEqual(
    seen
      .slice(3)
      .map((event) => event.replace(/@.*/, ""))
      .sort(),
    ["-n/2", "-n/3"],
  );
  assert.equal(services.replica.locks.waiterCount, 1);
  await client.unlock("n/1");
  assert.equal(await staying, "n/4");
});

test("LOCK-15: the waiters behind one that goes away keep their order", async (t) => {
  const { services, client } = await contended(t);
  const cancel = new AbortController();
  const leaving = client.lock("n", 2n, { signal: cancel.signal });
  leaving.catch(() => {});
  await waiters(services, 1);
  const next = client.lock("n", 3n);
  await waiters(services, 2);
  cancel.abort();
  await waiters(services, 1);
  await client.unlock("n/1");
  assert.equal(await next, "n/3");
});

test("LOCK-11, LOCK-15: when one of two calls that share a key is cancelled, the key goes, and the other fails at once", async (t) => {
  const { services, client, watch } = await contended(t);
  const cancel = new AbortController();
  const first = client.lock("n", 2n, { signal: cancel.signal });
  first.catch(() => {});
  await waiters(services, 1);
  const second = client.lock("n", 2n);
  await waiters(services, 2);
  cancel.abort();
  await rejectsAs(second, etcdTexts.mutexSessionExpired);
  assert.deepEqual(await events(watch, 2), ["n/2=@3", "-n/2@4"]);
  assert.equal((await client.get("n/1"))?.key, "n/1");
});

test("LOCK-16: a waiter whose lease is revoked fails at once, while the lock is still held", async (t) => {
  const { services, client } = await contended(t);
  const waiting = client.lock("n", 2n);
  await waiters(services, 1);
  await client.revoke(2n);
  await rejectsAs(waiting, etcdTexts.mutexSessionExpired);
  assert.deepEqual([await client.keys("n/"), services.replica.locks.waiterCount], [["n/1"], 0]);
});

test("F19, I4b, LOCK-16: a waiter whose lease expires fails at once, while the lock is still held", async (t) => {
  const { services, client } = await contended(t);
  await client.grant(9n, 5);
  const waiting = client.lock("n", 9n);
  await waiters(services, 1);
  services.time.advance(5_200);
  await rejectsAs(waiting, etcdTexts.mutexSessionExpired);
  assert.deepEqual(await client.keys("n/"), ["n/1"]);
});

test("F19, I7, LOCK-16: the end of the holder's lease hands the lock to the next, in the same revision", async (t) => {
  const { services, client } = await contended(t);
  const waiting = client.call(lockService.methods.lock, { name: byteString("n"), lease: 2n });
  await waiters(services, 1);
  await client.revoke(1n);
  const { header, key } = await waiting;
  assert.deepEqual([key, header?.revision, await client.revision()], ["n/2", 4, 4]);
});

test("LOCK-17: a key deleted and made again by the same lease is not the first caller's any more", async (t) => {
  const { services, client } = await contended(t);
  const first = client.lock("n", 2n);
  await waiters(services, 1);
  await client.delete("n/2");
  await rejectsAs(first, etcdTexts.mutexSessionExpired);
  const second = client.lock("n", 2n);
  await waiters(services, 1);
  await client.unlock("n/1");
  assert.equal(await second, "n/2");
});

test("F19, F22, LOCK-18: a holder that goes away keeps the lock until it unlocks or its lease ends", async (t) => {
  const { services, client } = await contended(t);
  const gone = await services.connect();
  await client.unlock("n/1");
  await gone.lock("n", 2n);
  gone.grpc.destroy();
  await until(() => services.grpc.connectionCount === 1);
  const waiting = client.lock("n", 3n);
  await waiters(services, 1);
  assert.deepEqual(await client.keys("n/"), ["n/2", "n/3"]);
  services.time.advance(60_200);
  // Both leases are due now; whoever's end is applied first decides between "expired" and held.
  await until(() => services.replica.machine.leaseCount === 0);
  await waiting.catch(() => {});
  assert.deepEqual(await client.keys("n/"), []);
});

/** Sends a lock of `lease`, cancels it when the server has it and has not answered, and lets the log go on then. */
async function cancelUnanswered({ services, log }: Contended, name: string, lease: bigint): Promise<void> {
  const other = await services.connect();
  const cancel = new AbortController();
  log.hold();
  const call = other.lock(name, lease, { signal: cancel.signal });
  await until(() => log.holds);
  const open = services.grpc.streamCount;
  cancel.abort();
  await assert.rejects(call, { code: StatusCode.cancelled });
  await until(() => services.grpc.streamCount === open - 1);
  log.release();
  await other.put("behind it");
  await until(() => services.replica.waitingProposals === 0);
}

test("LOCK-18: a repeated lock by the holder that is cancelled before it is answered removes nothing", async (t) => {
  const held = await contended(t);
  await cancelUnanswered(held, "n", 1n);
  assert.equal((await held.client.get("n/1"))?.createRevision, 2);
});

test("F24, LOCK-18: a first lock that is cancelled before it is answered leaves no key behind, free or not", async (t) => {
  const held = await contended(t);
  for (const name of ["free", "n"]) {
    await cancelUnanswered(held, name, 3n);
    assert.equal(await held.client.get(`${name}/3`), undefined);
  }
  assert.deepEqual(await held.client.keys("n/"), ["n/1"]);
  assert.equal(held.services.replica.locks.waiterCount, 0);
});

test("I4b, LOCK-11: a call whose key goes with a cancelled one of the same lease is not told that it holds", async (t) => {
  const { services, log, client } = await contended(t);
  const other = await services.connect();
  const cancel = new AbortController();
  log.hold();
  const cancelled = other.lock("free", 2n, { signal: cancel.signal });
  await until(() => log.holds);
  const open = services.grpc.streamCount;
  const second = client.lock("free", 2n);
  await until(() => services.grpc.streamCount === open + 1 && services.replica.waitingProposals === 2);
  cancel.abort();
  await assert.rejects(cancelled, { code: StatusCode.cancelled });
  await until(() => services.grpc.streamCount === open);
  log.release();
  await rejectsAs(second, etcdTexts.mutexSessionExpired);
  await until(() => services.replica.waitingProposals === 0);
  assert.deepEqual(await client.keys("free/"), []);
  assert.equal(await client.lock("free", 2n), "free/2");
});

test("F24, LOCK-15: a waiter is out of the queue in the moment it goes, before its key is", async (t) => {
  const { services, log, client } = await contended(t);
  const cancel = new AbortController();
  const waiting = client.lock("n", 2n, { signal: cancel.signal });
  waiting.catch(() => {});
  await waiters(services, 1);
  log.hold();
  cancel.abort();
  await until(() => log.holds);
  assert.deepEqual([services.replica.locks.waiterCount, await client.keys("n/")], [0, ["n/1", "n/2"]]);
  log.release();
  await until(() => services.replica.machine.get(byteString("n/2")) === undefined);
});

test("a lock that is on its way into the queue when the server stops is told so, and its key stays", async (t) => {
  const { services, log, client } = await contended(t);
  log.hold();
  const waiting = client.lock("n", 2n);
  await until(() => log.holds);
  services.context.openCalls.stop();
  log.release();
  await rejectsAs(waiting, etcdErrors.stopped);
  assert.deepEqual([services.replica.locks.waiterCount, await client.keys("n/")], [0, ["n/1", "n/2"]]);
});

test("LOCK-19: a wait does not depend on history: compaction cannot break it", async (t) => {
  const { services, client } = await contended(t);
  const waiting = client.lock("n", 2n);
  await waiters(services, 1);
  for (let i = 0; i < 5; i++) await client.put("elsewhere");
  await client.call(kvService.methods.compact, { revision: await client.revision(), physical: true });
  await client.unlock("n/1");
  assert.equal(await waiting, "n/2");
});

test("I4b: a waiter whose own key goes in the same transaction as the holder's is not told that it holds", async (t) => {
  const { services, client } = await contended(t);
  const doomed = client.lock("n", 2n);
  await waiters(services, 1);
  const next = client.lock("n", 3n);
  await waiters(services, 2);
  assert.equal(await client.delete("n/1", "n/3"), 2);
  await rejectsAs(doomed, etcdTexts.mutexSessionExpired);
  assert.equal(await next, "n/3");
});

test("I5: a holder of the past cannot write where the transaction compares its create revision", async (t) => {
  const { client } = await contended(t);
  const token = (await client.get("n/1"))!.createRevision;
  const write = (key: string, createRevision: number, value: string): Promise<boolean> => {
    const target = CompareTarget.CREATE;
    const compare = [createCompare({ key: byteString(key), target, result: CompareResult.EQUAL, createRevision })];
    return client
      .call(kvService.methods.txn, { compare, success: [putOp("resource", value)] })
      .then(({ succeeded }) => succeeded);
  };
  assert.equal(await write("n/1", token, "first"), true);
  // The first holder pauses; its lease ends, another holds, and then even the same lease id holds again.
  await client.revoke(1n);
  await client.lock("n", 2n);
  assert.equal(await write("n/1", token, "late"), false);
  await client.unlock("n/2");
  await client.grant(1n);
  await client.lock("n", 1n);
  assert.equal(await write("n/1", token, "late"), false);
  const newToken = (await client.get("n/1"))!.createRevision;
  assert.ok(newToken > token);
  assert.equal(await write("n/1", newToken, "second"), true);
});
