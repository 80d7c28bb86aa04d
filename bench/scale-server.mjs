/**
 * Holdfast in a process of its own that also watches its event loop. The parent says "reset" and "read" over the process
 * channel; "read" is answered with the longest delay of the loop since the last "reset".
 */

import { monitorEventLoopDelay } from "node:perf_hooks";
import { startServer } from "holdfast";

/** A timer this often; what it comes late by is how long a turn kept the loop. */
const resolutionMs = 1;

const server = await startServer({ dataDir: process.argv[2], listen: "127.0.0.1:0" });
const delay = monitorEventLoopDelay({ resolution: resolutionMs });
delay.enable();

process.on("message", (message) => {
  if (message === "reset") delay.reset();
  else if (message === "read") process.send({ longestTurnMs: delay.max / 1e6 - resolutionMs });
});
process.on("disconnect", () => server.close().then(() => process.exit(0)));
process.send({ endpoint: server.endpoint });
