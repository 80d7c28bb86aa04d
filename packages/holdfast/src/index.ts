/**
 * Holdfast as a library: the same server that `holdfast serve` runs, inside a program.
 *
 * ```ts
 * import { startServer } from "holdfast";
 * const server = await startServer({ listen: "127.0.0.1:0" }); // in memory; give dataDir to keep data
 * console.log(server.endpoint);
 * await server.close();
 * ```
 */
export {
  InvalidAddressError,
  ListenError,
  LogDamagedError,
  LogFolderLockedError,
  LogFolderUnreadableError,
  LogMissingError,
  LogVersionError,
  type RunningServer,
  type ServerOptions,
  startServer,
} from "@holdfast/server";
