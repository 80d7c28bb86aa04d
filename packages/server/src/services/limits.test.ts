/** Fault-model section 6: the limits of the services, each reached, counted and let go of again. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  createCompare,
  createPutRequest,
  createRequestOp,
  etcdErrors,
  kvService,
  leaseService,
  type TxnRequest,
} from "@holdfast/protocol";
import { defaultReplicaLimits } from "@holdfast/replica";
import { leaseTtlSecondsMax } from "@holdfast/state-machine";
import { defaultServiceLimits } from "../limits.js";
import { GatedLog } from "../testing/gated-log.js";
import { Services, type ServicesOptions, until } from "../testing/services.js";
import { rejectsAs, rejectsAsUnknown } from "../testing/status-error.js";
import { byteString, type TestClient } from "../testing/test-client.js";
import { create, openWatch, sendCreate } from "../testing/watching.js";
import type { CountedLimit } from "./limit-hits.js";

const tooMany = etcdErrors.requestTooManyRequests;

async function started(t: TestContext, options: ServicesOptions): Promise<{ services: Services; client: TestClient }> {
  const services = await Services.start(t, options);
  return { services, client: await services.connect() };
}

function hits({ context }: Services, limit: CountedLimit): number {
  return context.limitHits.of(limit);
}

function puts(...pairs: readonly (readonly [key: string, lease: bigint])[]): Partial<TxnRequest> {
  return {
    success: pairs.map(([key, lease]) =>
      createRequestOp({ requestPut: createPutRequest({ key: byteString(key), lease }) }),
    ),
  };
}

test("LIMIT leasesTotal: one lease more is refused, by Grant, Lock and Campaign, until one has ended", async (t) => {
  const { services, client } = await started(t, { serviceLimits: { leasesTotal: 2 } });
  await client.grant(1n);
  await client.grant(2n);
  await rejectsAs(client.grant(3n), tooMany);
  await rejectsAs(client.grant(2n), etcdErrors.leaseExist);
  await rejectsAsUnknown(client.lock("n", 0n), tooMany);
  assert.deepEqual([hits(services, "leasesTotal"), services.replica.machine.leaseCount], [2, 2]);
  await client.revoke(1n);
  await client.grant(3n);
  assert.equal(defaultServiceLimits.leasesTotal, 1_000_000);
});

test("F14, LIMIT keysPerLease: one key more is refused, in transactions too, and those it has can be put again", async (t) => {
  const { services, client } = await started(t, { serviceLimits: { keysPerLease: 2 } });
  await client.grant(1n);
  await client.grant(2n);
  await client.put("a", "", 1n);
  await rejectsAs(client.call(kvService.methods.txn, puts(["b", 1n], ["c", 1n])), tooMany);
  await client.call(kvService.methods.txn, puts(["b", 1n], ["c", 2n], ["d", 0n], ["x", 2n]));
  await rejectsAs(client.put("e", "", 1n), tooMany);
  await rejectsAsUnknown(client.lock("n", 1n), tooMany);
  await client.put("a", "again", 1n);
  await rejectsAs(client.put("e", "", 9n), etcdErrors.leaseNotFound);
  assert.equal(hits(services, "keysPerLease"), 3);
  await client.delete("a");
  await client.put("e", "", 1n);
  assert.deepEqual([...(services.replica.machine.lease(1n)?.keys ?? [])].sort(), ["b", "e"]);
  assert.equal(defaultServiceLimits.keysPerLease, 100_000);
});

test("F14, LIMIT keysPerLease: nested transactions are looked into", async (t) => {
  const { client } = await started(t, { serviceLimits: { keysPerLease: 1 } });
  await client.grant(1n);
  const inner = { compare: [createCompare()], failure: [], ...puts(["b", 1n]) } as TxnRequest;
  const outer = { success: [...(puts(["a", 1n]).success ?? []), createRequestOp({ requestTxn: inner })] };
  await rejectsAs(client.call(kvService.methods.txn, outer), tooMany);
});

test("F15, LIMIT leaseTtlMinSeconds: a shorter lifetime is raised, one beyond the longest refused", async (t) => {
  const { client } = await started(t, { serviceLimits: { leaseTtlMinSeconds: 5 } });
  const grant = (ttl: number): Promise<{ ttl: number }> =>
    client.call(leaseService.methods.leaseGrant, { id: 0n, ttl });
  assert.deepEqual([(await grant(1)).ttl, (await grant(-7)).ttl, (await grant(6)).ttl], [5, 5, 6]);
  assert.equal((await grant(leaseTtlSecondsMax)).ttl, 9_000_000_000);
  await rejectsAs(grant(leaseTtlSecondsMax + 1), etcdErrors.leaseTtlTooLarge);
  assert.equal(defaultServiceLimits.leaseTtlMinSeconds, 2);
});

test("LIMIT transactionOperations: one operation more is refused, in any of the three lists", async (t) => {
  const { services, client } = await started(t, { serviceLimits: { transactionOperations: 2 } });
  const { success = [] } = puts(["a", 0n], ["b", 0n], ["c", 0n]);
  const compare = Array.from({ length: 3 }, () => createCompare({ key: byteString("a") }));
  const txn = kvService.methods.txn;
  for (const request of [{ success }, { failure: success }, { compare }])
    await rejectsAs(client.call(txn, request), etcdErrors.tooManyOps);
  assert.equal(hits(services, "transactionOperations"), 3);
  await client.call(txn, { success: success.slice(1), failure: success.slice(1), compare: compare.slice(1) });
});

test("LIMIT requestBytes: a request of more is refused, whatever it asks", async (t) => {
  const { services, client } = await started(t, { serviceLimits: { requestBytes: 300 } });
  await client.put("a", "x".repeat(270));
  await rejectsAs(client.put("a", "x".repeat(290)), etcdErrors.requestTooLarge);
  await rejectsAsUnknown(client.lock("n".repeat(290), 0n), etcdErrors.requestTooLarge);
  assert.ok(hits(services, "requestBytes") >= 2);
});

test("F8, LIMIT waitingProposals: while the log is busy, one more is refused as certainly not done", async (t) => {
  await fillQueue(t, { waitingProposals: 3 }, "", (services) => services.replica.refusedForCount);
  assert.ok(defaultReplicaLimits.waitingProposals >= 5_000);
});

test("F8, LIMIT waitingBytes: while the log is busy, more bytes are refused as certainly not done", async (t) => {
  const bytesOf3 = { waitingBytes: 3 * 110 };
  await fillQueue(t, bytesOf3, "x".repeat(100), (services) => services.replica.refusedForBytes);
  assert.equal(defaultReplicaLimits.waitingBytes, 64 * 1024 * 1024);
});

/** Three puts fit. */
async function fillQueue(
  t: TestContext,
  replicaLimits: ServicesOptions["replicaLimits"] & object,
  value: string,
  refusedOf: (services: Services) => number,
): Promise<void> {
  const log = await GatedLog.open();
  const { services, client } = await started(t, { log, replicaLimits });
  log.hold();
  const accepted = ["a", "b", "c"].map((key) => client.put(key, value));
  await until(() => services.replica.waitingProposals === 3);
  await rejectsAs(client.put("d", value), tooMany);
  assert.equal(refusedOf(services), 1);
  log.release();
  await Promise.all(accepted);
  assert.deepEqual(await client.keys(""), ["a", "b", "c"]);
  await client.put("d", value);
}

test("F16, LIMIT watchersPerConnection: one more on any stream of a connection is refused, on another it is not", async (t) => {
  const { services, client } = await started(t, { serviceLimits: { watchersPerConnection: 3 } });
  const [first, second] = [openWatch(client), openWatch(client)];
  await create(first, "a");
  await create(first, "a");
  await create(second, "a");
  assert.equal(await refusal(second), "too many watchers on one connection");
  assert.equal(hits(services, "watchersPerConnection"), 1);
  const other = await services.connect();
  await create(openWatch(other), "a");
  first.call.cancel();
  await until(() => services.context.watchers.total === 2);
  await create(second, "a");
});

test("F16, LIMIT watchersTotal: one more on any connection is refused; streams and connections that end make room", async (t) => {
  const { services, client } = await started(t, { serviceLimits: { watchersTotal: 3 } });
  const other = await services.connect();
  const streams = [openWatch(client), openWatch(client), openWatch(other)];
  for (const stream of streams) await create(stream, "a");
  assert.equal(await refusal(streams[0] as (typeof streams)[number]), "too many watchers");
  assert.equal(hits(services, "watchersTotal"), 1);
  other.grpc.destroy();
  await until(() => services.context.watchers.connections === 1);
  await create(streams[0] as (typeof streams)[number], "a");
  client.grpc.destroy();
  await until(() => services.context.watchers.total === 0);
  assert.equal(services.context.watchers.connections, 0);
  assert.equal(defaultServiceLimits.watchersTotal, 1_000_000);
});

async function refusal(stream: ReturnType<typeof openWatch>): Promise<string> {
  sendCreate(stream, "a");
  const { canceled, cancelReason } = await stream.next();
  assert.equal(canceled, true);
  return cancelReason;
}
