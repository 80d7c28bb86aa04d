/**
 * Applies logged puts without making anything of them but what the store keeps: no command, no request, no outcome, no change.
 * Most of what a log holds are plain puts, and nobody waits for their answers when it is replayed.
 *
 * It is a second way to do what `ChangeSet.put` does, so it takes only what is simple, and leaves all else to that.
 */
import {
  type ByteString,
  emptyBytes,
  fieldTag,
  MalformedMessageError,
  PackedMemory,
  packedBytesMax,
  packKeyValue,
  Reader,
  WireType,
} from "@holdfast/protocol";
import type { KeySpace } from "./key-space.js";
import type { LeaseTable } from "./leases.js";
import { ownSlabBytes } from "./limits.js";
import { noLease } from "./stored-version.js";
import { type PackedVersion, Slabs } from "./version-chunk.js";

/** The fields of a `PutRequest` that a plain one has, in the order in which they are encoded. */
const keyTag = fieldTag(1, WireType.lengthDelimited);
const valueTag = fieldTag(2, WireType.lengthDelimited);

/** Between two puts. */
const noMemory = new PackedMemory(0);

export class PutReplay implements PackedVersion {
  readonly #keys: KeySpace;
  readonly #leases: LeaseTable;
  readonly #reader = new Reader();
  readonly #slabs = new Slabs();
  /** The put that was looked at last. */
  #key: ByteString | undefined = undefined;
  #value: Uint8Array = emptyBytes;
  /** The version that it made. */
  memory: PackedMemory = noMemory;
  start = 0;
  length = 0;
  version = 0;
  valueLength = 0;

  constructor(keys: KeySpace, leases: LeaseTable) {
    this.#keys = keys;
    this.#leases = leases;
  }

  /**
   * Applies the `PutRequest` in `bytes[start..end)` if it is plain: a key and perhaps a value, of a key that hangs on no lease.
   * Returns whether it did; else nothing has changed. Permissions and alarms are not looked at: the caller has done that.
   */
  apply(bytes: Uint8Array, start: number, end: number): boolean {
    const isDone = this.#isPlain(bytes, start, end) && this.#put();
    this.#letGo();
    return isDone;
  }

  /** Returns false if a lease would lose the key. */
  #put(): boolean {
    const keys = this.#keys;
    const { histories } = keys;
    const key = this.#key!;
    const number = keys.numberOf(key);
    const revision = keys.revision + 1;
    if (number === undefined || !histories.isLive(number)) this.#pack(key, revision, revision, 1);
    else if (this.#leases.size > 0 && histories.lease(number) !== noLease) return false;
    else this.#pack(key, histories.createRevision(number), revision, histories.version(number) + 1);
    keys.takePacked(number, key, this, true);
    keys.revision = revision;
    return true;
  }

  /** Whether the request is a key that is not empty and at most a value behind it. */
  #isPlain(bytes: Uint8Array, start: number, end: number): boolean {
    // An empty command has no kind either: what stands in its place is of what follows.
    if (start >= end) return false;
    const reader = this.#reader;
    // The value is packed before the bytes change.
    reader.lendNext();
    reader.reset(bytes, start, end);
    try {
      if (reader.tag() !== keyTag) return false;
      this.#key = reader.byteString();
      this.#value = emptyBytes;
      if (reader.position === end) return this.#key.length > 0;
      if (reader.tag() !== valueTag) return false;
      this.#value = reader.bytes();
      return reader.position === end && this.#key.length > 0;
    } catch (error) {
      // What is wrong with it is for the decoder to say.
      if (error instanceof MalformedMessageError) return false;
      throw error;
    }
  }

  /** Refers to nothing of the put any more: the last of a replay would else keep its entry and its version for good. */
  #letGo(): void {
    this.#reader.reset(emptyBytes, 0, 0);
    this.#value = emptyBytes;
    this.memory = noMemory;
  }

  #pack(key: ByteString, createRevision: number, modRevision: number, version: number): void {
    const value = this.#value;
    const bytesMax = packedBytesMax(key.length, value.length);
    const isLarge = bytesMax > ownSlabBytes;
    const memory = isLarge ? new PackedMemory(bytesMax) : this.#slabs.reserve(bytesMax);
    this.memory = memory;
    this.start = isLarge ? 0 : this.#slabs.position;
    this.length = packKeyValue(memory, this.start, key, createRevision, modRevision, version, value, noLease);
    this.version = version;
    this.valueLength = value.length;
    if (!isLarge) this.#slabs.take(this.length + 1);
  }
}
