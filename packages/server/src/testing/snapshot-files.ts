/** Stores with something of everything, their snapshots as files, and what a store holds, for comparing. */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  AlarmAction,
  AlarmType,
  authService,
  createWatchCreateRequest,
  leaseService,
  maintenanceService,
  type SnapshotResponse,
} from "@holdfast/protocol";
import { addUser } from "./secured.js";
import { temporaryFolder } from "./temporary-folder.js";
import { byteString, show, showEvents, type TestClient } from "./test-client.js";
import { openWatch } from "./watching.js";

/** Fills an empty store: a compacted history with old and deleted keys, leases, users and roles, an alarm. Authentication stays off. */
export async function fillStore(client: TestClient): Promise<void> {
  await client.grant(7n, 600);
  await client.grant(-8n, 1_000);
  for (let n = 0; n < 10; n++) await client.put(`k${n}`, `first ${n}`);
  await client.put("bin\0\xff", "\0\x01");
  await client.delete("k3");
  await client.compact(await client.revision());
  await client.put("k1", "second", 7n);
  await client.put("leased", "", -8n);
  await client.delete("k2");
  await client.put("k3", "again");
  await client.put("long", "x".repeat(200_000));
  await addUser(client, "root", []);
  await addUser(client, "ann", [["rw", "k", "l"]]);
  await client.call(maintenanceService.methods.alarm, {
    action: AlarmAction.ACTIVATE,
    alarm: AlarmType.CORRUPT,
    memberId: 3n,
  });
}

/** Everything that a client can see of a store but its ids and its term, in lines. */
export async function showStore(client: TestClient): Promise<string[]> {
  const { kvs } = await client.range("\0", { rangeEnd: byteString("\0") });
  const { leases } = await client.call(leaseService.methods.leaseLeases);
  const { users } = await client.call(authService.methods.userList);
  const { roles } = await client.call(authService.methods.roleList);
  const { enabled, authRevision } = await client.call(authService.methods.authStatus);
  const { alarms } = await client.call(maintenanceService.methods.alarm);
  const ids = leases.map(({ id }) => id).sort();
  return [
    `revision ${await client.revision()}`,
    ...kvs.map((kv) => `${show(kv)} lease ${kv.lease}`),
    ...(await Promise.all(ids.map((id) => showLease(client, id)))),
    ...(await history(client)),
    `users ${users}, roles ${roles}, auth ${enabled} ${authRevision}`,
    ...alarms.map(({ alarm, memberId }) => `alarm ${alarm} of ${memberId}`),
  ];
}

async function showLease(client: TestClient, id: bigint): Promise<string> {
  const { grantedTtl, keys } = await client.call(leaseService.methods.leaseTimeToLive, { id, keys: true });
  return `lease ${id} ${grantedTtl} s on ${[...keys].sort()}`;
}

/** Every event from the compacted revision on, whose number comes first. */
async function history(client: TestClient): Promise<string[]> {
  const stream = openWatch(client);
  const all = { key: byteString("\0"), rangeEnd: byteString("\0"), prevKv: true };
  stream.send({ createRequest: createWatchCreateRequest({ ...all, startRevision: 1 }) });
  await stream.next();
  const { compactRevision } = await stream.next();
  const last = await client.revision();
  stream.send({ createRequest: createWatchCreateRequest({ ...all, startRevision: compactRevision }) });
  const lines = [`compacted at ${compactRevision}`];
  for (let seen = 0; seen < last; ) {
    const response = await stream.next();
    lines.push(...showEvents(response).map((event) => `event ${event}`));
    seen = response.events.at(-1)?.kv?.modRevision ?? 0;
  }
  stream.call.cancel();
  return lines;
}

/** All messages of a Snapshot call. */
export async function takeSnapshot(client: TestClient): Promise<SnapshotResponse[]> {
  const { responses, status } = await client.stream(maintenanceService.methods.snapshot).drain();
  if (status.code !== 0) throw new Error(status.message);
  return responses;
}

/** Saves a snapshot as a file, digest included, as etcdctl does. Returns its path. */
export async function saveSnapshot(client: TestClient): Promise<string> {
  const messages = await takeSnapshot(client);
  return writeSnapshot(Buffer.concat(messages.map(({ blob }) => blob)));
}

export function writeSnapshot(bytes: Uint8Array): string {
  const file = join(temporaryFolder(), "snapshot.db");
  writeFileSync(file, bytes);
  return file;
}

/** `content` with its digest behind it: what damage looks like that was done before the file was sealed. */
export function sealed(content: Uint8Array): Buffer {
  return Buffer.concat([content, createHash("sha256").update(content).digest()]);
}
