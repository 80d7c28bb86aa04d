/**
 * A program: the server in a process of its own with limits that no flag sets, so that those measured in minutes, or in
 * thousands of connections, can be reached in a test. Started in place of `holdfast serve`, with that command line behind
 * the limits.
 */
import { fileURLToPath } from "node:url";
import { type NetLimits, startServer } from "@holdfast/server";
import type { TransportLimits } from "@holdfast/transport";

export interface ServerLimits {
  readonly transport?: Partial<TransportLimits>;
  readonly net?: Partial<NetLimits>;
}

/** What runs a server with these limits (`ServerOptions.wrapper`). */
export function withLimits(limits: ServerLimits): string[] {
  return [process.execPath, "--enable-source-maps", fileURLToPath(import.meta.url), JSON.stringify(limits)];
}

async function serve([limitsText = "{}", ...commandLine]: readonly string[]): Promise<void> {
  const { transport = {}, net = {} } = JSON.parse(limitsText) as ServerLimits;
  const after = (flag: string): string => commandLine[commandLine.indexOf(flag) + 1] ?? "";
  const server = await startServer({
    dataDir: after("--data-dir"),
    listen: after("--listen"),
    transportLimits: transport,
    netLimits: net,
  });
  console.log(JSON.stringify({ msg: "ready", address: server.endpoint }));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await serve(process.argv.slice(2));
