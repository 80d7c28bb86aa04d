/** JSON to be fuzzed with: the JSON of messages, as a client might write it, and as nobody should. */
import { type FieldDescriptor, type MessageCodec, messageToJson } from "@holdfast/protocol";
import { mutate } from "./mutate.js";
import type { Random } from "./random.js";
import { validMessage } from "./wire-message.js";

const nestingMax = 5;
const wrongOneIn = 10;
const oddValues = [
  "null",
  "true",
  "0",
  "-0",
  "1e400",
  "-1e-400",
  "1.5",
  "18446744073709551616",
  "-9223372036854775809",
  '"9223372036854775807"',
  '"1e3"',
  '" 1"',
  '"\\u0000"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\x"',
  '"YQ"',
  '"YQ=="',
  '"_-8="',
  '"****"',
  "[]",
  "{}",
  "[[]]",
  '{"":0}',
  "NaN",
  "",
  "//",
  "\ufeff",
] as const;

/** The bytes of a text that stands for a message of the type, or nearly. */
export function jsonText(codec: MessageCodec<unknown>, random: Random): Buffer {
  if (random.chance(4))
    return mutate(Buffer.from(messageToJson(codec, codec.decode(validMessage(codec, random)))), random);
  const text = Buffer.from(objectText(codec, random, 0));
  return random.chance(3) ? mutate(text, random) : text;
}

function objectText(codec: MessageCodec<unknown>, random: Random, nesting: number): string {
  if (random.chance(200)) return deep(random);
  const members: string[] = [];
  for (let left = random.below(codec.fields.length + 2); left > 0; left--) {
    const field = random.pick(codec.fields);
    if (field === undefined || random.chance(wrongOneIn)) members.push(`${nameText(random)}:${random.pick(oddValues)}`);
    else
      members.push(
        `${JSON.stringify(random.chance(2) ? field.name : field.jsonName)}:${fieldText(field, random, nesting)}`,
      );
  }
  return `{${members.join(random.chance(40) ? " , " : ",")}}`;
}

function fieldText(field: FieldDescriptor, random: Random, nesting: number): string {
  if (random.chance(wrongOneIn)) return random.pick(oddValues);
  if (field.type === "map") return `{${nameText(random)}:${valueText(field, random, nesting)}}`;
  if (!field.repeated) return valueText(field, random, nesting);
  const values = Array.from({ length: random.length(6) }, () => valueText(field, random, nesting));
  return `[${values.join(",")}]`;
}

function valueText(field: FieldDescriptor, random: Random, nesting: number): string {
  const codec = field.messageType?.();
  if (codec !== undefined) return nesting < nestingMax ? objectText(codec, random, nesting + 1) : "{}";
  switch (field.type) {
    case "bool":
      return random.pick(["true", "false"]);
    case "string":
      return JSON.stringify(random.bytes(random.length(12)).toString("latin1"));
    case "bytes":
      return JSON.stringify(random.bytes(random.length(12)).toString(random.chance(2) ? "base64" : "base64url"));
    case "enum":
      return random.chance(2)
        ? JSON.stringify(random.pick(Object.keys(field.enumType?.values ?? { NONE: 0 })))
        : String(random.below(9));
    default:
      return random.chance(2)
        ? String(random.below(1_000))
        : `"${random.next()}${random.chance(2) ? random.next() : ""}"`;
  }
}

function nameText(random: Random): string {
  return random.pick(['"key"', '"__proto__"', '"constructor"', '""', '"\\u006bey"', '"k', "key", '"a\\"b"']);
}

/** Nested as deeply as a stack could be hurt by. */
function deep(random: Random): string {
  const levels = random.pick([99, 100, 101, 9_999, 10_001, 40_000]);
  const [open, close] = random.pick([
    ['{"x":', "}"],
    ["[", "]"],
    ['{"success":[{"request_txn":', "}]}"],
  ] as const);
  return open.repeat(levels) + random.pick(oddValues) + (random.chance(2) ? close.repeat(levels) : "");
}
