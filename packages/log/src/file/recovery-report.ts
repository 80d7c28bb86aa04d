/**
 * What opening a log had to put right. Worth a line in the operator's log: an owner that never
 * crashes never sees one.
 */

export interface RecoveryReport {
  /** Bytes of a torn tail that were cut, 0 if there were none. They had never been acknowledged. */
  readonly bytesCut: number;
  /** Where copies of the cut bytes lie. */
  readonly cutFiles: readonly string[];
  /** Snapshots that were found damaged and passed over; the files are left as they are. */
  readonly damagedSnapshots: readonly string[];
}
