// Emits enums, interfaces and `create` functions.

import { scalarDefault, scalarTypeScript } from "./representations.mjs";

/** A doc comment, or nothing. */
export function doc(text, indent = "") {
  if (!text) return [];
  const lines = text.split("\n");
  if (lines.length === 1) return [`${indent}/** ${lines[0]} */`];
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`.trimEnd()), `${indent} */`];
}

export function emitEnum(item) {
  const name = item.name;
  return [
    ...doc(`${item.comment ?? ""}\nOpen: a field may hold a number that is not listed here.`.trim()),
    `export const ${name} = {`,
    ...item.values.flatMap((value) => [...doc(value.comment, "  "), `  ${value.name}: ${value.number},`]),
    "} as const;",
    `/** A number, usually one of those in the object of the same name. */`,
    `export type ${name} = number;`,
    "",
    `export const ${enumDescriptorName(item.name)}: EnumDescriptor = { typeName: "${item.fullName}", values: ${name} };`,
    "",
  ];
}

export function enumDescriptorName(name) {
  return `${name[0].toLowerCase()}${name.slice(1)}Descriptor`;
}

/** TypeScript type of one value of a field. */
export function elementType(field) {
  if (field.type === "enum" || field.type === "message") return field.target.name;
  return scalarTypeScript[field.representation];
}

function propertyType(field) {
  if (field.type === "map") return `ReadonlyMap<string, ${field.target.name}>`;
  if (field.repeated) return `readonly ${elementType(field)}[]`;
  return hasPresence(field) ? `${elementType(field)} | undefined` : elementType(field);
}

/** Whether "not set" is different from the default value. */
export function hasPresence(field) {
  return !field.repeated && (field.type === "message" || field.oneof !== undefined);
}

export function defaultValue(field) {
  if (field.type === "map") return "new Map()";
  if (field.repeated) return "[]";
  return hasPresence(field) ? "undefined" : scalarDefault[field.representation];
}

export function emitInterface(message) {
  const oneofNote = message.oneofs.map((oneof) => {
    const arms = oneof.arms.map((arm) => `\`${arm.property}\``).join(", ");
    return `At most one of ${arms} is set; if several are, the first is encoded.`;
  });
  return [
    ...doc([`\`${message.fullName}\`. ${message.comment ?? ""}`.trim(), ...oneofNote].join("\n")),
    `export interface ${message.name} {`,
    ...message.fields.flatMap((field) => [
      ...doc(field.comment, "  "),
      `  readonly ${field.property}: ${propertyType(field)};`,
    ]),
    "}",
    "",
  ];
}

export function emitCreate(message) {
  const parameter =
    message.fields.length === 0 ? `_fields: Partial<${message.name}> = {}` : `fields: Partial<${message.name}> = {}`;
  return [
    `/** A message \`${message.name}\` with the fields given and defaults for all others. */`,
    `export function create${message.name}(${parameter}): ${message.name} {`,
    "  return {",
    ...message.fields.map((field) => {
      const value = `fields.${field.property}`;
      return `    ${field.property}: ${hasPresence(field) ? value : `${value} ?? ${defaultValue(field)}`},`;
    }),
    "  };",
    "}",
    "",
  ];
}
