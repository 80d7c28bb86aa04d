/**
 * A state held still while the machine goes on, and its encoding in slices.
 *
 * Nothing is copied but the list of leases: versions never change, later ones are told by their revision, and the
 * machine removes nothing as long as the handle is open.
 */
import { type ByteString, emptyByteString, expectedBytesOfKeyValue, Writer, writeKeyValue } from "@holdfast/protocol";
import { keyAfter } from "./key-interval.js";
import type { KeySpace } from "./key-space.js";
import { snapshotChunkBytes, snapshotChunkVisits } from "./limits.js";
import { numberTag, recordTags, snapshotFormat } from "./snapshot-format.js";
import type { KeyVersion, LeaseRecord } from "./types.js";

/** Room for the largest record that holds numbers only. */
const numbersExpectedBytes = 32;

export class FrozenState {
  /** The revision of the state. */
  readonly revision: number;
  readonly #compactRevision: number;
  readonly #appliedCommands: number;
  readonly #keys: KeySpace;
  readonly #leases: readonly LeaseRecord[];
  readonly #eventsEnd: number;
  #onRelease: (() => void) | undefined;

  /** `onRelease` is called once, when the handle is released. */
  constructor(keys: KeySpace, leases: Iterable<LeaseRecord>, appliedCommands: number, onRelease: () => void) {
    this.revision = keys.revision;
    this.#compactRevision = keys.compactRevision;
    this.#appliedCommands = appliedCommands;
    this.#keys = keys;
    this.#leases = [...leases];
    this.#eventsEnd = keys.events.end;
    this.#onRelease = onRelease;
  }

  /**
   * The state as chunks for a `Restorer`, encoded one by one as they are asked for. A chunk is usually a little more
   * than `chunkBytes` long, longer when a value is, shorter when `chunkVisits` keys or events were looked at, and never
   * empty. The machine may be changed between two chunks. Throws when the handle was released.
   */
  *chunks(chunkBytes: number = snapshotChunkBytes, chunkVisits: number = snapshotChunkVisits): Iterable<Uint8Array> {
    const chunk = new ChunkWriter(chunkBytes, chunkVisits);
    chunk.numbers(recordTags.header, [snapshotFormat, this.revision, this.#compactRevision, this.#appliedCommands]);
    yield* this.#leaseChunks(chunk);
    const bases = yield* this.#baseChunks(chunk);
    const events = yield* this.#eventChunks(chunk);
    chunk.numbers(recordTags.end, [this.#leases.length, bases, events]);
    yield this.#take(chunk);
  }

  /** Lets the machine remove old data again. The handle is of no use afterwards; releasing twice does nothing. */
  release(): void {
    this.#onRelease?.();
    this.#onRelease = undefined;
  }

  *#leaseChunks(chunk: ChunkWriter): Iterable<Uint8Array> {
    for (const lease of this.#leases) {
      chunk.lease(lease);
      if (chunk.isFull) yield this.#take(chunk);
    }
  }

  /** Returns how many versions were written. */
  *#baseChunks(chunk: ChunkWriter): Generator<Uint8Array, number, undefined> {
    const revision = this.#firstHistoryRevision - 1;
    if (revision < 2) return 0;
    let count = 0;
    let from: ByteString | undefined = emptyByteString;
    while (from !== undefined) {
      let next: ByteString | undefined;
      this.#keys.index.visit(from, undefined, (history) => {
        chunk.visited();
        const base = history.liveAt(revision);
        if (base !== undefined) {
          chunk.version(recordTags.base, base);
          count += 1;
        }
        if (!chunk.isFull) return true;
        next = keyAfter(history.key);
        return false;
      });
      from = next;
      if (from !== undefined) yield this.#take(chunk);
    }
    return count;
  }

  /** Returns how many events were written. */
  *#eventChunks(chunk: ChunkWriter): Generator<Uint8Array, number, undefined> {
    const { events } = this.#keys;
    const start = events.positionOf(this.#firstHistoryRevision);
    for (let position = start; position < this.#eventsEnd; position++) {
      chunk.version(recordTags.event, events.at(position));
      if (chunk.isFull) yield this.#take(chunk);
    }
    return this.#eventsEnd - start;
  }

  get #firstHistoryRevision(): number {
    return Math.max(this.#compactRevision, 1);
  }

  #take(chunk: ChunkWriter): Uint8Array {
    if (this.#onRelease === undefined) throw new Error("the frozen state was released while it was being encoded");
    return chunk.take();
  }
}

/** The chunk being filled. */
class ChunkWriter {
  readonly #writer: Writer;
  readonly #chunkBytes: number;
  readonly #chunkVisits: number;
  #visits = 0;

  constructor(chunkBytes: number, chunkVisits: number) {
    this.#writer = new Writer(2 * chunkBytes);
    this.#chunkBytes = chunkBytes;
    this.#chunkVisits = chunkVisits;
  }

  /** Whether the chunk is long enough, or took long enough. */
  get isFull(): boolean {
    return this.#writer.length >= this.#chunkBytes || this.#visits >= this.#chunkVisits;
  }

  /** A key or event was looked at. */
  visited(): void {
    this.#visits += 1;
  }

  version(tag: number, version: KeyVersion): void {
    this.#visits += 1;
    const expectedBytes = expectedBytesOfKeyValue(version);
    const start = this.#writer.begin(tag, expectedBytes);
    writeKeyValue(this.#writer, version);
    this.#writer.end(start, expectedBytes);
  }

  lease(lease: LeaseRecord): void {
    this.#visits += 1;
    const start = this.#writer.begin(recordTags.lease, numbersExpectedBytes);
    this.#writer.int64BigIntField(numberTag(1), lease.leaseId);
    this.#writer.int64NumberField(numberTag(2), lease.ttlSeconds);
    this.#writer.int64NumberField(numberTag(3), lease.grantNumber);
    this.#writer.end(start, numbersExpectedBytes);
  }

  /** A record of numbers; the first is field 1. */
  numbers(tag: number, numbers: readonly number[]): void {
    const start = this.#writer.begin(tag, numbersExpectedBytes);
    for (const [index, number] of numbers.entries()) this.#writer.int64NumberField(numberTag(index + 1), number);
    this.#writer.end(start, numbersExpectedBytes);
  }

  /** The chunk so far, as bytes of its own; starts the next one. */
  take(): Uint8Array {
    if (this.#writer.length === 0) this.#writer.boolField(recordTags.pause, true);
    const chunk = this.#writer.copy();
    this.#writer.reset();
    this.#visits = 0;
    return chunk;
  }
}
