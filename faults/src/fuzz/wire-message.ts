/**
 * Protobuf messages to be fuzzed with: valid ones of any type, made from the descriptors alone, and ones that are wrong in
 * the ways only somebody who knows the wire format can make them wrong. Writes the wire format by itself, so that nothing
 * of the code under test has a say in what is sent to it.
 */
import type { FieldDescriptor, MessageCodec } from "@holdfast/protocol";
import { mutate } from "./mutate.js";
import type { Random } from "./random.js";

const nestingMax = 6;
const varintLimits = [
  0n,
  1n,
  127n,
  128n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 53n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 1n,
] as const;
const keys = ["a", "b", "\0", "\xff", "__proto__", "constructor", "", "ab", "\ufeff", "\u{1f512}"] as const;

/** One in so many parts of a damaged message is wrong in itself. */
const wrongOneIn = 8;

/** The encoding of a random message of the type. */
export function validMessage(codec: MessageCodec<unknown>, random: Random): Buffer {
  return messageOf(codec, random, 0, false);
}

/** A message that is wrong somewhere: in its structure, in its bytes, or in both. */
export function damagedMessage(codec: MessageCodec<unknown>, random: Random): Buffer {
  const message = messageOf(codec, random, 0, true);
  return random.chance(2) ? mutate(message, random) : message;
}

function messageOf(codec: MessageCodec<unknown>, random: Random, nesting: number, isDamaged: boolean): Buffer {
  const parts: Buffer[] = [];
  const { fields } = codec;
  for (let left = fields.length === 0 ? 0 : random.below(fields.length + 3); left > 0; left--) {
    const field = random.pick(fields);
    parts.push(
      isDamaged && random.chance(wrongOneIn)
        ? wrongField(field, random, nesting)
        : goodField(field, random, nesting, isDamaged),
    );
  }
  return Buffer.concat(parts);
}

function goodField(field: FieldDescriptor, random: Random, nesting: number, isDamaged: boolean): Buffer {
  switch (field.type) {
    case "message":
    case "map":
      return lengthDelimited(field.number, nestedValue(field, random, nesting, isDamaged));
    case "string":
      return lengthDelimited(field.number, Buffer.from(random.pick(keys)));
    case "bytes":
      return lengthDelimited(field.number, bytesOf(random));
    default:
      return field.repeated && random.chance(2)
        ? packed(field.number, random)
        : tagged(field.number, 0, varintOf(random));
  }
}

function nestedValue(field: FieldDescriptor, random: Random, nesting: number, isDamaged: boolean): Buffer {
  const codec = field.messageType?.();
  if (codec === undefined || nesting >= nestingMax) return Buffer.alloc(0);
  const value = messageOf(codec, random, nesting + 1, isDamaged);
  if (field.type !== "map") return value;
  return Buffer.concat([lengthDelimited(1, Buffer.from(random.pick(keys))), lengthDelimited(2, value)]);
}

/** Wrong wire types, lengths that lie, groups, unknown and impossible numbers, nesting without end. */
function wrongField(field: FieldDescriptor, random: Random, nesting: number): Buffer {
  const { number } = field;
  switch (random.below(9)) {
    case 0:
      return tagged(number, random.below(8), random.bytes(random.length(12)));
    case 1:
      return Buffer.concat([tag(number, 2), varint(random.pick(varintLimits)), random.bytes(random.length(12))]);
    case 2:
      return Buffer.concat([tag(number, 3), goodField(field, random, nesting, true), tag(number, 4)]);
    case 3:
      return Buffer.concat([tag(number, 3), goodField(field, random, nesting, true)]);
    case 4:
      return tagged(random.pick([0, 15, 16, 999, 2 ** 29 - 1]), random.below(8), bytesOf(random));
    case 5:
      return tagged(number, 0, Buffer.concat([Buffer.alloc(random.below(12), 0xff), random.bytes(1)]));
    case 6:
      return lengthDelimited(number, Buffer.from([0xed, 0xa0, 0x80, 0xff]).subarray(random.below(3)));
    case 7:
      return nestedDeeply(number, random);
    default:
      return Buffer.concat(new Array(random.length(2_000)).fill(goodField(field, random, nestingMax, true)));
  }
}

/** The same field inside itself, far deeper than anybody means it. */
function nestedDeeply(number: number, random: Random): Buffer {
  let value: Buffer = Buffer.alloc(0);
  for (let left = random.pick([10, 99, 100, 101, 300]); left > 0; left--) {
    value = random.chance(40)
      ? Buffer.concat([tag(number, 3), value, tag(number, 4)])
      : lengthDelimited(random.chance(2) ? number : 4, value);
  }
  return value;
}

function packed(number: number, random: Random): Buffer {
  const values = Array.from({ length: random.length(8) }, () => varintOf(random));
  return lengthDelimited(number, Buffer.concat(values));
}

function bytesOf(random: Random): Buffer {
  if (random.chance(2)) return Buffer.from(random.pick(keys));
  return random.chance(20)
    ? random.bytes(random.pick([63, 64, 65, 1_023, 1_024, 1_025, 8_192]))
    : random.bytes(random.length(40));
}

function varintOf(random: Random): Buffer {
  return varint(random.chance(2) ? BigInt(random.below(200)) : random.pick(varintLimits));
}

export function lengthDelimited(number: number, value: Uint8Array): Buffer {
  return Buffer.concat([tag(number, 2), varint(BigInt(value.length)), value]);
}

function tagged(number: number, wireType: number, value: Uint8Array): Buffer {
  return Buffer.concat([tag(number, wireType), value]);
}

function tag(number: number, wireType: number): Buffer {
  return varint(BigInt(number) * 8n + BigInt(wireType));
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  bytes.push(Number(left));
  return Buffer.from(bytes);
}
