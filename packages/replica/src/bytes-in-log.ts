/** What an entry adds to the log: what a restart must read, and what fills the disk. */

/** The file engine writes whole sectors. */
const sectorBytes = 512;
/** What the frame of an entry and the record around it take there, about. */
const headBytes = 132;

/** Bytes that an entry with so much payload takes. */
export function bytesInLog(payloadBytes: number): number {
  return Math.ceil((headBytes + payloadBytes) / sectorBytes) * sectorBytes;
}
