/**
 * An independent encoder and decoder of the same .proto files: protobufjs, by reflection. For tests.
 */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import protobuf from "protobufjs";
import { type ByteString, byteStringFromBytes, bytesFromByteString } from "../byte-string.js";
import type { FieldDescriptor, MessageCodec } from "../runtime/descriptors.js";

const protoDirectory = fileURLToPath(new URL("../../proto", import.meta.url));

const protoFiles = [
  "authpb/auth.proto",
  "etcdserverpb/rpc.proto",
  "google/protobuf/any.proto",
  "google/rpc/status.proto",
  "grpc/health/v1/health.proto",
  "grpc/reflection/v1/reflection.proto",
  "mvccpb/kv.proto",
  "v3electionpb/v3election.proto",
  "v3lockpb/v3lock.proto",
];

const root = new protobuf.Root();
root.resolvePath = (_origin, target) => join(protoDirectory, target);
root.loadSync(protoFiles, { keepCase: true });
root.resolveAll();

/** Full names of all message types in the .proto files (not those of map entries). */
export function referenceTypeNames(): string[] {
  const names: string[] = [];
  const visit = (namespace: protobuf.NamespaceBase): void => {
    for (const item of namespace.nestedArray) {
      if (item instanceof protobuf.Type) names.push(item.fullName.slice(1));
      if (item instanceof protobuf.Namespace) visit(item);
    }
  };
  visit(root);
  return names.sort();
}

/** Encodes one of our messages with protobufjs. Fields that hold their default are written, too. */
export function referenceEncode(codec: MessageCodec<unknown>, message: unknown): Uint8Array {
  const type = root.lookupType(codec.typeName);
  return type.encode(toReference(codec, message as Record<string, unknown>)).finish();
}

/** Decodes with protobufjs into one of our messages. */
export function referenceDecode(codec: MessageCodec<unknown>, bytes: Uint8Array): unknown {
  const type = root.lookupType(codec.typeName);
  return fromReference(codec, type.decode(bytes) as unknown as Record<string, unknown>);
}

function toReference(codec: MessageCodec<unknown>, message: Record<string, unknown>): Record<string, unknown> {
  const object: Record<string, unknown> = {};
  for (const field of codec.fields) {
    const value = message[field.property];
    if (value === undefined) continue;
    if (value instanceof Map) {
      object[field.name] = Object.fromEntries([...value].map(([key, element]) => [key, valueTo(field, element)]));
    } else {
      object[field.name] = field.repeated
        ? (value as unknown[]).map((element) => valueTo(field, element))
        : valueTo(field, value);
    }
  }
  return object;
}

function valueTo(field: FieldDescriptor, value: unknown): unknown {
  if (field.messageType !== undefined) return toReference(field.messageType(), value as Record<string, unknown>);
  if (field.representation === "byteString") return bytesFromByteString(value as ByteString);
  if (field.type !== "int64" && field.type !== "uint64") return value;
  const isUnsigned = field.type === "uint64";
  const bits = BigInt.asUintN(64, clamp(BigInt(value as number | bigint), isUnsigned));
  return new protobuf.util.Long(Number(bits & 0xffffffffn) | 0, Number(bits >> 32n) | 0, isUnsigned);
}

function clamp(value: bigint, isUnsigned: boolean): bigint {
  const [min, max] = isUnsigned ? [0n, 2n ** 64n - 1n] : [-(2n ** 63n), 2n ** 63n - 1n];
  return value < min ? min : value > max ? max : value;
}

function fromReference(codec: MessageCodec<unknown>, object: Record<string, unknown>): unknown {
  const fields: Record<string, unknown> = {};
  for (const field of codec.fields) {
    if (!Object.hasOwn(object, field.name)) continue;
    const value = object[field.name];
    if (value === null || value === undefined) continue;
    if (field.type === "map") {
      const entries = Object.entries(value as object).map(
        ([key, element]) => [key, valueFrom(field, element)] as const,
      );
      fields[field.property] = new Map(entries);
    } else {
      fields[field.property] = field.repeated
        ? (value as unknown[]).map((element) => valueFrom(field, element))
        : valueFrom(field, value);
    }
  }
  return codec.create(fields);
}

function valueFrom(field: FieldDescriptor, value: unknown): unknown {
  if (field.messageType !== undefined) return fromReference(field.messageType(), value as Record<string, unknown>);
  if (field.representation === "byteString") return byteStringFromBytes(value as Uint8Array);
  if (field.representation === "bytes") return new Uint8Array(value as Uint8Array);
  if (field.type !== "int64" && field.type !== "uint64") return value;
  const whole = BigInt(String(value));
  return field.representation === "bigint" ? whole : Number(whole);
}

/** The JSON object that protobufjs makes of an encoded message, with names as in the .proto file. */
export function referenceJson(codec: MessageCodec<unknown>, bytes: Uint8Array): unknown {
  const type = root.lookupType(codec.typeName);
  return type.toObject(type.decode(bytes), { longs: String, enums: String, bytes: String });
}
