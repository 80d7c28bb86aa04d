// Emits the functions that write messages.

import { defaultValue } from "./emit-types.mjs";
import { access, tagOf } from "./representations.mjs";

/** Bytes that the scalar fields of a message usually take on the wire, for the size guess of `Writer.begin`. */
const usualScalarBytes = 16;

/** Messages that may come encoded already, and the class of those that do. */
const packedForms = new Map([["mvccpb.KeyValue", "PackedKeyValue"]]);

export function emitWriter(message) {
  const { name } = message;
  const empty = message.fields.length === 0;
  return [
    ...emitSizeHint(message),
    `/** Appends the encoding of \`message\` to \`writer\`. */`,
    `export function write${name}(${empty ? "_writer" : "writer"}: Writer, ${empty ? "_message" : "message"}: ${name}): void {`,
    ...emitPackedCase(message, ["writer.packed(message);", "return;"]),
    ...emitWriteStatements(message).map((line) => `  ${line}`),
    "}",
    "",
    `/** The encoding of \`message\`, as bytes of its own. */`,
    `export function encode${name}(message: ${name}): Uint8Array {`,
    "  sharedWriter.reset();",
    `  write${name}(sharedWriter, message);`,
    "  return sharedWriter.copy();",
    "}",
    "",
    `/** The encoding of \`message\`, as a view into a buffer that the next encoding of any message overwrites. */`,
    `export function encodeShared${name}(message: ${name}): Uint8Array {`,
    "  sharedWriter.reset();",
    `  write${name}(sharedWriter, message);`,
    "  return sharedWriter.view();",
    "}",
    "",
  ];
}

function emitPackedCase(message, statements) {
  const form = packedForms.get(message.fullName);
  if (form === undefined) return [];
  return [`  if (message instanceof ${form}) {`, ...statements.map((line) => `    ${line}`), "  }"];
}

function emitWriteStatements(message) {
  const written = new Set();
  return message.fields.flatMap((field) => {
    if (field.oneof === undefined) return emitWriteField(field);
    if (written.has(field.oneof)) return [];
    written.add(field.oneof);
    return emitWriteOneof(message.oneofs.find((oneof) => oneof.name === field.oneof));
  });
}

function emitWriteOneof(oneof) {
  return oneof.arms.flatMap((arm, index) => [
    `${index === 0 ? "" : "} else "}if (message.${arm.property} !== undefined) {`,
    ...emitWriteValue(arm, `message.${arm.property}`).map((line) => `  ${line}`),
    ...(index === oneof.arms.length - 1 ? ["}"] : []),
  ]);
}

function emitWriteField(field) {
  const value = `message.${field.property}`;
  if (field.type === "map") return emitWriteMap(field, value);
  if (field.repeated) return emitWriteRepeated(field, value);
  const present = field.type === "message" ? `${value} !== undefined` : notDefault(field, value);
  return [`if (${present}) {`, ...emitWriteValue(field, value).map((line) => `  ${line}`), "}"];
}

function notDefault(field, value) {
  if (field.representation === "boolean") return value;
  if (field.representation === "bytes") return `${value}.length !== 0`;
  if (field.representation === "byteString") return `${value}.length !== 0`;
  return `${value} !== ${defaultValue(field)}`;
}

function emitWriteRepeated(field, value) {
  if (field.type !== "message" && access(field).wireType !== 2) {
    return [
      `if (${value}.length !== 0) {`,
      `  const start = writer.begin(${tagOf(field, 2)}, ${value}.length);`,
      `  for (let index = 0; index < ${value}.length; index++) writer.${access(field).read}(${value}[index]!);`,
      `  writer.end(start, ${value}.length);`,
      "}",
    ];
  }
  return [
    `for (let index = 0; index < ${value}.length; index++) {`,
    `  const element = ${value}[index]!;`,
    ...emitWriteValue(field, "element").map((line) => `  ${line}`),
    "}",
  ];
}

function emitWriteMap(field, value) {
  const type = field.target.name;
  return [
    `for (const [key, element] of ${value}) {`,
    `  const start = writer.begin(${tagOf(field, 2)}, 0);`,
    "  writer.stringField(10, key);",
    "  const valueStart = writer.begin(18, 0);",
    `  write${type}(writer, element);`,
    "  writer.end(valueStart, 0);",
    "  writer.end(start, 0);",
    "}",
  ];
}

function emitWriteValue(field, value) {
  if (field.type !== "message") {
    const { wireType, write } = access(field);
    return [`writer.${write}(${tagOf(field, wireType)}, ${value});`];
  }
  const { name } = field.target;
  if (!hasSizeHint(field.targetModel)) {
    return [
      `const start = writer.begin(${tagOf(field, 2)}, 0);`,
      `write${name}(writer, ${value});`,
      "writer.end(start, 0);",
    ];
  }
  return [
    `const expectedBytes = expectedBytesOf${name}(${value});`,
    `const start = writer.begin(${tagOf(field, 2)}, expectedBytes);`,
    `write${name}(writer, ${value});`,
    "writer.end(start, expectedBytes);",
  ];
}

/** Messages whose size can be guessed from a few lengths: no lists, no recursion, and something of variable length. */
function hasSizeHint(message) {
  if (message.recursive) return false;
  const guessable = message.fields.every(
    (field) => !field.repeated && field.type !== "map" && (field.type !== "message" || !field.targetModel.recursive),
  );
  return guessable && hintTerms(message).length > 0;
}

function hintTerms(message) {
  return message.fields.flatMap((field) => {
    const value = `message.${field.property}`;
    if (field.type === "message") {
      if (!hasSizeHint(field.targetModel)) return [];
      return [`(${value} === undefined ? 0 : expectedBytesOf${field.target.name}(${value}))`];
    }
    const isVariable = access(field).wireType === 2;
    if (!isVariable) return [];
    return [field.oneof === undefined ? `${value}.length` : `(${value} === undefined ? 0 : ${value}.length)`];
  });
}

function emitSizeHint(message) {
  if (!message.isField || !hasSizeHint(message)) return [];
  return [
    `/** A guess at the encoded size, see \`Writer.begin\`. */`,
    `export function expectedBytesOf${message.name}(message: ${message.name}): number {`,
    ...emitPackedCase(message, ["return message.length;"]),
    `  return ${usualScalarBytes} + ${hintTerms(message).join(" + ")};`,
    "}",
    "",
  ];
}
