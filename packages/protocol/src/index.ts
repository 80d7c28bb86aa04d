/**
 * The etcd v3 API as types: messages with their codecs, services, errors.
 *
 * Transport, the meaning of the messages and the JSON mapping are elsewhere.
 */

export * from "./byte-string.js";
export * from "./errors.js";
export * from "./generated/index.js";
export * from "./limits.js";
export * from "./runtime/descriptors.js";
export * from "./runtime/malformed-message-error.js";
export * from "./runtime/reader.js";
export * from "./runtime/wire-format.js";
export * from "./runtime/writer.js";
export * from "./status-codes.js";
export * from "./transport-errors.js";
