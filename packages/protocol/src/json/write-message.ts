/** From messages to JSON, as Go's protojson does it with etcd's options (etcd-v3-wire.md 4.2). */

import type { ByteString } from "../byte-string.js";
import type { FieldDescriptor, MessageCodec } from "../runtime/descriptors.js";
import { formatInteger } from "./integer.js";
import { JsonOutput } from "./json-output.js";
import { Mark } from "./json-reader.js";
import { type FieldPlan, type MessagePlan, planOf, planOfElement } from "./message-plan.js";

/** One for all: a message is written in one go. */
const scratch = new JsonOutput();

/**
 * `message` as JSON, without whitespace: names as in the .proto file, defaults left out except in the arm of a oneof
 * that is set, 64-bit integers as strings, bytes as base64, enums by name. `google.protobuf.Any`, which no method
 * uses, is written like any other message.
 */
export function messageToJson<Message>(codec: MessageCodec<Message>, message: Message): string {
  return messageToJsonShared(codec, message).toString("utf8");
}

/** The same in UTF-8, as a view into a buffer that the next message to be written as JSON overwrites. */
export function messageToJsonShared<Message>(codec: MessageCodec<Message>, message: Message): Buffer {
  scratch.reset();
  writeMessage(scratch, planOf(codec as MessageCodec<unknown>), message as Record<string, unknown>);
  return scratch.view();
}

function writeMessage(output: JsonOutput, plan: MessagePlan, message: Record<string, unknown>): void {
  output.byte(Mark.openBrace);
  let isFirst = true;
  for (const field of plan.fields) {
    const value = message[field.property];
    if (isLeftOut(field, value)) continue;
    if (!isFirst) output.byte(Mark.comma);
    isFirst = false;
    output.copy(field.prefix);
    writeField(output, field, value);
  }
  output.byte(Mark.closeBrace);
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

function writeField(output: JsonOutput, field: FieldPlan, value: unknown): void {
  const { descriptor } = field;
  if (descriptor.type === "map") writeMap(output, descriptor, value as ReadonlyMap<string, unknown>);
  else if (descriptor.repeated) writeList(output, field, value as readonly unknown[]);
  else writeValue(output, field, value);
}

function writeList(output: JsonOutput, field: FieldPlan, list: readonly unknown[]): void {
  output.byte(Mark.openBracket);
  for (let index = 0; index < list.length; index++) {
    if (index > 0) output.byte(Mark.comma);
    writeValue(output, field, list[index]);
  }
  output.byte(Mark.closeBracket);
}

/** In the order of the keys' UTF-16 units. */
function writeMap(output: JsonOutput, descriptor: FieldDescriptor, map: ReadonlyMap<string, unknown>): void {
  const plan = planOfElement(descriptor);
  output.byte(Mark.openBrace);
  let isFirst = true;
  for (const key of [...map.keys()].sort()) {
    if (!isFirst) output.byte(Mark.comma);
    isFirst = false;
    output.string(key);
    output.byte(Mark.colon);
    writeMessage(output, plan, map.get(key) as Record<string, unknown>);
  }
  output.byte(Mark.closeBrace);
}

function writeValue(output: JsonOutput, { descriptor, enumNames }: FieldPlan, value: unknown): void {
  switch (descriptor.type) {
    case "message":
      writeMessage(output, planOfElement(descriptor), value as Record<string, unknown>);
      return;
    case "bytes":
      output.byte(Mark.quote);
      if (descriptor.representation === "byteString") output.base64OfByteString(value as ByteString);
      else output.base64OfBytes(value as Uint8Array);
      output.byte(Mark.quote);
      return;
    case "int64":
    case "uint64":
      output.byte(Mark.quote);
      output.ascii(formatInteger(value as number | bigint, descriptor.type));
      output.byte(Mark.quote);
      return;
    case "enum":
      writeEnum(output, enumNames.get(value as number), value as number);
      return;
    case "string":
      output.string(value as string);
      return;
    default:
      output.ascii(String(value));
  }
}

function writeEnum(output: JsonOutput, name: string | undefined, value: number): void {
  if (name === undefined) output.ascii(String(value));
  else output.string(name);
}
