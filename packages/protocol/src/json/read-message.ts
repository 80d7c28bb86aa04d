/** From JSON to messages, as Go's protojson does it with etcd's options (etcd-v3-wire.md 4.2). */

import type { ByteString } from "../byte-string.js";
import { messageDepthMax } from "../limits.js";
import type { FieldDescriptor, MessageCodec } from "../runtime/descriptors.js";
import type { Mutable } from "../runtime/mutable.js";
import { emptyBytes } from "../runtime/wire-format.js";
import { bufferFromBase64 } from "./base64.js";
import { type IntegerType, parseInteger } from "./integer.js";
import type { JsonError } from "./json-error.js";
import { JsonReader, Mark } from "./json-reader.js";
import { type FieldPlan, type MessagePlan, planOf, planOfElement } from "./message-plan.js";

/**
 * The message that the first value of `text` stands for; what follows it is not looked at. Without a value it is the
 * empty message. Throws `JsonError`.
 */
export function messageFromJson<Message>(codec: MessageCodec<Message>, text: string): Message {
  return new JsonMessages(codec, text).next() ?? codec.create();
}

/** Reads messages that stand one after the other, with whitespace or nothing in between. */
export class JsonMessages<Message> {
  readonly #reader: JsonReader;
  readonly #plan: MessagePlan;

  constructor(codec: MessageCodec<Message>, text: string) {
    this.#reader = new JsonReader(text);
    this.#plan = planOf(codec as MessageCodec<unknown>);
  }

  /** Index of the first character that was not read. */
  get position(): number {
    return this.#reader.position;
  }

  /** The next message; undefined behind the last. Throws `JsonError`, after which there is no going on. */
  next(): Message | undefined {
    this.#reader.beginValue();
    if (this.#reader.peek() === Mark.end) return undefined;
    return readMessage(this.#reader, this.#plan, 0) as Message;
  }
}

type Fields = Mutable<Record<string, unknown>>;

/** A value that is left out: the name of an enum's value that we do not know. */
const unknownName = Symbol("unknown name");

function readMessage(reader: JsonReader, plan: MessagePlan, depth: number): unknown {
  if (reader.peek() !== Mark.openBrace) throw valueExpected(reader);
  if (depth >= messageDepthMax) throw reader.unexpected("exceeded max depth");
  reader.position++;
  const message = plan.codec.create() as Fields;
  let seen = 0;
  let arms = 0;
  for (let isFirst = true; reader.more(Mark.closeBrace, isFirst, "after object key:value pair"); isFirst = false) {
    reader.peek();
    const start = reader.position;
    const name = reader.name();
    const field = plan.byName.get(name);
    if (field === undefined) {
      reader.skipValue();
      continue;
    }
    if ((seen & field.bit) !== 0) throw reader.errorAt(start, `duplicate field ${JSON.stringify(name)}`);
    seen |= field.bit;
    if (reader.takeNull()) continue;
    if ((arms & field.oneofBits) !== 0) throw reader.errorAt(start, alreadySet(name, plan, field));
    arms |= field.bit;
    readField(reader, field, message, depth);
  }
  return message;
}

function alreadySet(name: string, { codec }: MessagePlan, { descriptor }: FieldPlan): string {
  return `error parsing ${JSON.stringify(name)}, oneof ${codec.typeName}.${descriptor.oneof} is already set`;
}

function readField(reader: JsonReader, field: FieldPlan, message: Fields, depth: number): void {
  if (field.descriptor.type === "map") message[field.property] = readMap(reader, field.descriptor, depth);
  else if (field.descriptor.repeated) message[field.property] = readList(reader, field, depth);
  else {
    const value = readValue(reader, field.descriptor, depth);
    if (value !== unknownName) message[field.property] = value;
  }
}

function readList(reader: JsonReader, field: FieldPlan, depth: number): unknown[] {
  if (reader.peek() !== Mark.openBracket) throw valueExpected(reader);
  reader.position++;
  const list: unknown[] = [];
  for (let isFirst = true; reader.more(Mark.closeBracket, isFirst, "after array element"); isFirst = false) {
    const value = readValue(reader, field.descriptor, depth);
    if (value !== unknownName) list.push(value);
  }
  return list;
}

function readMap(reader: JsonReader, descriptor: FieldDescriptor, depth: number): Map<string, unknown> {
  if (reader.peek() !== Mark.openBrace) throw valueExpected(reader);
  reader.position++;
  const map = new Map<string, unknown>();
  const plan = planOfElement(descriptor);
  for (let isFirst = true; reader.more(Mark.closeBrace, isFirst, "after object key:value pair"); isFirst = false) {
    reader.peek();
    const start = reader.position;
    const key = reader.name();
    if (map.has(key)) throw reader.errorAt(start, `duplicate map key ${JSON.stringify(key)}`);
    map.set(key, readMessage(reader, plan, depth + 1));
  }
  return map;
}

function readValue(reader: JsonReader, descriptor: FieldDescriptor, depth: number): unknown {
  switch (descriptor.type) {
    case "message":
      return readMessage(reader, planOfElement(descriptor), depth + 1);
    case "bool":
      return readBoolean(reader, descriptor);
    case "string":
      return readString(reader, descriptor);
    case "bytes":
      return readBytes(reader, descriptor);
    case "enum":
      return readEnum(reader, descriptor);
    case "map":
      throw new TypeError(`field ${descriptor.name} is a map`);
    default:
      return readInteger(reader, descriptor, descriptor.type);
  }
}

function readBoolean(reader: JsonReader, descriptor: FieldDescriptor): boolean {
  const code = reader.peek();
  if (code !== Mark.lowerT && code !== Mark.lowerF) throw invalidValue(reader, descriptor);
  reader.word(code === Mark.lowerT ? "true" : "false");
  return code === Mark.lowerT;
}

function readString(reader: JsonReader, descriptor: FieldDescriptor): string {
  if (reader.peek() !== Mark.quote) throw invalidValue(reader, descriptor);
  return reader.string();
}

function readBytes(reader: JsonReader, descriptor: FieldDescriptor): Uint8Array | ByteString {
  reader.peek();
  const start = reader.position;
  const buffer = bufferFromBase64(readString(reader, descriptor));
  if (buffer === undefined) throw invalidValue(reader, descriptor, start);
  if (descriptor.representation === "byteString") return buffer.toString("latin1") as ByteString;
  return buffer.length === 0 ? emptyBytes : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}

function readEnum(reader: JsonReader, descriptor: FieldDescriptor): number | typeof unknownName {
  if (reader.peek() !== Mark.quote) return readInteger(reader, descriptor, "int32") as number;
  const values = descriptor.enumType?.values ?? {};
  const name = reader.string();
  return Object.hasOwn(values, name) ? (values[name] as number) : unknownName;
}

function readInteger(reader: JsonReader, descriptor: FieldDescriptor, type: IntegerType): number | bigint {
  const code = reader.peek();
  const start = reader.position;
  const isNumber = code === Mark.minus || (code >= Mark.zero && code <= Mark.nine);
  if (!isNumber && code !== Mark.quote) throw invalidValue(reader, descriptor);
  const value = parseInteger(isNumber ? reader.number() : reader.string(), type);
  if (value === undefined) throw invalidValue(reader, descriptor, start);
  return descriptor.representation === "bigint" ? BigInt(value) : Number(value);
}

/** An object or array is wanted. */
function valueExpected(reader: JsonReader): JsonError {
  const start = reader.position;
  // Whatever is no JSON at all is told as that.
  reader.skipValue();
  reader.position = start;
  return reader.unexpectedToken();
}

/** The value at `start`, by default the next one, is of another kind than the field. */
function invalidValue(reader: JsonReader, descriptor: FieldDescriptor, start?: number): JsonError {
  if (start !== undefined) return reader.errorAt(start, invalidText(reader, descriptor, start));
  const next = reader.position;
  reader.skipValue();
  return reader.errorAt(next, invalidText(reader, descriptor, next));
}

function invalidText(reader: JsonReader, { type, jsonName }: FieldDescriptor, start: number): string {
  return `invalid value for ${type} field ${jsonName}: ${reader.tokenAt(start)}`;
}
