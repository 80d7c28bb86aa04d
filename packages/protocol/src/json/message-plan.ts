/** What reading and writing JSON needs to know of a message type, worked out once for each. */

import type { EnumDescriptor, FieldDescriptor, MessageCodec } from "../runtime/descriptors.js";

export interface FieldPlan {
  readonly descriptor: FieldDescriptor;
  readonly property: string;
  /** A bit of its own among the fields of the message. */
  readonly bit: number;
  /** Bits of all arms of its oneof, or 0. */
  readonly oneofBits: number;
  /** The name as it is written, in UTF-8: in quotes, with the colon. */
  readonly prefix: Uint8Array;
  readonly enumNames: ReadonlyMap<number, string>;
}

export interface MessagePlan {
  readonly codec: MessageCodec<unknown>;
  readonly fields: readonly FieldPlan[];
  /** Under both of its names. */
  readonly byName: ReadonlyMap<string, FieldPlan>;
}

const plans = new WeakMap<MessageCodec<unknown>, MessagePlan>();
/** Bit operations have 32 bits. */
const fieldsMax = 31;

export function planOf(codec: MessageCodec<unknown>): MessagePlan {
  const known = plans.get(codec);
  if (known !== undefined) return known;
  if (codec.fields.length > fieldsMax) throw new RangeError(`${codec.typeName} has more than ${fieldsMax} fields`);
  const fields = codec.fields.map((descriptor, index) => planField(codec, descriptor, index));
  const names = fields.flatMap((field): [string, FieldPlan][] => [
    [field.descriptor.jsonName, field],
    [field.descriptor.name, field],
  ]);
  const plan: MessagePlan = { codec, fields, byName: new Map(names) };
  plans.set(codec, plan);
  return plan;
}

/** The plan of the message type in the field, which must have one. */
export function planOfElement(descriptor: FieldDescriptor): MessagePlan {
  if (descriptor.messageType === undefined) throw new TypeError(`field ${descriptor.name} holds no messages`);
  return planOf(descriptor.messageType());
}

function planField(codec: MessageCodec<unknown>, descriptor: FieldDescriptor, index: number): FieldPlan {
  const { oneof } = descriptor;
  const isSibling = (other: FieldDescriptor): boolean => oneof !== undefined && other.oneof === oneof;
  return {
    descriptor,
    property: descriptor.property,
    bit: 1 << index,
    oneofBits: codec.fields.reduce((bits, other, at) => (isSibling(other) ? bits | (1 << at) : bits), 0),
    prefix: Buffer.from(`${JSON.stringify(descriptor.name)}:`, "utf8"),
    enumNames: namesByNumber(descriptor.enumType),
  };
}

function namesByNumber(type: EnumDescriptor | undefined): ReadonlyMap<number, string> {
  const entries = Object.entries(type?.values ?? {}).map(([name, number]): [number, string] => [number, name]);
  // Of several names for one number the first counts.
  return new Map(entries.reverse());
}
