/**
 * What grows with the number of waiters and leases, measured on Holdfast alone: the rate of lock hand-overs, the time
 * in which many leases expire together, and the longest turn of the server's event loop meanwhile.
 */

import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  createLeaseGrantRequest,
  createLeaseKeepAliveRequest,
  createLockRequest,
  createPutRequest,
  createUnlockRequest,
  createWatchCreateRequest,
  createWatchRequest,
  kvService,
  leaseService,
  lockService,
  watchService,
} from "@holdfast/protocol";
import { GrpcClient } from "@holdfast/transport";
import { readable, table } from "./figures.mjs";

/** Below the server's limit of concurrent streams per connection. */
const callsPerConnection = 900;
const leaseTtlSeconds = 5;

/** Measures hand-overs with each number of waiters and one mass expiry; `folderOf` names an empty data folder. */
export async function measureScale(folderOf, { waiters, leases }) {
  const handOvers = [];
  for (const count of waiters) handOvers.push(await onServer(folderOf(), (server) => measureHandOvers(server, count)));
  const expiry = await onServer(folderOf(), (server) => measureExpiry(server, leases));
  return { handOvers, expiry };
}

export function scaleTable({ handOvers, expiry }) {
  const rows = handOvers.map(({ waiters, perSecond, longestTurnMs }) => [
    `lock hand-over, ${readable(waiters)} waiters`,
    `${readable(perSecond)}/s`,
    longestTurnMs.toFixed(1),
  ]);
  const { leases, spreadMs, longestTurnMs } = expiry;
  rows.push([
    `${readable(leases)} leases expire together`,
    `within ${readable(spreadMs)} ms`,
    longestTurnMs.toFixed(1),
  ]);
  return table(["scale (Holdfast alone)", "result", "longest turn, ms"], rows);
}

async function onServer(folder, measure) {
  const child = fork(fileURLToPath(new URL("scale-server.mjs", import.meta.url)), [folder]);
  const [{ endpoint }] = await once(child, "message");
  const [host, port] = endpoint.split(":");
  const server = { child, connect: () => GrpcClient.connect({ host, port: Number(port) }) };
  try {
    return await measure(server);
  } finally {
    child.disconnect();
    await once(child, "exit");
  }
}

async function longestTurnMs({ child }) {
  child.send("read");
  return (await once(child, "message"))[0].longestTurnMs;
}

/** All waiters queue on one lock; each unlocks as soon as it holds. */
async function measureHandOvers(server, waiters) {
  const clients = await Promise.all(
    Array.from({ length: Math.ceil(waiters / callsPerConnection) }, () => server.connect()),
  );
  const clientOf = (number) => clients[number % clients.length];
  const name = "contended";
  const leases = await grantMany(clients[0], waiters + 1, 600);
  const first = await call(clients[0], lockService.methods.lock, createLockRequest({ name, lease: leases[0] }));
  const order = [];
  const waiting = leases.slice(1).map(async (lease, number) => {
    const { key } = await call(clientOf(number), lockService.methods.lock, createLockRequest({ name, lease }));
    order.push(lease);
    await call(clientOf(number), lockService.methods.unlock, createUnlockRequest({ key }));
  });
  await untilQueued(clients[0], name, waiters + 1);
  server.child.send("reset");
  const startMs = performance.now();
  await call(clients[0], lockService.methods.unlock, createUnlockRequest({ key: first.key }));
  await Promise.all(waiting);
  const elapsedMs = performance.now() - startMs;
  const result = { waiters, perSecond: (waiters * 1000) / elapsedMs, longestTurnMs: await longestTurnMs(server) };
  for (const client of clients) client.close();
  if (new Set(order).size !== waiters) throw new Error("a waiter was served twice, or never");
  return result;
}

/** All leases are renewed in one go, so that they are due together; a watcher times the first and the last DELETE. */
async function measureExpiry(server, count) {
  const client = await server.connect();
  const leases = await grantMany(client, count, leaseTtlSeconds);
  await inSlices(leases, (lease) =>
    call(client, kvService.methods.put, createPutRequest({ key: `expiring/${lease}`, lease })),
  );
  const deletions = watchDeletions(client, count);
  await renewAll(client, leases);
  server.child.send("reset");
  const { firstMs, lastMs } = await deletions;
  const result = { leases: count, spreadMs: lastMs - firstMs, longestTurnMs: await longestTurnMs(server) };
  client.close();
  return result;
}

function watchDeletions(client, count) {
  return new Promise((resolve, reject) => {
    const { path, request, response } = watchService.methods.watch;
    let seen = 0;
    let firstMs = 0;
    const watch = client.open(path, {
      message: (bytes) => {
        seen += response.decode(bytes).events.filter((event) => event.type === 1).length;
        if (seen > 0 && firstMs === 0) firstMs = performance.now();
        if (seen === count) {
          resolve({ firstMs, lastMs: performance.now() });
          watch.cancel();
        }
      },
      end: ({ status }) => reject(new Error(status.message)),
    });
    const createRequest = createWatchCreateRequest({ key: "expiring/", rangeEnd: "expiring0" });
    watch.send(request.encode(createWatchRequest({ createRequest })));
  });
}

function renewAll(client, leases) {
  return new Promise((resolve, reject) => {
    const { path, request } = leaseService.methods.leaseKeepAlive;
    const stream = client.open(path, {
      message: () => {},
      end: ({ status }) => (status.code === 0 ? resolve() : reject(new Error(status.message))),
    });
    for (const id of leases) stream.send(request.encode(createLeaseKeepAliveRequest({ id })));
    stream.halfClose();
  });
}

async function grantMany(client, count, ttl) {
  const ids = [];
  await inSlices(Array.from({ length: count }), async () => {
    const { id } = await call(client, leaseService.methods.leaseGrant, createLeaseGrantRequest({ ttl }));
    ids.push(id);
  });
  return ids;
}

async function inSlices(items, work) {
  for (let at = 0; at < items.length; at += callsPerConnection) {
    await Promise.all(items.slice(at, at + callsPerConnection).map(work));
  }
}

/** Waits until as many keys stand under the lock's prefix; asks again and again, since nobody tells. */
async function untilQueued(client, name, count) {
  const { range } = kvService.methods;
  const request = range.request.create({ key: `${name}/`, rangeEnd: `${name}0`, countOnly: true });
  while ((await call(client, range, request)).count < count);
}

async function call(client, { path, request, response }, message) {
  const result = await client.unary(path, request.encode(message));
  if (result.status.code !== 0) throw new Error(`${path}: ${result.status.message}`);
  return response.decode(result.message);
}
