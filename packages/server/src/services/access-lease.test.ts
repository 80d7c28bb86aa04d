import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AlarmAction,
  AlarmType,
  authService,
  etcdErrors,
  type LeaseKeepAliveRequest,
  type LeaseKeepAliveResponse,
  leaseService,
  maintenanceService,
} from "@holdfast/protocol";
import { type Secured, startSecured } from "../testing/secured.js";
import { rejectsAs, StatusError } from "../testing/status-error.js";
import type { TestClient } from "../testing/test-client.js";
import type { TestStream } from "../testing/test-stream.js";

const leases = leaseService.methods;
const auth = authService.methods;

type KeepAlive = TestStream<LeaseKeepAliveRequest, LeaseKeepAliveResponse>;

function renew(stream: KeepAlive, id: bigint): Promise<LeaseKeepAliveResponse> {
  stream.send({ id });
  return stream.next();
}

/** Lease 1 with a key that ann may write, lease 2 with one that only root may. */
async function twoLeases(t: Parameters<typeof startSecured>[0]): Promise<Secured & { readonly ann: TestClient }> {
  const secured = await startSecured(t, { ann: [["rw", "a", "b"]] });
  const ann = await secured.as("ann");
  for (const id of [1n, 2n]) await secured.root.grant(id);
  await ann.put("a", "", 1n);
  await secured.root.put("z", "", 2n);
  return { ...secured, ann };
}

test("AUTH-20: revoking, renewing and looking through a lease takes the rights for its keys", async (t) => {
  const { ann, root } = await twoLeases(t);
  await rejectsAs(ann.revoke(2n), etcdErrors.permissionDenied);
  await rejectsAs(ann.call(leases.leaseTimeToLive, { id: 2n, keys: true }), etcdErrors.permissionDenied);
  assert.equal((await ann.call(leases.leaseTimeToLive, { id: 2n })).grantedTtl, 600);
  assert.deepEqual((await ann.call(leases.leaseTimeToLive, { id: 1n, keys: true })).keys, ["a"]);
  await rejectsAs(ann.call(leases.leaseLeases), etcdErrors.permissionDenied);
  await rejectsAs(ann.put("a", "", 2n), etcdErrors.permissionDenied);
  await root.revoke(2n);
  assert.equal((await ann.call(leases.leaseLeases)).leases.length, 1);
  await ann.revoke(1n);
});

test("LEASE-24: a renewal without the right ends the stream", async (t) => {
  const { ann } = await twoLeases(t);
  const stream = ann.open(leases.leaseKeepAlive);
  assert.equal((await renew(stream, 1n)).ttl, 600);
  await rejectsAs(renew(stream, 2n), etcdErrors.permissionDenied);
});

test("LEASE-24: each renewal is checked anew: for its token, and for the rights of the moment", async (t) => {
  const { ann, root, anonymous, services, as } = await twoLeases(t);
  await rejectsAs(renew(anonymous.open(leases.leaseKeepAlive), 1n), etcdErrors.userEmpty);
  const stream = ann.open(leases.leaseKeepAlive);
  await renew(stream, 1n);
  await root.call(auth.userChangePassword, { name: "ann", password: "ann" });
  await rejectsAs(renew(stream, 1n), etcdErrors.invalidAuthToken);
  const again = (await as("ann")).open(leases.leaseKeepAlive);
  await renew(again, 1n);
  await root.call(auth.userRevokeRole, { name: "ann", role: "ann" });
  await rejectsAs(renew(again, 1n), etcdErrors.permissionDenied);
  assert.equal(services.context.openCalls.size, 0);
});

test("AUTH-9: renewing a lease keeps the token alive", async (t) => {
  const { ann, services } = await twoLeases(t);
  const stream = ann.open(leases.leaseKeepAlive);
  for (let i = 0; i < 4; i++) {
    services.time.advance(200_000);
    assert.ok((await renew(stream, 1n)).ttl > 0);
  }
});

test("AUTH-21: a lease that ends by itself deletes its keys, whoever may", async (t) => {
  const { root, services, as } = await twoLeases(t);
  await root.revoke(1n);
  services.time.advance(700_000);
  const root2 = await as("root");
  assert.deepEqual(await root2.keys(""), []);
});

test("LEASE-17: answers to renewals before the refused one arrive", async (t) => {
  const { ann } = await twoLeases(t);
  const stream = ann.open(leases.leaseKeepAlive);
  for (const id of [1n, 1n, 2n, 1n]) stream.send({ id });
  const { responses, status } = await stream.drain();
  assert.deepEqual([responses.length, new StatusError(status).text], [2, etcdErrors.permissionDenied.wireMessage]);
});

test("ORD-1: who did not log in is told so before alarms are looked at, of grants and revocations", async (t) => {
  const { anonymous, root, ann } = await twoLeases(t);
  const raise = (alarm: number): Promise<unknown> =>
    root.call(maintenanceService.methods.alarm, { action: AlarmAction.ACTIVATE, alarm });
  await raise(AlarmType.NOSPACE);
  await rejectsAs(anonymous.grant(3n), etcdErrors.userEmpty);
  await rejectsAs(ann.grant(3n), etcdErrors.noSpace);
  await raise(AlarmType.CORRUPT);
  await rejectsAs(anonymous.grant(3n), etcdErrors.userEmpty);
  await rejectsAs(anonymous.revoke(1n), etcdErrors.userEmpty);
  await rejectsAs(ann.revoke(2n), etcdErrors.corrupt);
});
