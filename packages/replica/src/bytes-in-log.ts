/** What an entry adds to the log: what a restart must read, and what fills the disk. */

/** An engine that writes whole sectors takes at least one for an entry. */
const sectorBytes = 512;

/** Bytes that an entry with so much payload takes. What the engine adds for itself is left out. */
export function bytesInLog(payloadBytes: number): number {
  return Math.max(payloadBytes, sectorBytes);
}
