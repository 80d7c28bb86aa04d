/** What a server and the driver (this process, all its threads) use from one moment to another. */

import type { Server } from "../servers/server.js";

/** Processor times of a stretch of time. */
export interface Used {
  readonly serverCpuSeconds: number;
  readonly driverCpuSeconds: number;
}

/** Begins now; the function returned tells what was used since. */
export function measureUsage(server: Server): () => Used {
  const serverBefore = server.cpuSeconds();
  const driverBefore = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(driverBefore);
    return { serverCpuSeconds: server.cpuSeconds() - serverBefore, driverCpuSeconds: (user + system) / 1e6 };
  };
}
