// Emits the functions that read messages.

import { defaultValue, elementType } from "./emit-types.mjs";
import { camelCase } from "./names.mjs";
import { access, tagOf } from "./representations.mjs";

export function emitReader(message) {
  const { name } = message;
  return [
    `/** Reads fields up to the limit of \`reader\`, into \`into\` if given (an earlier occurrence of the same field). */`,
    `export function read${name}(reader: Reader, into: ${name} | undefined): ${name} {`,
    `  const message: Mutable<${name}> = into ?? {`,
    ...message.fields.map((field) => `    ${field.property}: ${defaultValue(field)},`),
    "  };",
    "  while (reader.position < reader.limit) {",
    "    const tag = reader.tag();",
    ...(message.fields.length === 0 ? ["    reader.skip(tag);"] : emitSwitch(message)),
    "  }",
    "  return message;",
    "}",
    "",
    ...message.oneofs.flatMap((oneof) => emitClearOneof(message, oneof)),
    ...message.fields.filter((field) => field.type === "map").flatMap((field) => emitMapEntryReader(message, field)),
    `/** Throws \`MalformedMessageError\`. */`,
    `export function decode${name}(bytes: Uint8Array, start = 0, end: number = bytes.length): ${name} {`,
    "  sharedReader.reset(bytes, start, end);",
    `  return read${name}(sharedReader, undefined);`,
    "}",
    "",
  ];
}

function emitSwitch(message) {
  return [
    "    switch (tag) {",
    ...message.fields.flatMap((field) => emitCases(message, field)),
    "      default:",
    "        reader.skip(tag);",
    "    }",
  ];
}

function emitCases(message, field) {
  if (field.type === "map") return emitMapCase(message, field);
  if (field.type === "message") return emitMessageCase(message, field);
  const { wireType, read } = access(field);
  const target = `message.${field.property}`;
  const list = `(${target} as ${elementType(field)}[])`;
  if (!field.repeated) {
    return emitCase(tagOf(field, wireType), [...clearCall(message, field), `${target} = reader.${read}();`]);
  }
  // A text counts itself.
  const count = read === "string" ? [] : ["reader.item();"];
  const lines = emitCase(tagOf(field, wireType), [...count, `${list}.push(reader.${read}());`]);
  if (wireType === 2) return lines;
  const packed = [
    "const outer = reader.enter();",
    "while (reader.position < reader.limit) {",
    "  reader.item();",
    `  ${list}.push(reader.${read}());`,
    "}",
    "reader.leave(outer);",
  ];
  return [...lines, ...emitCase(tagOf(field, 2), packed)];
}

function emitCase(tag, lines) {
  return [`      case ${tag}: {`, ...lines.map((line) => `        ${line}`), "        break;", "      }"];
}

function emitMessageCase(message, field) {
  const suffix = field.targetModel.recursive ? "Recursive" : "";
  const target = `message.${field.property}`;
  const read = (into) => `read${field.target.name}(reader, ${into})`;
  const store = field.repeated
    ? [`(${target} as ${field.target.name}[]).push(${read("undefined")});`]
    : field.oneof === undefined
      ? [`${target} = ${read(target)};`]
      : [`const arm = ${read(target)};`, ...clearCall(message, field), `${target} = arm;`];
  return emitCase(tagOf(field, 2), [
    `const outer = reader.enter${suffix}();`,
    ...store,
    `reader.leave${suffix}(outer);`,
  ]);
}

function clearCall(message, field) {
  return field.oneof === undefined ? [] : [`${clearName(message, field.oneof)}(message);`];
}

function clearName(message, oneofName) {
  const oneof = camelCase(oneofName);
  return `clear${message.name}${oneof[0].toUpperCase()}${oneof.slice(1)}`;
}

function emitClearOneof(message, oneof) {
  return [
    `function ${clearName(message, oneof.name)}(message: Mutable<${message.name}>): void {`,
    ...oneof.arms.map((arm) => `  message.${arm.property} = undefined;`),
    "}",
    "",
  ];
}

function emitMapCase(message, field) {
  const map = `message.${field.property} as Map<string, ${field.target.name}>`;
  return emitCase(tagOf(field, 2), [
    "const outer = reader.enter();",
    `${entryReader(message, field)}(reader, ${map});`,
    "reader.leave(outer);",
  ]);
}

function entryReader(message, field) {
  return `read${message.name}${field.property[0].toUpperCase()}${field.property.slice(1)}Entry`;
}

/** On the wire a map is a repeated message of key (1) and value (2); a missing one stands for its default. */
function emitMapEntryReader(message, field) {
  const type = field.target.name;
  return [
    `function ${entryReader(message, field)}(reader: Reader, map: Map<string, ${type}>): void {`,
    '  let key = "";',
    `  let value: ${type} | undefined;`,
    "  while (reader.position < reader.limit) {",
    "    const tag = reader.tag();",
    "    if (tag === 10) {",
    "      key = reader.string();",
    "    } else if (tag === 18) {",
    "      const outer = reader.enter();",
    `      value = read${type}(reader, value);`,
    "      reader.leave(outer);",
    "    } else {",
    "      reader.skip(tag);",
    "    }",
    "  }",
    `  map.set(key, value ?? create${type}());`,
    "}",
    "",
  ];
}
