// How the fields of the .proto files are held in memory: the one place where that is decided.

/**
 * `bytes` fields that are keys, or names that serve as key prefixes: byte strings (see `ByteString`).
 * All other `bytes` fields are `Uint8Array` copies. An entry is a field name, or `package.Message.field`.
 */
const byteStringFields = new Set([
  "key",
  "range_end",
  "etcdserverpb.LeaseTimeToLiveResponse.keys",
  "v3lockpb.LockRequest.name",
  "v3electionpb.CampaignRequest.name",
  "v3electionpb.LeaderKey.name",
  "v3electionpb.LeaderRequest.name",
]);

/**
 * 64-bit fields that are identities, where every bit counts: `bigint`. All other 64-bit fields are quantities
 * (revisions, seconds, bytes): `number`, the nearest double.
 */
const bigintFields = new Set([
  "ID",
  "lease",
  "cluster_id",
  "member_id",
  "memberID",
  "targetID",
  "watch_id",
  "etcdserverpb.StatusResponse.leader",
]);

const representationOfType = {
  bool: "boolean",
  int32: "number",
  uint32: "number",
  int64: "number",
  uint64: "number",
  enum: "number",
  string: "string",
  bytes: "bytes",
  message: "message",
  map: "map",
};

/** The representation of a field; `type` is a key of `representationOfType`. */
export function representationOf(messageName, fieldName, type) {
  const listed = (fields) => fields.has(fieldName) || fields.has(`${messageName}.${fieldName}`);
  if (type === "bytes" && listed(byteStringFields)) return "byteString";
  if ((type === "int64" || type === "uint64") && listed(bigintFields)) return "bigint";
  const representation = representationOfType[type];
  if (representation === undefined) throw new Error(`${messageName}.${fieldName}: type ${type} is not supported`);
  return representation;
}

/** TypeScript type of one value, by representation (messages and maps apart). */
export const scalarTypeScript = {
  boolean: "boolean",
  number: "number",
  bigint: "bigint",
  string: "string",
  byteString: "ByteString",
  bytes: "Uint8Array",
};

/** Default value of a singular field, by representation (messages and maps apart). */
export const scalarDefault = {
  boolean: "false",
  number: "0",
  bigint: "0n",
  string: '""',
  byteString: "emptyByteString",
  bytes: "emptyBytes",
};

/** Wire type, method of `Reader` and method of `Writer` of a scalar; key is `type/representation`. */
const scalarAccess = {
  "bool/boolean": { wireType: 0, read: "bool", write: "boolField" },
  "int32/number": { wireType: 0, read: "int32", write: "int32Field" },
  "enum/number": { wireType: 0, read: "int32", write: "int32Field" },
  "uint32/number": { wireType: 0, read: "uint32", write: "uint32Field" },
  "int64/number": { wireType: 0, read: "int64Number", write: "int64NumberField" },
  "uint64/number": { wireType: 0, read: "uint64Number", write: "uint64NumberField" },
  "int64/bigint": { wireType: 0, read: "int64BigInt", write: "int64BigIntField" },
  "uint64/bigint": { wireType: 0, read: "uint64BigInt", write: "uint64BigIntField" },
  "string/string": { wireType: 2, read: "string", write: "stringField" },
  "bytes/bytes": { wireType: 2, read: "bytes", write: "bytesField" },
  "bytes/byteString": { wireType: 2, read: "byteString", write: "byteStringField" },
};

/** The entry of `scalarAccess` for a field. */
export function access(field) {
  return scalarAccess[`${field.type}/${field.representation}`];
}

/** The tag in front of a field, see `fieldTag` in src/runtime/wire-format.ts. */
export function tagOf(field, wireType) {
  return field.number * 8 + wireType;
}
