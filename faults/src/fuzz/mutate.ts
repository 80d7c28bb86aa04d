/** Damages bytes in the ways that break parsers: flips, cuts, repetitions, extreme numbers, parts of other inputs. */
import type { Random } from "./random.js";

/** Bytes at which integers, lengths and flags of most formats change their meaning. */
const tellingBytes = [0x00, 0x01, 0x7f, 0x80, 0x81, 0xc0, 0xe0, 0xf0, 0xfe, 0xff] as const;

/** Numbers around which lengths overflow, as they may stand in a field of four bytes. */
const tellingNumbers = [
  0, 1, 0x7f, 0x80, 0xff, 0x3fff, 0x4000, 0xffff, 0x10000, 0xffffff, 0x7fffffff, 0xffffffff,
] as const;

type Mutation = (bytes: Buffer, random: Random) => Buffer;

const mutations: readonly Mutation[] = [
  function flipBit(bytes, random) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    return bytes;
  },
  function setByte(bytes, random) {
    bytes[random.below(bytes.length)] = random.chance(2) ? random.pick(tellingBytes) : random.next();
    return bytes;
  },
  function addToByte(bytes, random) {
    const at = random.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) + random.pick([-1, 1, -8, 8]);
    return bytes;
  },
  function setNumber(bytes, random) {
    if (bytes.length < 4) return bytes;
    const at = random.below(bytes.length - 3);
    const value = random.pick(tellingNumbers);
    if (random.chance(2)) bytes.writeUInt32BE(value, at);
    else bytes.writeUInt32LE(value, at);
    return bytes;
  },
  function cut(bytes, random) {
    return bytes.subarray(0, random.below(bytes.length + 1));
  },
  function remove(bytes, random) {
    const [from, to] = span(bytes, random);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  function repeat(bytes, random) {
    const [from, to] = span(bytes, random);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from, to), bytes.subarray(to)]);
  },
  function insert(bytes, random) {
    const at = random.below(bytes.length + 1);
    const middle = random.chance(2)
      ? random.bytes(random.length(16))
      : Buffer.alloc(random.length(16), random.pick(tellingBytes));
    return Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(at)]);
  },
  function overwrite(bytes, random) {
    const [from, to] = span(bytes, random);
    bytes.fill(random.pick(tellingBytes), from, to);
    return bytes;
  },
  function swap(bytes, random) {
    const [from, to] = span(bytes, random);
    const [at] = span(bytes, random);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(from, to), bytes.subarray(at)]);
  },
];

/** A copy of `original` with one to a handful of changes. */
export function mutate(original: Uint8Array, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(original);
  for (let left = 1 + random.length(6); left > 0; left--) bytes = random.pick(mutations)(bytes, random);
  return bytes;
}

/** The beginning of one and the end of another input. */
export function splice(one: Uint8Array, other: Uint8Array, random: Random): Buffer {
  return Buffer.concat([one.subarray(0, random.below(one.length + 1)), other.subarray(random.below(other.length + 1))]);
}

/** A part of the bytes, usually a short one. */
function span(bytes: Buffer, random: Random): [from: number, to: number] {
  const from = random.below(bytes.length + 1);
  return [from, from + random.length(Math.min(bytes.length - from, 64))];
}
