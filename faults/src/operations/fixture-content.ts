/**
 * What the kept data folders hold, one for each format that was ever released: written once by `make-fixture.js` with the
 * program of that time, read by every later program (`upgrade.ts`). Never to be changed for a format that is kept.
 */
import {
  authService,
  byteStringFromText,
  createPutRequest,
  createRequestOp,
  kvService,
  leaseService,
  maintenanceService,
  PermissionType,
} from "@holdfast/protocol";
import type { Client } from "../client.js";

const key = byteStringFromText;
const { put, deleteRange, txn, compact, range } = kvService.methods;
const { leaseGrant, leaseTimeToLive } = leaseService.methods;

export const everything = { key: key("\0"), rangeEnd: key("\0") };
export const leaseId = 7_777_777_777_777_777_777n;
export const leaseTtlSeconds = 1_000_000;

/** The first format. `count` keys, some versions each, deletes, a lease, a user, and a snapshot in the middle. */
export async function writeContent(client: Client): Promise<void> {
  await client.must(leaseGrant, { id: leaseId, ttl: leaseTtlSeconds });
  for (let number = 0; number < 40; number++) {
    const value = Buffer.from(`value ${number}`);
    await client.must(put, { key: key(`k/${number % 25}`), value, lease: number % 5 === 0 ? leaseId : 0n });
  }
  await client.must(put, { key: key("__proto__"), value: Buffer.from([0, 255, 128]) });
  await client.must(put, { key: "\0\xff" as ReturnType<typeof key>, value: Buffer.alloc(0) });
  await client.must(deleteRange, { key: key("k/1"), rangeEnd: key("k/12") });
  await client.must(authService.methods.roleAdd, { name: "reader" });
  await client.must(authService.methods.roleGrantPermission, {
    name: "reader",
    perm: { permType: PermissionType.READ, key: key("k/"), rangeEnd: key("k0") },
  });
  await client.must(authService.methods.userAdd, { name: "alice", password: "wonderland", options: undefined });
  await client.must(authService.methods.userGrantRole, { user: "alice", role: "reader" });
  const { header } = await client.must(range, everything);
  await client.must(compact, { revision: (header?.revision ?? 0) - 20 });
  // A snapshot; what follows is in the log only.
  await client.must(maintenanceService.methods.defragment);
  const nested = createRequestOp({
    requestTxn: {
      compare: [],
      success: [createRequestOp({ requestPut: createPutRequest({ key: key("nested"), value: Buffer.from("deep") }) })],
      failure: [],
    },
  });
  await client.must(txn, { compare: [], success: [nested], failure: [] });
  for (let number = 0; number < 10; number++)
    await client.must(put, { key: key(`late/${number}`), value: Buffer.from(`late ${number}`) });
}

/** All that a client can see of it, as plain data that can be kept as JSON. */
export async function describeContent(client: Client): Promise<unknown> {
  const { kvs, header } = await client.must(range, everything);
  const revision = header?.revision ?? 0;
  const hash = await client.must(maintenanceService.methods.hashKv, { revision });
  const lease = await client.must(leaseTimeToLive, { id: leaseId, keys: true });
  const user = await client.must(authService.methods.userGet, { name: "alice" });
  const role = await client.must(authService.methods.roleGet, { role: "reader" });
  const older = await client.must(range, { ...everything, revision: revision - 8 });
  return {
    revision,
    compactRevision: hash.compactRevision,
    hash: hash.hash,
    keys: kvs.map((kv) => [
      Buffer.from(kv.key, "latin1").toString("hex"),
      Buffer.from(kv.value).toString("hex"),
      kv.createRevision,
      kv.modRevision,
      kv.version,
      String(kv.lease),
    ]),
    olderKeys: older.kvs.length,
    lease: { grantedTtl: lease.grantedTtl, keys: lease.keys.length },
    user: user.roles,
    role: role.perm.map(({ permType, key: from, rangeEnd }) => [permType, from, rangeEnd]),
  };
}
