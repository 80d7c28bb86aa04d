/** Header blocks (RFC 7541) to be fuzzed with: those of a real encoder, ones put together by hand, and damage to both. */
import { HeaderBlockWriter, HpackEncoder } from "@holdfast/transport/testing";
import { mutate } from "./mutate.js";
import type { Random } from "./random.js";

const names = [
  ":path",
  ":method",
  "te",
  "cookie",
  "token",
  "x",
  "y-bin",
  "grpc-timeout",
  "content-type",
  "authorization",
] as const;
const legalNames = ["cookie", "token", "x", "y-bin", "grpc-timeout", "authorization", "z"] as const;
const tableSizes = [0, 31, 32, 100, 4_095, 4_096] as const;

/** The blocks of one connection; about every second connection has damaged ones. */
export function headerBlocks(random: Random): Buffer[] {
  const encoder = new HpackEncoder({ indexingFor: () => random.pick(["incremental", "incremental", "none", "never"]) });
  const isDamaged = random.chance(2);
  return Array.from({ length: 1 + random.length(8) }, () => {
    const block = random.chance(3) ? blockByHand(random) : encodedBlock(encoder, random);
    return isDamaged && random.chance(2) ? mutate(block, random) : block;
  });
}

function encodedBlock(encoder: HpackEncoder, random: Random): Buffer {
  if (random.chance(10)) encoder.setPeerTableBytesMax(random.pick(tableSizes));
  const fields = random.chance(2) ? request(random) : anyFields(random);
  const out = new HeaderBlockWriter();
  encoder.encode({ names: fields.map(([name]) => name), values: fields.map(([, value]) => value) }, out);
  return Buffer.from(out.copy());
}

/** As HTTP wants it, so that the other implementation gives it to whoever asks. */
function request(random: Random): [name: string, value: string][] {
  const count = random.length(8);
  return [
    [":method", "GET"],
    [":scheme", "http"],
    [":path", `/${random.below(5)}`],
    [":authority", "localhost"],
    ...Array.from({ length: count }, (): [string, string] => [random.pick(legalNames), legalValueOf(random)]),
  ];
}

function anyFields(random: Random): [name: string, value: string][] {
  return Array.from({ length: random.length(12) }, () => [random.pick(names), anyValueOf(random)]);
}

function legalValueOf(random: Random): string {
  return random.chance(8) ? "v".repeat(random.pick([100, 1_000, 4_060, 4_100])) : `${random.below(30)} ~!`;
}

/** Representations in any order and of any size, many of them wrong. */
function blockByHand(random: Random): Buffer {
  const parts: Buffer[] = [];
  for (let left = random.length(20); left > 0; left--) {
    switch (random.below(6)) {
      case 0:
        parts.push(integer(random, 0x80, 7, 1 + random.below(70)));
        break;
      case 1:
        parts.push(
          integer(random, 0x40, 6, random.below(66)),
          ...(random.chance(2) ? [] : [string(random)]),
          string(random),
        );
        break;
      case 2:
        parts.push(Buffer.from([random.pick([0, 0x10])]), string(random), string(random));
        break;
      case 3:
        parts.push(integer(random, random.pick([0, 0x10]), 4, 1 + random.below(64)), string(random));
        break;
      case 4:
        parts.unshift(integer(random, 0x20, 5, random.pick(tableSizes)));
        break;
      default:
        parts.push(random.bytes(random.length(6)));
    }
  }
  return Buffer.concat(parts);
}

function anyValueOf(random: Random): string {
  if (random.chance(30)) return "v".repeat(random.pick([1_000, 4_000, 5_000]));
  return random.chance(3) ? random.bytes(random.length(20)).toString("latin1") : `${random.below(30)}`;
}

/** Now and then in more octets than it needs. */
function integer(random: Random, pattern: number, prefixBits: number, value: number): Buffer {
  const most = 2 ** prefixBits - 1;
  if (value < most && !random.chance(30)) return Buffer.from([pattern | value]);
  const octets = [pattern | most];
  let left = Math.max(0, value - most);
  for (; left >= 128; left >>= 7) octets.push((left & 127) | 128);
  if (random.chance(20)) octets.push(left | 128, 0);
  else octets.push(left);
  return Buffer.from(octets);
}

function string(random: Random): Buffer {
  const bytes = random.bytes(random.length(24));
  return Buffer.concat([integer(random, random.pick([0, 0, 0x80]), 7, bytes.length), bytes]);
}
