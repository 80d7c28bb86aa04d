/**
 * The places of one lock or election, as they are told from ordinary keys by their layout (LOCK-1, ELECT-1).
 *
 * A heap that knows where each place is, so that joining, leaving from anywhere and asking for the oldest cost the
 * logarithm of the number of places at most, in whatever order they come: a key may become a place long after it was
 * made. Those that come in the order of their keys' creation join at once. What is measured of a place is left to the
 * meter. Unlike a `LockQueue` it leaves out ordinary keys, which block a Lock call too (LOCK-5).
 */
import type { ByteString } from "@holdfast/protocol";

/** A live key whose last part is the lease to which it is attached. */
export class Place {
  readonly key: ByteString;
  readonly lease: bigint;
  readonly line: PlaceLine;
  createRevision: number;
  /** Since when it is first, or waits, on the replica's clock; NaN when nobody saw that begin. Always a number, so that it is kept in place. */
  sinceMs: number;
  /** Where it is in the heap; -1 when it has gone. */
  at: number;

  constructor(key: ByteString, createRevision: number, lease: bigint, line: PlaceLine, sinceMs: number) {
    this.key = key;
    this.lease = lease;
    this.line = line;
    this.createRevision = createRevision;
    this.sinceMs = sinceMs;
    this.at = -1;
  }
}

const noPlaces: Place[] = [];
/** Up to so many places are looked at one by one. */
const lookedAtMax = 8;

export class PlaceLine {
  /** What all its keys begin with: the name and "/". */
  readonly prefix: ByteString;
  #heap: Place[] = noPlaces;
  /** The place that was the oldest when this was looked at last; it may have gone since. */
  holder: Place | undefined = undefined;
  /** Whether places came or went since then. */
  isTouched = false;
  /** Whether it is noted as empty, which it may not be any more. */
  isIdle = false;
  /** Whether it is the line of its prefix, as long as nobody has let it go. */
  isKnown = true;
  /** Its places, once there are too many to look at each. */
  #byKey: Map<ByteString, Place> | undefined = undefined;

  constructor(prefix: ByteString) {
    this.prefix = prefix;
  }

  get oldest(): Place | undefined {
    return this.#heap[0];
  }

  /** The place of a key. */
  find(key: ByteString): Place | undefined {
    if (this.#byKey !== undefined) return this.#byKey.get(key);
    for (const place of this.#heap) if (place.key === key) return place;
    return undefined;
  }

  /** Makes a place in this line for a key that has none. */
  add(key: ByteString, createRevision: number, lease: bigint, sinceMs: number): Place {
    const place = new Place(key, createRevision, lease, this, sinceMs);
    this.#join(place);
    return place;
  }

  /** Lets a place of this line that has gone, and is not `holder`, be one again, as `add` would make it of the same key and lease. */
  revive(place: Place, createRevision: number, sinceMs: number): void {
    place.createRevision = createRevision;
    place.sinceMs = sinceMs;
    this.#join(place);
  }

  #join(place: Place): void {
    place.at = this.#heap.length;
    // Most have one at a time, and an array made for that is a tenth of one that was pushed to.
    if (this.#heap.length === 0) this.#heap = [place];
    else {
      this.#heap.push(place);
      this.#rise(place);
    }
    if (this.#byKey !== undefined) this.#byKey.set(place.key, place);
    else if (this.#heap.length > lookedAtMax) this.#byKey = new Map(this.#heap.map((each) => [each.key, each]));
  }

  /** Takes out a place that is in this line. */
  remove(place: Place): void {
    const { at } = place;
    const last = this.#heap.pop() as Place;
    if (this.#heap.length === 0) this.#byKey = undefined;
    else this.#byKey?.delete(place.key);
    place.at = -1;
    if (last === place) return;
    this.#set(last, at);
    this.#rise(last);
    this.#sink(last);
  }

  #set(place: Place, at: number): void {
    this.#heap[at] = place;
    place.at = at;
  }

  #rise(place: Place): void {
    while (place.at > 0) {
      const above = this.#heap[(place.at - 1) >> 1] as Place;
      if (isOlder(above, place)) return;
      this.#swap(place, above);
    }
  }

  #sink(place: Place): void {
    for (;;) {
      const left = this.#heap[2 * place.at + 1];
      const right = this.#heap[2 * place.at + 2];
      if (left === undefined) return;
      const below = right !== undefined && isOlder(right, left) ? right : left;
      if (isOlder(place, below)) return;
      this.#swap(place, below);
    }
  }

  #swap(one: Place, other: Place): void {
    const { at } = one;
    this.#set(one, other.at);
    this.#set(other, at);
  }
}

/** Keys made by one transaction share a revision; among them the byte-smallest comes first (ELECT-2). */
function isOlder(one: Place, other: Place): boolean {
  const { createRevision } = other;
  return one.createRevision < createRevision || (one.createRevision === createRevision && one.key < other.key);
}

/** The hex of 64 bits and a sign. */
export const leaseCharsMax = 17;
const slash = 0x2f;

/**
 * Where the last part of a key begins that could be a lease in hex; -1 for all other keys, most of which are told by
 * their last few characters.
 */
export function leasePartStart(key: ByteString): number {
  const least = Math.max(0, key.length - 1 - leaseCharsMax);
  for (let at = key.length - 1; at >= least; at--) {
    const code = key.charCodeAt(at);
    if (code === slash) return at + 1;
    if (!isLeaseChar(code)) return -1;
  }
  return -1;
}

/** 0-9, a-f, and the minus of a negative id. */
function isLeaseChar(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x61 && code <= 0x66) || code === 0x2d;
}

/**
 * The name and "/" of a key that is a place when it is attached to `lease`; undefined when it is none (LOCK-1).
 */
export function placePrefix(key: ByteString, lease: bigint): ByteString | undefined {
  const start = leasePartStart(key);
  if (start === -1 || !endsAt(key, start, lease.toString(16))) return undefined;
  return key.slice(0, start) as ByteString;
}

/** Whether all of `key` from `start` on is `text`: told without cutting it off, because comparing a cutting takes longer. */
function endsAt(key: ByteString, start: number, text: string): boolean {
  if (key.length - start !== text.length) return false;
  for (let at = 0; at < text.length; at++) if (key.charCodeAt(start + at) !== text.charCodeAt(at)) return false;
  return true;
}
