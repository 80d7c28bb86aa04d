/** Cuts the middle of a snapshot file, which comes in pieces of any length, into whole records and the zero bytes behind them. */
import { WireType } from "@holdfast/protocol";
import { SnapshotFormatError } from "@holdfast/state-machine";

/** Above any record that is written, whatever the longest value (`ENTRY_BYTES_LIMIT` of the log). */
const recordBytesMax = 128 * 1024 * 1024;
/** A tag of one byte and a length below `recordBytesMax`. */
const recordHeadBytesMax = 5;
const continuationBit = 0x80;
const wireTypeMask = 0b111;
const noBytes = new Uint8Array(0);

export class RecordCutter {
  #held: Buffer = Buffer.alloc(0);
  #zeroBytes = 0;

  /** Zero bytes seen behind the last record. */
  get zeroBytes(): number {
    return this.#zeroBytes;
  }

  /** The records that are whole by now, as one piece that may be empty. Throws `SnapshotFormatError`. */
  add(part: Buffer): Uint8Array {
    if (this.#zeroBytes > 0) {
      this.#addZeros(part);
      return noBytes;
    }
    const bytes = this.#held.length === 0 ? part : Buffer.concat([this.#held, part]);
    let end = 0;
    while (end < bytes.length && bytes[end] !== 0) {
      const next = recordEnd(bytes, end);
      if (next === undefined || next > bytes.length) break;
      end = next;
    }
    if (bytes[end] === 0) this.#addZeros(bytes.subarray(end));
    else this.#held = bytes.subarray(end);
    return bytes.subarray(0, end);
  }

  #addZeros(bytes: Buffer): void {
    if (bytes.some((byte) => byte !== 0)) throw new SnapshotFormatError("something stands behind its last record");
    this.#zeroBytes += bytes.length;
  }
}

/** Where the record at `start` ends, perhaps beyond `bytes`; undefined if that cannot be told yet. */
function recordEnd(bytes: Buffer, start: number): number | undefined {
  if (((bytes[start] as number) & wireTypeMask) !== WireType.lengthDelimited) {
    throw new SnapshotFormatError("something that is no record");
  }
  let length = 0;
  for (let at = start + 1; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    length += (byte & ~continuationBit) * 2 ** (7 * (at - start - 1));
    if (byte < continuationBit) {
      if (length > recordBytesMax) throw new SnapshotFormatError("a record of an impossible length");
      return at + 1 + length;
    }
    if (at - start >= recordHeadBytesMax) throw new SnapshotFormatError("a record of an impossible length");
  }
  return undefined;
}
