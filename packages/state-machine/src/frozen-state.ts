/**
 * A state held still while the machine goes on, and its encoding in slices.
 *
 * Nothing is copied but the lists of leases, users and roles: versions never change, later ones are told by their revision, and the
 * machine removes nothing as long as the handle is open.
 */
import { type ByteString, emptyByteString } from "@holdfast/protocol";
import type { FrozenAuth } from "./auth/auth-snapshot.js";
import { ChunkWriter } from "./chunk-writer.js";
import { keyAfter } from "./key-interval.js";
import type { KeySpace } from "./key-space.js";
import { snapshotBaseVisits, snapshotChunkBytes, snapshotChunkVisits } from "./limits.js";
import { recordTags, snapshotFormat } from "./snapshot-format.js";
import type { LeaseRecord } from "./types.js";

/** What is held still besides the keys. */
export interface FrozenParts {
  readonly leases: Iterable<LeaseRecord>;
  readonly auth: FrozenAuth;
  readonly appliedCommands: number;
}

export class FrozenState {
  /** The revision of the state. */
  readonly revision: number;
  readonly #compactRevision: number;
  readonly #appliedCommands: number;
  readonly #keys: KeySpace;
  readonly #leases: readonly LeaseRecord[];
  readonly #auth: FrozenAuth;
  readonly #eventsEnd: number;
  #onRelease: (() => void) | undefined;

  /** `onRelease` is called once, when the handle is released. */
  constructor(keys: KeySpace, { leases, auth, appliedCommands }: FrozenParts, onRelease: () => void) {
    this.revision = keys.revision;
    this.#compactRevision = keys.compactRevision;
    this.#appliedCommands = appliedCommands;
    this.#keys = keys;
    this.#leases = [...leases];
    this.#auth = auth;
    this.#eventsEnd = keys.events.end;
    this.#onRelease = onRelease;
  }

  /**
   * The state as chunks for a `Restorer`, encoded one by one as they are asked for. A chunk is usually a little more
   * than `chunkBytes` long, longer when a value is, shorter when `chunkVisits` events were looked at, or fewer keys, and never
   * empty. Each is valid until the next is asked for. The machine may be changed between two chunks. Throws when the handle was
   * released.
   */
  *chunks(chunkBytes: number = snapshotChunkBytes, chunkVisits: number = snapshotChunkVisits): Iterable<Uint8Array> {
    const chunk = new ChunkWriter(chunkBytes, chunkVisits);
    chunk.numbers(recordTags.header, [snapshotFormat, this.revision, this.#compactRevision, this.#appliedCommands]);
    yield* this.#authChunks(chunk);
    yield* this.#leaseChunks(chunk);
    const bases = yield* this.#baseChunks(chunk);
    const events = yield* this.#eventChunks(chunk);
    const { roles, users, alarms } = this.#auth;
    const counts = [this.#leases.length, bases, events, roles.length, users.length, alarms.length];
    chunk.numbers(recordTags.end, counts);
    yield this.#take(chunk);
  }

  /** Lets the machine remove old data again. The handle is of no use afterwards; releasing twice does nothing. */
  release(): void {
    this.#onRelease?.();
    this.#onRelease = undefined;
  }

  *#authChunks(chunk: ChunkWriter): Iterable<Uint8Array> {
    const { roles, users, alarms, enabled, revision } = this.#auth;
    for (const role of roles) {
      chunk.role(role);
      if (chunk.isFull) yield this.#take(chunk);
    }
    for (const user of users) {
      chunk.user(user);
      if (chunk.isFull) yield this.#take(chunk);
    }
    for (const alarm of alarms) {
      chunk.alarm(alarm);
      if (chunk.isFull) yield this.#take(chunk);
    }
    chunk.numbers(recordTags.auth, [enabled ? 1 : 0, revision]);
    if (chunk.isFull) yield this.#take(chunk);
  }

  *#leaseChunks(chunk: ChunkWriter): Iterable<Uint8Array> {
    for (const lease of this.#leases) {
      chunk.lease(lease);
      if (chunk.isFull) yield this.#take(chunk);
    }
  }

  /** Returns how many versions were written. */
  *#baseChunks(chunk: ChunkWriter): Generator<Uint8Array, number, undefined> {
    const revision = this.#firstHistoryRevision;
    if (revision < 3) return 0;
    let count = 0;
    let from: ByteString | undefined = emptyByteString;
    while (from !== undefined) {
      let next: ByteString | undefined;
      const { index, histories } = this.#keys;
      index.visit(from, undefined, (number) => {
        chunk.visited(snapshotBaseVisits);
        const base = histories.baseOf(number, revision);
        if (base !== undefined) {
          chunk.version(recordTags.base, base);
          count += 1;
        }
        if (!chunk.isFull) return true;
        next = keyAfter(histories.key(number));
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
