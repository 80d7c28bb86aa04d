/**
 * The etcd v3 API as types: messages with their codecs and their JSON, services, errors.
 *
 * Transport and the meaning of the messages are elsewhere.
 */

export * from "./byte-string.js";
export * from "./errors.js";
export * from "./generated/index.js";
export * from "./json/json-error.js";
export * from "./json/large-message.js";
export * from "./json/read-message.js";
export * from "./json/write-message.js";
export * from "./limits.js";
export * from "./runtime/decode-bounded.js";
export * from "./runtime/descriptors.js";
export * from "./runtime/malformed-message-error.js";
export * from "./runtime/packed-key-value.js";
export * from "./runtime/packed-scan.js";
export * from "./runtime/reader.js";
export * from "./runtime/wire-format.js";
export * from "./runtime/writer.js";
export * from "./status-codes.js";
export * from "./transport-errors.js";
