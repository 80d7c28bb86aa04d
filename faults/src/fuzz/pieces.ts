/** Cuts a stream of bytes as a network may: whole, byte by byte, or anywhere. */
import { Random } from "./random.js";

/** Pieces so small are few: each costs a turn. */
const singleBytesMax = 600;

/** The pieces of `bytes` that the number `cuts` stands for; 0 is all in one. */
export function pieces(bytes: Buffer, cuts: number): Buffer[] {
  if (cuts === 0 || bytes.length === 0) return [bytes];
  const random = new Random(cuts);
  const isBytewise = random.chance(8) && bytes.length <= singleBytesMax;
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = isBytewise ? 1 : 1 + random.length(random.pick([16, 100, 4_000]));
    found.push(bytes.subarray(at, at + length));
    at += length;
  }
  return found;
}
