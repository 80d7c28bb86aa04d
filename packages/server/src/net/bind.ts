/** Makes a server listen on an address. A Unix socket file that a killed process left behind is no obstacle. */
import { once } from "node:events";
import { lstatSync, rmSync } from "node:fs";
import { connect, type Server } from "node:net";
import type { ListenAddress } from "./address.js";

/**
 * Connections that the system may keep until we take them (it may allow fewer). In a flood those above are dropped, and
 * their clients, the honest ones as well, try again only after a second (fault-model F25).
 */
export const backlog = 4_096;

/** Resolves once `server` listens. Throws the system's error, EADDRINUSE among others. */
export async function bind(server: Server, address: ListenAddress): Promise<void> {
  try {
    await bindOnce(server, address);
  } catch (cause) {
    if (address.kind === "tcp" || !isInUse(cause) || !(await isStale(address.path))) throw cause;
    // No turn of the event loop lies between finding nobody there and taking the place.
    rmSync(address.path, { force: true });
    await bindOnce(server, address);
  }
}

async function bindOnce(server: Server, address: ListenAddress): Promise<void> {
  const listening = once(server, "listening");
  if (address.kind === "unix") server.listen({ path: address.path, backlog });
  else server.listen({ port: address.port, host: address.host, backlog });
  await listening;
}

function isInUse(cause: unknown): boolean {
  return (cause as NodeJS.ErrnoException).code === "EADDRINUSE";
}

/** True if there is a socket file and the system refuses connections to it: nobody listens on it any more. */
function isStale(path: string): Promise<boolean> {
  // Connecting to an ordinary file is refused as well, and that one is not ours to remove.
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return Promise.resolve(false);
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(false);
    });
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  });
}
