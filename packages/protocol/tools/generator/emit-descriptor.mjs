// Emits what is known of a message type at run time: its fields and functions.

import { enumDescriptorName } from "./emit-types.mjs";

export function emitCodecObject(message) {
  const { name } = message;
  return [
    `export const ${message.codec}: MessageCodec<${name}> = {`,
    `  typeName: "${message.fullName}",`,
    "  fields: [",
    ...message.fields.map((field) => `    ${fieldDescriptor(field)},`),
    "  ],",
    ...["create", "decode", "encode", "encodeShared", "write"].map((verb) => `  ${verb}: ${verb}${name},`),
    "};",
    "",
  ];
}

function fieldDescriptor(field) {
  const text = (value) => (value === undefined ? "undefined" : JSON.stringify(value));
  const entries = [
    ...["name", "jsonName", "property", "number", "type", "representation", "repeated", "oneof"].map(
      (key) => `${key}: ${text(field[key])}`,
    ),
    `enumType: ${field.type === "enum" ? enumDescriptorName(field.target.name) : "undefined"}`,
    `messageType: ${field.targetModel === undefined ? "undefined" : `() => ${field.targetModel.codec}`}`,
  ];
  return `{ ${entries.join(", ")} }`;
}
