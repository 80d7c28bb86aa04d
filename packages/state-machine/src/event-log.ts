/**
 * Every change in the order in which it happened: an append-only sequence of versions, cut off at the front by
 * compaction. Watchers read it; the key space owns it.
 *
 * A position counts all events ever appended here and never changes its meaning.
 */
import type { ByteString } from "@holdfast/protocol";
import { deletionOf } from "./key-history.js";
import { eventChunkLength } from "./limits.js";
import type { KeyVersion } from "./types.js";

/** Takes the place of a dropped event, so that the event and its value can be freed before its chunk is. */
const droppedEvent = deletionOf("" as ByteString, 0);

export class EventLog {
  #chunks: KeyVersion[][] = [];
  /** The position of the first slot of the first chunk. */
  #chunksStart = 0;
  #start = 0;
  #end = 0;

  /** The position of the oldest event kept. */
  get start(): number {
    return this.#start;
  }

  /** The position that the next event will get. */
  get end(): number {
    return this.#end;
  }

  /** Appends an event, which must not be of an older revision than the one before it. */
  push(event: KeyVersion): void {
    const slot = this.#end - this.#chunksStart;
    if (slot === this.#chunks.length * eventChunkLength) this.#chunks.push([event]);
    else this.#chunks[this.#chunks.length - 1]!.push(event);
    this.#end += 1;
  }

  /** The event at a position from `start` to below `end`. */
  at(position: number): KeyVersion {
    const slot = position - this.#chunksStart;
    return this.#chunks[Math.floor(slot / eventChunkLength)]![slot % eventChunkLength]!;
  }

  /** The position of the first kept event of `revision` or later; `end` when there is none. */
  positionOf(revision: number): number {
    let low = this.#start;
    let high = this.#end;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.at(middle).modRevision < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Removes and returns the oldest event; there must be one. */
  dropFirst(): KeyVersion {
    const event = this.at(this.#start);
    const slot = this.#start - this.#chunksStart;
    this.#chunks[0]![slot] = droppedEvent;
    this.#start += 1;
    if (slot + 1 === eventChunkLength) {
      this.#chunks.shift();
      this.#chunksStart += eventChunkLength;
    }
    return event;
  }
}
