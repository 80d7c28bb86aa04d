/**
 * Random messages of every type, made from the descriptors alone. For tests.
 */

import fc from "fast-check";
import { byteStringFromBytes } from "../byte-string.js";
import type { FieldDescriptor, MessageCodec } from "../runtime/descriptors.js";

const nestingMax = 3;
const listLengthMax = 3;

/** Messages of one type. Every value they hold survives encoding and decoding. */
export function messageArbitrary(codec: MessageCodec<unknown>, nesting = 0): fc.Arbitrary<unknown> {
  const plain = codec.fields.filter((field) => field.oneof === undefined);
  const oneofs = [...new Set(codec.fields.map((field) => field.oneof))].filter((name) => name !== undefined);
  const parts: fc.Arbitrary<Record<string, unknown>>[] = [
    fc.record(Object.fromEntries(plain.map((field) => [field.property, fieldArbitrary(field, nesting)]))),
    ...oneofs.map((name) => oneofArbitrary(codec, name, nesting)),
  ];
  return fc.tuple(...parts).map((objects) => codec.create(Object.assign({}, ...objects)));
}

function oneofArbitrary(codec: MessageCodec<unknown>, oneof: string, nesting: number) {
  const arms = codec.fields.filter((field) => field.oneof === oneof);
  const set = arms
    .filter((field) => field.type !== "message" || nesting < nestingMax)
    .map((field) => valueArbitrary(field, nesting).map((value) => ({ [field.property]: value })));
  return fc.oneof(fc.constant({}), ...set);
}

function fieldArbitrary(field: FieldDescriptor, nesting: number): fc.Arbitrary<unknown> {
  if (field.type === "message" && nesting >= nestingMax) return fc.constant(field.repeated ? [] : undefined);
  const value = valueArbitrary(field, nesting);
  if (field.type === "map") {
    const key = textArbitrary.filter((text) => text !== "__proto__");
    return fc.array(fc.tuple(key, value), { maxLength: listLengthMax }).map((entries) => new Map(entries));
  }
  if (field.repeated) return fc.array(value, { maxLength: listLengthMax });
  return field.type === "message" ? fc.option(value, { nil: undefined }) : value;
}

const textArbitrary = fc.string({ unit: "binary", maxLength: 20 });

function valueArbitrary(field: FieldDescriptor, nesting: number): fc.Arbitrary<unknown> {
  if (field.messageType !== undefined) return messageArbitrary(field.messageType(), nesting + 1);
  switch (`${field.type}/${field.representation}`) {
    case "bool/boolean":
      return fc.boolean();
    case "string/string":
      return textArbitrary;
    case "bytes/bytes":
      return bytesArbitrary();
    case "bytes/byteString":
      return bytesArbitrary().map(byteStringFromBytes);
    case "int64/bigint":
      return withExtremes(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), [
        0n,
        -1n,
        2n ** 63n - 1n,
        -(2n ** 63n),
      ]);
    case "uint64/bigint":
      return withExtremes(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), [0n, 2n ** 64n - 1n, 2n ** 63n, 2n ** 32n]);
    case "int64/number":
      return withExtremes(fc.maxSafeInteger(), [0, -1, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63, -(2 ** 63), -(2 ** 32)]);
    case "uint64/number":
      return withExtremes(fc.maxSafeNat(), [0, 2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63, 2 ** 64]);
    case "uint32/number":
      return withExtremes(fc.nat({ max: 2 ** 32 - 1 }), [0, 127, 128, 2 ** 31, 2 ** 32 - 1]);
    case "int32/number":
    case "enum/number":
      return withExtremes(fc.integer(), [0, 1, 2, 127, 128, 2 ** 31 - 1, -(2 ** 31)]);
    default:
      throw new Error(`no arbitrary for ${field.name}: ${field.type}/${field.representation}`);
  }
}

function withExtremes<T>(usual: fc.Arbitrary<T>, extremes: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(usual, fc.constantFrom(...extremes));
}

/** Lengths on both sides of every threshold of reader and writer. */
function bytesArbitrary(): fc.Arbitrary<Uint8Array> {
  const lengths = [15, 16, 17, 24, 25, 64, 65, 127, 128, 1024, 1025];
  return fc.oneof(
    { weight: 10, arbitrary: fc.uint8Array({ maxLength: 20 }) },
    { weight: 1, arbitrary: fc.constantFrom(...lengths).map((length) => new Uint8Array(length).fill(length)) },
  );
}
