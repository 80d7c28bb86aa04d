/** Leases for a load: granted before it is measured, many at a time. */
import { leaseService } from "@holdfast/protocol";
import { callMany, callOnce, manyWithinMs } from "../driver/calls.js";
import type { Connections } from "./connections.js";

/** Longer than any benchmark, for leases whose end is not what is measured. */
export const lastingTtlSeconds = 7200;
const grantsInFlight = 500;
const listedWithinMs = 30_000;

/** Grants `count` leases, whose ids the server chooses, and returns the ids in the order of the calls. */
export async function grantLeases(connections: Connections, count: number, ttlSeconds: number): Promise<bigint[]> {
  const { path, request, response } = leaseService.methods.leaseGrant;
  const message = request.encode(request.create({ ttl: ttlSeconds }));
  const ids = new Array<bigint>(count).fill(0n);
  const granted = callMany(
    connections.all,
    { path, count, inFlight: grantsInFlight },
    () => message,
    (number, chunk, from, to) => {
      ids[number] = response.decode(chunk, from, to).id;
    },
  );
  await connections.during(`granting ${count} leases`, manyWithinMs(count), granted);
  return ids;
}

/** How many leases there are. */
export async function countLeases(connections: Connections): Promise<number> {
  const { leaseLeases } = leaseService.methods;
  const answer = callOnce(connections.at(0), leaseLeases, leaseLeases.request.create());
  return (await connections.during("listing the leases", listedWithinMs, answer)).leases.length;
}
