/** From messages to JSON, as Go's protojson does it with etcd's options (etcd-v3-wire.md 4.2). */

import type { ByteString } from "../byte-string.js";
import type { FieldDescriptor, MessageCodec } from "../runtime/descriptors.js";
import { base64FromBytes } from "./base64.js";
import { formatInteger } from "./integer.js";
import { type FieldPlan, type MessagePlan, planOf, planOfElement } from "./message-plan.js";

/**
 * `message` as JSON, without whitespace: names as in the .proto file, defaults left out except in the arm of a oneof
 * that is set, 64-bit integers as strings, bytes as base64, enums by name. `google.protobuf.Any`, which no method
 * uses, is written like any other message.
 */
export function messageToJson<Message>(codec: MessageCodec<Message>, message: Message): string {
  return writeMessage(planOf(codec as MessageCodec<unknown>), message as Record<string, unknown>);
}

function writeMessage(plan: MessagePlan, message: Record<string, unknown>): string {
  let members = "";
  for (const field of plan.fields) {
    const value = message[field.property];
    if (isLeftOut(field, value)) continue;
    members += (members === "" ? "" : ",") + field.prefix + writeField(field, value);
  }
  return `{${members}}`;
}

function isLeftOut({ descriptor, oneofBits }: FieldPlan, value: unknown): boolean {
  if (value === undefined) return true;
  if (oneofBits !== 0) return false;
  if (descriptor.repeated) return (value as readonly unknown[]).length === 0;
  switch (descriptor.representation) {
    case "message":
      return false;
    case "map":
      return (value as ReadonlyMap<string, unknown>).size === 0;
    case "bytes":
      return (value as Uint8Array).length === 0;
    default:
      return value === 0 || value === 0n || value === "" || value === false;
  }
}

function writeField(field: FieldPlan, value: unknown): string {
  const { descriptor } = field;
  if (descriptor.type === "map") return writeMap(descriptor, value as ReadonlyMap<string, unknown>);
  if (!descriptor.repeated) return writeValue(field, value);
  let elements = "";
  for (const element of value as readonly unknown[]) {
    elements += (elements === "" ? "" : ",") + writeValue(field, element);
  }
  return `[${elements}]`;
}

/** In the order of the keys' UTF-16 units. */
function writeMap(descriptor: FieldDescriptor, map: ReadonlyMap<string, unknown>): string {
  const plan = planOfElement(descriptor);
  const members = [...map.keys()]
    .sort()
    .map((key) => `${JSON.stringify(key)}:${writeMessage(plan, map.get(key) as Record<string, unknown>)}`);
  return `{${members.join()}}`;
}

function writeValue({ descriptor, enumNames }: FieldPlan, value: unknown): string {
  switch (descriptor.type) {
    case "message":
      return writeMessage(planOfElement(descriptor), value as Record<string, unknown>);
    case "bytes":
      return descriptor.representation === "byteString"
        ? `"${Buffer.from(value as ByteString, "latin1").toString("base64")}"`
        : `"${base64FromBytes(value as Uint8Array)}"`;
    case "int64":
    case "uint64":
      return `"${formatInteger(value as number | bigint, descriptor.type)}"`;
    case "enum": {
      const name = enumNames.get(value as number);
      return name === undefined ? String(value) : `"${name}"`;
    }
    case "string":
      return JSON.stringify(value);
    default:
      return String(value);
  }
}
