/** One server, some connections to it, and calls that are made in turn: the ground of most axes. */
import { Connections } from "../../load/connections.js";
import type { Server } from "../../servers/server.js";
import type { Cost, Ground, Place } from "../axis.js";
import { CallLoop, type LoopedCall } from "../call-loop.js";

/** Where a store is filled and read: few connections with calls enough for a server to gather what it does. */
export const connectionsUsual = 10;
export const callersUsual = 100;

/** A server and connections to it. */
export interface Site {
  readonly server: Server;
  readonly connections: Connections;
}

/** Starts a server with so many connections. */
export async function openSite(
  place: Place,
  connections = connectionsUsual,
  args: readonly string[] = [],
): Promise<Site> {
  const server = await place.start({ args });
  return { server, connections: await Connections.open(server, connections) };
}

/** Anything that can be done for some seconds. */
export interface Work {
  run(seconds: number): Promise<{ readonly operations: number; readonly seconds: number }>;
}

/** Does it, and says what it cost the server. */
export async function costOf({ server }: Site, work: Work, seconds: number): Promise<Cost> {
  const before = server.cpuSeconds();
  const { operations, seconds: elapsedSeconds } = await work.run(seconds);
  return { operations, seconds: elapsedSeconds, serverCpuSeconds: server.cpuSeconds() - before };
}

/** A ground on which these calls are made, each by so many callers at a time. */
export function groundOfCalls(site: Site, calls: readonly LoopedCall[], callers = callersUsual): Ground {
  return groundOf(
    site,
    calls.map((call) => new CallLoop(site.connections, callers, call)),
  );
}

/** A ground on which these things are done. */
export function groundOf(site: Site, works: readonly Work[]): Ground {
  return {
    rounds: works.map((work) => (seconds: number) => costOf(site, work, seconds)),
    close: () => site.connections.close(),
  };
}
