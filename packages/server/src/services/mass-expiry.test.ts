import assert from "node:assert/strict";
import { test } from "node:test";
import { leaseService } from "@holdfast/protocol";
import { Services } from "../testing/services.js";
import { byteString } from "../testing/test-client.js";

const leases = 10_000;

test("F14, LEASE-12: 10,000 leases that are due together end in a revision each, and one watcher sees every key go", async (t) => {
  const services = await Services.start(t);
  const client = await services.connect();
  const ids = Array.from({ length: leases }, (_, i) => BigInt(i + 1));
  await Promise.all(ids.map((id) => client.grant(id, 60)));
  await Promise.all(ids.map((id) => client.put(`k${id}`, "", id)));
  const revision = leases + 1;
  assert.equal(await client.revision(), revision);
  const watch = await client.watch({ key: byteString("k"), rangeEnd: byteString("l") });
  services.time.advance(60_200);
  const deleted = new Map<string, number>();
  while (deleted.size < leases) {
    const { events } = await watch.next();
    for (const { type, kv } of events) {
      assert.equal(type, 1);
      assert.equal(deleted.has(kv!.key), false, `${kv!.key} went twice`);
      deleted.set(kv!.key, kv!.modRevision);
    }
  }
  // In revision order, one key each, none left out.
  const revisions = [...deleted.values()];
  assert.deepEqual(
    revisions,
    ids.map((id) => revision + Number(id)),
  );
  assert.deepEqual([services.replica.machine.leaseCount, services.replica.machine.keyCount], [0, 0]);
  assert.deepEqual((await client.call(leaseService.methods.leaseLeases)).leases, []);
});

test("F14, I12: keepalives and writes are served between the slices of a mass expiry", async (t) => {
  const services = await Services.start(t, { replicaLimits: { expirySlice: 10 } });
  const client = await services.connect();
  const ids = Array.from({ length: 1_000 }, (_, i) => BigInt(i + 1));
  await Promise.all(ids.map((id) => client.grant(id, 2)));
  await client.grant(5_000n, 60);
  const keepAlive = client.open(leaseService.methods.leaseKeepAlive);
  keepAlive.send({ id: 5_000n });
  await keepAlive.next();
  services.time.advance(2_200);
  // Sent while all thousand are due; answered before the last of them has ended.
  keepAlive.send({ id: 5_000n });
  assert.equal((await keepAlive.next()).ttl, 60);
  assert.ok(services.replica.machine.leaseCount > 1, `${services.replica.machine.leaseCount} leases left`);
  await client.put("a", "", 5_000n);
  keepAlive.send({ id: 1_000n });
  assert.equal((await keepAlive.next()).ttl, 0);
  assert.equal(services.replica.machine.leaseCount, 1);
});
