/**
 * What is known of one segment file in use: its place in the sequence, the entries it holds, and
 * how to get near one of them without reading from the start.
 */

import { SEGMENT_HEADER_BYTES } from "./record.js";

/** One position is remembered for so many entries: 8 bytes per 64 entries, and a short walk to any of them. */
const ENTRIES_PER_POSITION = 64;

export class Segment {
  readonly path: string;
  readonly sequence: number;
  /** Length of the file, all of it allocated. */
  readonly bytes: number;
  readonly firstIndex: number;
  /** `firstIndex - 1` while empty. */
  lastIndex: number;
  /** Where the next record goes. */
  end = SEGMENT_HEADER_BYTES;
  /** True once the file may be deleted or used again: whoever is still reading finds other bytes. */
  discarded = false;
  /** Offset of the last record. */
  lastOffset = SEGMENT_HEADER_BYTES;
  readonly #positions: number[] = [];

  constructor(path: string, sequence: number, bytes: number, firstIndex: number) {
    this.path = path;
    this.sequence = sequence;
    this.bytes = bytes;
    this.firstIndex = firstIndex;
    this.lastIndex = firstIndex - 1;
  }

  /** Notes the next entry, whose record takes `length` bytes. */
  add(length: number): void {
    this.lastIndex += 1;
    if ((this.lastIndex - this.firstIndex) % ENTRIES_PER_POSITION === 0) this.#positions.push(this.end);
    this.lastOffset = this.end;
    this.end += length;
  }

  /** Mean length of the records, 0 while there are none. */
  get recordBytes(): number {
    return this.lastIndex < this.firstIndex
      ? 0
      : (this.end - SEGMENT_HEADER_BYTES) / (this.lastIndex - this.firstIndex + 1);
  }

  /** An entry at or shortly before `index`, and the offset of its record. */
  near(index: number): { index: number; offset: number } {
    const slot = Math.min(Math.floor((index - this.firstIndex) / ENTRIES_PER_POSITION), this.#positions.length - 1);
    if (slot < 0) return { index: this.firstIndex, offset: SEGMENT_HEADER_BYTES };
    return { index: this.firstIndex + slot * ENTRIES_PER_POSITION, offset: this.#positions[slot]! };
  }
}
