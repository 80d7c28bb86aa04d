import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type LeaseKeepAliveRequest, type LeaseKeepAliveResponse, leaseService } from "@holdfast/protocol";
import { GatedLog } from "../testing/gated-log.js";
import { Services, until } from "../testing/services.js";
import type { TestClient } from "../testing/test-client.js";
import { start } from "../testing/test-server.js";
import type { TestStream } from "../testing/test-stream.js";

type KeepAlive = TestStream<LeaseKeepAliveRequest, LeaseKeepAliveResponse>;

function keepAlive(client: TestClient): KeepAlive {
  return client.open(leaseService.methods.leaseKeepAlive);
}

/** The next answers as [id, TTL]. */
async function answers(stream: KeepAlive, count: number): Promise<Array<[bigint, number]>> {
  return (await stream.take(count)).map(({ id, ttl }) => [id, ttl]);
}

interface Pending {
  readonly services: Services;
  readonly client: TestClient;
  /** Holds the end of lease 1 until it is released. */
  readonly log: GatedLog;
}

/** Services on which the end of lease 1 (2 s), and of `key` with it, has been proposed; leases 2 and 3 live on. */
async function endPending(t: TestContext, key?: string): Promise<Pending> {
  const log = await GatedLog.open();
  const services = await Services.start(t, { log });
  const client = await services.connect();
  await client.grant(1n, 2);
  for (const id of [2n, 3n]) await client.grant(id, 60);
  if (key !== undefined) await client.put(key, "", 1n);
  log.hold();
  services.time.advance(2_300);
  await until(() => log.holds);
  return { services, client, log };
}

test("LEASE-17, LEASE-18: every request is answered in order with its id and the granted TTL, without a revision", async (t) => {
  const { client, server } = await start(t);
  for (const [id, ttl] of [
    [1n, 60],
    [2n, 70],
    [-3n, 80],
  ] as const)
    await client.grant(id, ttl);
  await client.put("a");
  const stream = keepAlive(client);
  for (const id of [2n, 1n, -3n, 2n, 2n]) stream.send({ id });
  const received = await stream.take(5);
  assert.deepEqual(
    received.map(({ id, ttl }) => [id, ttl]),
    [
      [2n, 70],
      [1n, 60],
      [-3n, 80],
      [2n, 70],
      [2n, 70],
    ],
  );
  const { clusterId, memberId } = server.running;
  assert.deepEqual(received[0]?.header, { clusterId, memberId, revision: 2, raftTerm: 1 });
});

test("LEASE-18: a renewed lease lives its whole TTL from then on", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  await client.grant(1n, 2);
  const stream = keepAlive(client);
  for (let round = 0; round < 5; round++) {
    services.time.advance(1_500);
    stream.send({ id: 1n });
    assert.deepEqual(await answers(stream, 1), [[1n, 2]]);
  }
  services.time.advance(2_300);
  stream.send({ id: 1n });
  assert.deepEqual(await answers(stream, 1), [[1n, 0]]);
});

test("LEASE-19: an unknown, revoked, expired or zero id is answered with TTL 0, and the stream goes on", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  await client.grant(1n, 60);
  await client.grant(2n, 60);
  await client.revoke(2n);
  await client.grant(3n, 2);
  services.time.advance(2_300);
  await until(() => services.replica.machine.lease(3n) === undefined);
  const stream = keepAlive(client);
  for (const id of [99n, 2n, 3n, 0n, 1n]) stream.send({ id });
  assert.deepEqual(await answers(stream, 5), [
    [99n, 0],
    [2n, 0],
    [3n, 0],
    [0n, 0],
    [1n, 60],
  ]);
});

test("LEASE-20, LEASE-21: a renewal that comes after the end was proposed waits for it, answers 0, and holds up those behind it", async (t) => {
  const { services, client, log } = await endPending(t);
  const stream = keepAlive(client);
  for (const id of [2n, 1n, 3n, 1n]) stream.send({ id });
  assert.deepEqual(await answers(stream, 1), [[2n, 60]]);
  // Another stream is not held up.
  const other = keepAlive(client);
  other.send({ id: 3n });
  assert.deepEqual(await answers(other, 1), [[3n, 60]]);
  assert.notEqual(services.replica.machine.lease(1n), undefined);
  assert.equal(stream.waiting, 0);
  log.release();
  assert.deepEqual(await answers(stream, 3), [
    [1n, 0],
    [3n, 60],
    [1n, 0],
  ]);
});

test("LEASE-23: the header shows the revision from before the renewal, also when that had to wait for the end", async (t) => {
  const { client, log } = await endPending(t, "k");
  const stream = keepAlive(client);
  for (const id of [2n, 1n, 3n]) stream.send({ id });
  const [before] = await stream.take(1);
  log.release();
  const [ended, after] = await stream.take(2);
  assert.deepEqual(
    [before, ended, after].map((answer) => answer?.header?.revision),
    [2, 2, 3],
  );
});

test("LEASE-22: after a half-close what was asked is still answered, then the stream ends well", async (t) => {
  const { client, server } = await start(t);
  await client.grant(1n, 60);
  const stream = keepAlive(client);
  for (let i = 0; i < 100; i++) stream.send({ id: 1n });
  stream.call.halfClose();
  const { responses, status } = await stream.drain();
  assert.deepEqual([responses.length, status.code], [100, 0]);
  const silent = keepAlive(client);
  silent.call.halfClose();
  assert.equal((await silent.ended()).code, 0);
  await server.stop();
});

test("LEASE-22: a half-close also waits for a pending end", async (t) => {
  const { services, client, log } = await endPending(t);
  const stream = keepAlive(client);
  stream.send({ id: 1n });
  stream.send({ id: 2n });
  stream.call.halfClose();
  const other = keepAlive(client);
  other.send({ id: 2n });
  await other.next();
  log.release();
  const { responses, status } = await stream.drain();
  assert.deepEqual(
    [responses.map(({ id, ttl }) => [id, ttl]), status.code],
    [
      [
        [1n, 0],
        [2n, 60],
      ],
      0,
    ],
  );
  assert.equal(services.context.openCalls.size, 1);
});

test("LEASE-20: a client that goes away while its renewal waits leaves nothing behind", async (t) => {
  const { services, client, log } = await endPending(t);
  const stream = keepAlive(client);
  stream.send({ id: 2n });
  stream.send({ id: 1n });
  await stream.next();
  stream.call.cancel();
  await until(() => services.context.openCalls.size === 0);
  log.release();
  await until(() => services.replica.machine.lease(1n) === undefined);
  await client.put("a");
});

test("F22, LEASE-25: a keepalive on another connection, right after the grant was answered, finds the lease", async (t) => {
  const { client, server } = await start(t);
  const stream = keepAlive(await server.connect());
  for (let id = 1n; id <= 50n; id++) {
    await client.grant(id, 60);
    stream.send({ id });
    assert.deepEqual(await answers(stream, 1), [[id, 60]]);
  }
});

test("F16, LIMIT keepAliveUnsentBytes: a client whose answers wait may send no more than the limit and one window; all is answered once it reads", async (t) => {
  const requests = 100_000;
  const services = await Services.start(t, { serviceLimits: { keepAlivesWaiting: 10 } });
  const client = await services.connect();
  await client.grant(1n, 60);
  const stream = keepAlive(client);
  stream.call.pause();
  for (let i = 0; i < requests; i++) stream.send({ id: 1n });
  stream.call.halfClose();
  await until(() => services.streams[0]?.congested === true);
  // Another call is served although this one stands still.
  await client.put("a");
  const held = services.streams[0]!.unsentBytes;
  await client.put("a");
  assert.equal(services.streams[0]?.unsentBytes, held);
  stream.call.resume();
  const { responses, status } = await stream.drain();
  assert.deepEqual([responses.length, status.code], [requests, 0]);
  assert.ok(responses.every(({ id, ttl }) => id === 1n && ttl === 60));
});

test("F16, LEASE-21, LIMIT keepAlivesWaiting: keepalives behind a pending end are held within the limit and answered in order afterwards", async (t) => {
  const { services, client, log } = await endPending(t);
  const stream = keepAlive(client);
  stream.send({ id: 1n });
  for (let i = 0; i < 5_000; i++) stream.send({ id: 2n });
  await client.range("a");
  log.release();
  const received = await stream.take(5_001);
  assert.deepEqual([received[0]?.ttl, received.slice(1).every(({ ttl }) => ttl === 60)], [0, true]);
  assert.equal(services.context.openCalls.size, 1);
});
