/** The faults that a run can have, by name. */

/** Rows F1 to F25 of the fault model, as far as they can befall a single server in a simulation. */
export const faultNames = [
  "kill",
  "power-cut",
  "disk-crash",
  "append-crash",
  "recovery-kill",
  "short-write",
  "no-space",
  "sync-error",
  "write-error",
  "slow-disk",
  "server-pause",
  "server-freeze",
  "client-pause",
  "client-kill",
  "partition",
  "cut",
  "clog",
  "half-open",
  "slow-reader",
  "graceful-close",
  "snapshot-rot",
  "bit-rot",
] as const;

export type FaultName = (typeof faultNames)[number];

/** Those that no server can survive: it must stop, or refuse to start. */
export const haltFaults: readonly FaultName[] = ["bit-rot"];
