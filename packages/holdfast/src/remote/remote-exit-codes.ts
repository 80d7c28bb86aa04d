/** The exit codes of commands that call a server: see `exit-codes.ts`. */
import { ClientOptionError, ConnectError, EtcdError } from "@holdfast/client";
import { exitCodeOf, exitCodes } from "../exit-codes.js";
import { SnapshotDamagedError } from "../snapshot/save.js";
import { IncompleteError, RefusedError } from "./outcome-errors.js";

/** The exit code for an error that ended any command. */
export function remoteExitCodeOf(error: unknown): number {
  if (error instanceof ClientOptionError) return exitCodes.usage;
  if (isFailedCall(error)) return exitCodes.callFailed;
  if (error instanceof RefusedError) return exitCodes.refused;
  if (error instanceof IncompleteError) return exitCodes.incomplete;
  return exitCodeOf(error);
}

function isFailedCall(error: unknown): boolean {
  const failures = [ConnectError, EtcdError, SnapshotDamagedError];
  return failures.some((failure) => error instanceof failure);
}
