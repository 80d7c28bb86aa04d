/** What a snapshot file holds, in figures. */
import type { SnapshotFile } from "./read.js";

export interface SnapshotSummary {
  /** SHA-256, hexadecimal. */
  readonly digest: string;
  readonly format: number;
  /** The file's length. */
  readonly bytes: number;
  readonly revision: number;
  /** The history goes back to this revision; 0 if it was never compacted. */
  readonly compactRevision: number;
  readonly keys: number;
  readonly leases: number;
  readonly users: number;
  readonly roles: number;
  readonly authEnabled: boolean;
  readonly alarms: number;
}

export function summaryOf({ machine, bytes, digest, format }: SnapshotFile): SnapshotSummary {
  const { auth } = machine;
  return {
    digest,
    format,
    bytes,
    revision: machine.revision,
    compactRevision: Math.max(machine.compactRevision, 0),
    keys: machine.keyCount,
    leases: machine.leaseCount,
    users: [...auth.users()].length,
    roles: [...auth.roles()].length,
    authEnabled: auth.enabled,
    alarms: machine.alarms().length,
  };
}
