/**
 * Header blocks that the connections of one server or client send alike, and what they mean.
 *
 * With a thousand clients that make the same call, a thousand lists say the same. Kept once, the list and what was derived
 * from it stay in the processor's cache.
 *
 * What is kept here outlives its connection, so that nothing may be that could be a secret (fault model F50).
 */
import type { HeaderList } from "./header-list.js";

/** Room for the calls that are made most; what comes later takes the place of another. */
const SLOTS = 128;
/** Larger lists are kept by their connection alone: all of these together take a few hundred KiB at most. */
const LIST_BYTES_MAX = 2_048;
/** What clients of gRPC and of etcd send with every call. Lists with any other name are kept by their connection alone. */
const PUBLIC_NAMES: ReadonlySet<string> = new Set([
  ":method",
  ":scheme",
  ":path",
  ":authority",
  "content-type",
  "te",
  "user-agent",
  "grpc-encoding",
  "grpc-accept-encoding",
  "accept-encoding",
  "client-api-version",
  "hasleader",
]);
/** A path with a query, an authority with a user. */
const MAY_CARRY_MORE = /[?@]/;

/** Octets that meant `list` to the connections that hold this object. */
export class KnownBlock {
  readonly octets: Uint8Array;
  readonly list: HeaderList;
  #isFrozen = false;

  constructor(octets: Uint8Array, list: HeaderList) {
    this.octets = octets;
    this.list = list;
  }

  /** Whether the octets are `block[start, end)`. From the end: blocks of one client begin alike and differ in the path or behind it. */
  matches(block: Uint8Array, start: number, end: number): boolean {
    const { octets } = this;
    if (octets.length !== end - start) return false;
    for (let i = octets.length - 1; i >= 0; i--) if (octets[i] !== block[start + i]) return false;
    return true;
  }

  /** The list, which nobody can change. Freezing takes some 75 ns, so it waits until a list is in fact given out twice. */
  take(): HeaderList {
    if (!this.#isFrozen) this.#freeze();
    return this.list;
  }

  #freeze(): void {
    Object.freeze(this.list.names);
    Object.freeze(this.list.values);
    this.#isFrozen = true;
  }
}

/** A block of which nobody else knows. */
export function knownBlock(block: Uint8Array, start: number, end: number, list: HeaderList): KnownBlock {
  return new KnownBlock(Uint8Array.prototype.slice.call(block, start, end), list);
}

/** One for all decoders of a server or client. */
export class KnownBlocks {
  readonly #slots = new Array<KnownBlock | undefined>(SLOTS).fill(undefined);

  /** What `block[start, end)`, decoded to `list`, is known as: the same object for all who say so and mean the same. */
  know(block: Uint8Array, start: number, end: number, list: HeaderList): KnownBlock {
    const slot = slotOf(block, start, end);
    const known = this.#slots[slot];
    if (known?.matches(block, start, end) && isSame(known.list, list)) return known;
    const fresh = knownBlock(block, start, end, list);
    if (mayBeShared(list)) this.#slots[slot] = fresh;
    return fresh;
  }
}

function mayBeShared({ names, values, bytes, refusal }: HeaderList): boolean {
  // A list that was refused is given without its fields: nobody knows what they are.
  if (bytes > LIST_BYTES_MAX || refusal !== undefined) return false;
  return names.every(
    (name, at) => PUBLIC_NAMES.has(name) && !(name.startsWith(":") && MAY_CARRY_MORE.test(values[at])),
  );
}

/** The same octets mean different lists where the dynamic tables differ. */
function isSame(one: HeaderList, other: HeaderList): boolean {
  if (one.bytes !== other.bytes || one.refusal !== other.refusal || one.wellFormed !== other.wellFormed) return false;
  return hasSameStrings(one.names, other.names) && hasSameStrings(one.values, other.values);
}

function hasSameStrings(one: readonly string[], other: readonly string[]): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}

function slotOf(block: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + block[i]) | 0;
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}
