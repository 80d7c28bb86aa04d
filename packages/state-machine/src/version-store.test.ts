/**
 * The store of versions: nothing that is of use is lost, and what is not is given up.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { PackedMemory, packKeyValue } from "@holdfast/protocol";
import { ownSlabBytes, versionChunkLength } from "./limits.js";
import { StoredVersion } from "./stored-version.js";
import { bytes, key, text } from "./testing/builders.js";
import { Slabs, VersionChunk } from "./version-chunk.js";
import { placeIn, slotOf, VersionStore } from "./version-store.js";

/** A store of one version for each of the keys "0", "1" and so on, with the name as value. */
class Tried {
  readonly places = new Map<number, number>();
  moves = 0;
  readonly store = new VersionStore((owner, place) => {
    this.moves += 1;
    this.places.set(owner, place);
  });
  readonly #slabs = new Slabs();

  /** What the log would do with so many keys from `first` on, until all of their events are compacted. */
  log(first: number, count: number): void {
    const chunk = this.store.open();
    for (let owner = first; owner < first + count; owner++) {
      this.places.set(owner, placeIn(chunk, chunk.length));
      chunk.append(this.#slabs, owner, versionOf(owner));
    }
    this.store.close(chunk);
  }

  release(owner: number): void {
    this.store.release(this.places.get(owner)!);
    this.places.delete(owner);
  }

  /** Tidies up in slices; returns how many it took. */
  tidy(): number {
    for (let slices = 1; ; slices++) if (this.store.tidy(versionChunkLength / 8)) return slices;
  }

  check(): void {
    assert.equal(new Set(this.places.values()).size, this.places.size, "two versions at one place");
    for (const [owner, place] of this.places) {
      const version = this.store.chunkOf(place).versionAt(slotOf(place));
      assert.deepEqual([version.key, text(version.value), version.lease], [`${owner}`, `${owner}`, BigInt(owner)]);
    }
  }

  /** How many chunks are in use. */
  get chunks(): number {
    return new Set([...this.places.values()].map((place) => this.store.chunkOf(place))).size;
  }
}

function versionOf(owner: number): StoredVersion {
  return new StoredVersion(key(`${owner}`), bytes(`${owner}`), 2, 2, 1, BigInt(owner));
}

test("a chunk that is mostly of use stays as it is", () => {
  const tried = new Tried();
  tried.log(0, versionChunkLength);
  for (let owner = 0; owner < versionChunkLength; owner += 3) tried.release(owner);
  assert.equal(tried.tidy(), 1);
  assert.deepEqual([tried.moves, tried.chunks], [0, 1]);
  tried.check();
});

test("of chunks that are mostly of no use the rest is moved together, in slices", () => {
  const tried = new Tried();
  for (let chunk = 0; chunk < 16; chunk++) tried.log(chunk * versionChunkLength, versionChunkLength);
  for (const owner of [...tried.places.keys()]) if (owner % 16 !== 0) tried.release(owner);
  assert.deepEqual([tried.moves, tried.chunks], [0, 16]);
  assert.ok(tried.tidy() > 4);
  assert.deepEqual([tried.moves, tried.chunks], [versionChunkLength, 1]);
  tried.check();
});

test("versions that were never of the log are tidied up as well once their chunk is full", () => {
  const tried = new Tried();
  for (let owner = 0; owner < 3 * versionChunkLength; owner++) {
    tried.places.set(owner, tried.store.add(owner, versionOf(owner)).place);
    if (owner % 16 !== 0) tried.release(owner);
  }
  tried.tidy();
  assert.ok(tried.chunks <= 2);
  tried.check();
});

test("numbers of chunks are used again", () => {
  const tried = new Tried();
  for (let round = 0; round < 20; round++) {
    tried.log(round * versionChunkLength, versionChunkLength);
    for (const owner of [...tried.places.keys()]) tried.release(owner);
    tried.tidy();
  }
  tried.log(0, versionChunkLength);
  assert.ok(Math.max(...tried.places.values()) < 2 * versionChunkLength);
});

test("a long version that lay beside others gets memory of its own when it moves, a short one room beside others", () => {
  const slabs = new Slabs();
  const shared = new PackedMemory(4 * ownSlabBytes);
  const value = new Uint8Array(ownSlabBytes);
  const long = packKeyValue(shared, 0, key("long"), 2, 2, 1, value, 0n);
  const short = packKeyValue(shared, long + 1, key("short"), 2, 3, 1, bytes("v"), 0n);
  const from = new VersionChunk(0);
  from.take(slabs, 1, { memory: shared, start: 0, length: long }, 1, true);
  from.take(slabs, 2, { memory: shared, start: long + 1, length: short }, 1, true);
  assert.deepEqual([from.memoryOf(0), from.memoryOf(1)], [shared, shared]);
  const to = new VersionChunk(1);
  for (const slot of [0, 1]) to.copy(slabs, from, slot);
  to.copy(slabs, to, 0);
  shared.bytes.fill(0xff);
  assert.deepEqual(
    [0, 1, 2].map((slot) => to.versionAt(slot).key),
    ["long", "short", "long"],
  );
  assert.deepEqual(to.versionAt(0).value, value);
  assert.equal(to.memoryOf(0).length, long + 1);
  assert.equal(to.memoryOf(2), to.memoryOf(0), "what has memory of its own keeps it");
  assert.notEqual(to.memoryOf(1), to.memoryOf(0));
});

test("the memory of a long version is given up with it, but not while it is an event", () => {
  const slabs = new Slabs();
  const chunk = new VersionChunk(0);
  const long = new StoredVersion(key("long"), new Uint8Array(ownSlabBytes), 2, 2, 1, 0n);
  for (let owner = 0; owner < 4; owner++) chunk.append(slabs, owner, owner === 3 ? versionOf(owner) : long);
  const isKept = () => [0, 1, 2, 3].map((slot) => chunk.memoryOf(slot).length > 0);
  chunk.dropEvent(0);
  chunk.release(0);
  assert.deepEqual(isKept(), [false, true, true, true], "released when it was no event any more");
  chunk.release(1);
  assert.equal(chunk.revisionOf(1), 2, "the log still asks for the revision of an event");
  chunk.dropEvent(1);
  assert.deepEqual(isKept(), [false, false, true, true], "was an event when it was released");
  for (const slot of [2, 3]) chunk.dropEvent(slot);
  chunk.release(3);
  assert.deepEqual(isKept(), [false, false, true, true], "short ones lie together; what is of use stays");
  assert.deepEqual(chunk.versionAt(2).value, long.value);
});

test("memory that a released long version shares with one of use is kept", () => {
  const shared = new PackedMemory(4 * ownSlabBytes);
  const value = new Uint8Array(ownSlabBytes);
  const length = packKeyValue(shared, 0, key("a"), 2, 2, 1, value, 0n);
  packKeyValue(shared, length + 1, key("b"), 2, 3, 1, value, 0n);
  const chunk = new VersionChunk(0);
  chunk.leaveLog();
  for (const start of [0, length + 1]) chunk.take(new Slabs(), start, { memory: shared, start, length }, 1, true);
  chunk.release(0);
  assert.deepEqual(chunk.versionAt(1).value, value);
});
