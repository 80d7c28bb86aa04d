// Names in the generated code.

/** Nested enums are named without their message; these are too general to stand alone. */
const enumNames = { "authpb.Permission.Type": "PermissionType" };

/** `peerURLs` -> `peerUrls`, `remaining_TTL` -> `remainingTtl`, `HashKV` -> `hashKv`: acronyms are folded. */
export function camelCase(name) {
  const parts = name.split("_").map((part) => part.replace(/[A-Z]{2,}/g, (run) => run[0] + run.slice(1).toLowerCase()));
  const [first, ...rest] = parts;
  return first[0].toLowerCase() + first.slice(1) + rest.map((part) => part[0].toUpperCase() + part.slice(1)).join("");
}

/** The name the protobuf JSON mapping gives a field: underscores go, nothing else changes. */
export function jsonName(name) {
  return name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
}

export function enumName(fullName) {
  return enumNames[fullName] ?? fullName.split(".").at(-1);
}

/** `HashKVRequest` -> `hashKvRequestCodec`: an acronym ends where the next word begins. */
export function codecName(messageName) {
  const folded = messageName.replace(/[A-Z]{2,}(?=[A-Z][a-z])/g, (run) => run[0] + run.slice(1).toLowerCase());
  return `${camelCase(folded)}Codec`;
}

/** The file of a proto package, without extension. */
export function fileName(packageName) {
  return packageName.replaceAll(".", "-");
}
