/**
 * Looks at the part of a file that should hold nothing yet: is it all zero, where does something
 * begin and end, and is there a record header in it that proves more had been durable?
 */

import type { DiskFile, DiskOperation } from "./disk.js";
import { FileWindow } from "./file-window.js";
import { readRecordHead, SECTOR_BYTES } from "./record.js";

export interface BlankScan {
  /** From the first sector that is not zero to the end of the last one; empty if both are equal. */
  readonly from: number;
  readonly to: number;
  /** The highest durable index claimed by a header found, 0 if none was found. */
  readonly durableClaim: number;
  /** Where that header is. */
  readonly claimOffset: number;
}

const SLICE_BYTES = 256 * 1024;
const ZEROS = Buffer.alloc(SLICE_BYTES);

/** Scans `[from, fileBytes)`; `from` lies on a sector boundary. */
export async function scanBlank(
  file: DiskFile,
  operation: DiskOperation,
  identity: Buffer,
  sequence: number,
  from: number,
  fileBytes: number,
): Promise<BlankScan> {
  const found = { from, to: from, durableClaim: 0, claimOffset: 0 };
  const window = new FileWindow({ file, operation, fileBytes, sliceBytes: SLICE_BYTES });
  try {
    for (let at = from; at < fileBytes; at += window.bytes.length) {
      await window.move(at, 1);
      if (window.bytes.length === 0) break;
      if (!isZero(window.bytes)) inspect(window.bytes, at, identity, sequence, found);
    }
  } finally {
    await window.settle();
  }
  return found;
}

type Found = { from: number; to: number; durableClaim: number; claimOffset: number };

function inspect(bytes: Buffer, at: number, identity: Buffer, sequence: number, found: Found): void {
  for (let start = 0; start < bytes.length; start += SECTOR_BYTES) {
    const sector = bytes.subarray(start, start + SECTOR_BYTES);
    if (isZero(sector)) continue;
    if (found.from === found.to) found.from = at + start;
    found.to = at + start + sector.length;
    const head = readRecordHead(sector, 0, identity);
    // Elsewhere such bytes are part of somebody's payload: a record is read only where it belongs.
    if (head === undefined || head.sequence !== sequence || head.offset !== at + start) continue;
    if (head.durableIndex <= found.durableClaim) continue;
    found.durableClaim = head.durableIndex;
    found.claimOffset = at + start;
  }
}

export function isZero(bytes: Buffer): boolean {
  return bytes.equals(ZEROS.subarray(0, bytes.length));
}
