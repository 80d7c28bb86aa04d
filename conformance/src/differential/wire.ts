// Messages between scripts and the wire: plain objects whose `bytes` fields are text, one character (0-255) per byte.
//
// Everything comes from the .proto files of the workspace, so a script can name every method and field there is. 64-bit
// integers are numbers as long as they are exact, decimal text beyond that; enums are their names, and numbers where
// they have none. What the wire carries beyond the .proto files is kept under `$unknown`, so that it is compared too.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  Enum,
  type Field,
  Namespace,
  type NamespaceBase,
  type Message as ProtobufMessage,
  Root,
  Service,
  Type,
} from "protobufjs";

/** A field's value as scripts read it. */
export type Value = string | number | boolean | null | Message | readonly Value[];

/** A message as scripts read it: every field is there, an absent message as null, unset members of a oneof left out. */
export interface Message {
  readonly [field: string]: Value;
}

/** A message as scripts write it: fields not given are not sent. */
export interface Request {
  readonly [field: string]: RequestValue;
}
export type RequestValue =
  | string
  | number
  | bigint
  | boolean
  | Uint8Array
  | Request
  | readonly RequestValue[]
  | undefined;

/** A method of one of the services. */
export interface Method {
  /** `/etcdserverpb.KV/Put` */
  readonly path: string;
  readonly request: Type;
  readonly response: Type;
}

const protoFolder = fileURLToPath(new URL("../../../packages/protocol/proto/", import.meta.url));
const root = loadRoot();

function loadRoot(): Root {
  const loaded = new Root();
  loaded.resolvePath = (_origin, target) => (target.startsWith(protoFolder) ? target : join(protoFolder, target));
  const files = readdirSync(protoFolder, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".proto"),
  );
  loaded.loadSync(files, { keepCase: true });
  loaded.resolveAll();
  return loaded;
}

/** The method `package.Service/Name`; throws when the .proto files do not have it. */
export function methodNamed(name: string): Method {
  const [serviceName = "", methodName = ""] = name.split("/");
  const service: Service = root.lookupService(serviceName);
  const method = service.methods[methodName];
  if (method === undefined) {
    throw new Error(`the .proto files have no ${name}`);
  }
  const { requestType, responseType } = method;
  return { path: `/${name}`, request: service.lookupType(requestType), response: service.lookupType(responseType) };
}

/** Every method that the .proto files have, as `package.Service/Name`. */
export function methodNames(): readonly string[] {
  return servicesUnder(root).flatMap((service) =>
    service.methodsArray.map(({ name }) => `${service.fullName.slice(1)}/${name}`),
  );
}

function servicesUnder(namespace: NamespaceBase): readonly Service[] {
  return namespace.nestedArray.flatMap((nested) => {
    if (nested instanceof Service) {
      return [nested];
    }
    return nested instanceof Namespace ? servicesUnder(nested) : [];
  });
}

/** The bytes of a request, which may be given as such; throws when it names a field or enum value that does not exist. */
export function messageBytes({ request: type }: Method, request: Request | Uint8Array): Uint8Array {
  return request instanceof Uint8Array ? request : type.encode(type.fromObject(toProtobuf(type, request))).finish();
}

/** What a message says; throws when its bytes are not such a message. */
export function decodeMessage(type: Type, bytes: Uint8Array): Message {
  return toPlain(type, type.decode(bytes));
}

/** Bytes as scripts write and read them. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

function toProtobuf(type: Type, request: Request): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(request)) {
    const field = type.fields[name];
    if (field === undefined) {
      throw new Error(`${type.fullName} has no field ${name}`);
    }
    if (value !== undefined) {
      result[name] = Array.isArray(value)
        ? value.map((item: RequestValue) => fieldToProtobuf(field, item))
        : fieldToProtobuf(field, value);
    }
  }
  return result;
}

function fieldToProtobuf(field: Field, value: RequestValue): unknown {
  if (field.resolvedType instanceof Type) {
    return toProtobuf(field.resolvedType, value as Request);
  }
  if (field.resolvedType instanceof Enum && typeof value === "string" && !(value in field.resolvedType.values)) {
    throw new Error(`${field.fullName} has no value ${value}`);
  }
  if (field.type === "bytes" && typeof value === "string") {
    return Buffer.from(value, "latin1");
  }
  return typeof value === "bigint" ? value.toString() : value;
}

type DecodedMessage = ProtobufMessage & {
  readonly [field: string]: unknown;
  readonly $unknowns?: readonly Uint8Array[];
};

function toPlain(type: Type, message: ProtobufMessage): Message {
  const decoded = message as DecodedMessage;
  const result: Record<string, Value> = {};
  for (const field of type.fieldsArray) {
    const value = Object.hasOwn(decoded, field.name) ? decoded[field.name] : undefined;
    if (field.map) {
      const entries = Object.entries((value ?? {}) as Readonly<Record<string, unknown>>);
      result[field.name] = Object.fromEntries(entries.map(([key, item]) => [key, fieldToPlain(field, item)]));
    } else if (field.repeated) {
      result[field.name] = ((value ?? []) as readonly unknown[]).map((item) => fieldToPlain(field, item));
    } else if (value !== undefined && value !== null) {
      result[field.name] = fieldToPlain(field, value);
    } else if (field.partOf === null) {
      result[field.name] = defaultOf(field);
    }
  }
  const unknown = decoded.$unknowns ?? [];
  return unknown.length === 0
    ? result
    : { ...result, $unknown: unknown.map((bytes) => Buffer.from(bytes).toString("hex")) };
}

function fieldToPlain(field: Field, value: unknown): Value {
  const { resolvedType } = field;
  if (resolvedType instanceof Type) {
    return toPlain(resolvedType, value as ProtobufMessage);
  }
  if (resolvedType instanceof Enum) {
    return resolvedType.valuesById[value as number] ?? (value as number);
  }
  if (value instanceof Uint8Array) {
    return textOf(value);
  }
  if (typeof value === "object" && value !== null) {
    return exactInteger(String(value));
  }
  return value as Value;
}

function defaultOf(field: Field): Value {
  if (field.resolvedType instanceof Type) {
    return null;
  }
  if (field.resolvedType instanceof Enum) {
    return field.resolvedType.valuesById[0] ?? 0;
  }
  const zeros: Readonly<Record<string, Value>> = { string: "", bytes: "", bool: false };
  return zeros[field.type] ?? 0;
}

/** A 64-bit integer: a number while that is exact, else its decimal text. */
function exactInteger(decimal: string): number | string {
  const number = Number(decimal);
  return Number.isSafeInteger(number) ? number : decimal;
}
