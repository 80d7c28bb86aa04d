/** Which fields our encoder puts into the peer's dynamic table. Other headers than these behave like names and values that repeat. */

import { FIELD_OVERHEAD_BYTES } from "./header-field.js";

/**
 * How a field that no table holds is written (RFC 7541 section 6.2):
 * - `incremental`: added to the dynamic table, for what will repeat
 * - `none`: left out of it, for what changes with each call
 * - `never`: left out, and marked so that no intermediary adds it to another table (section 7.1.3), for secrets
 */
export type FieldIndexing = "incremental" | "none" | "never";

const INDEXING_BY_NAME: ReadonlyMap<string, FieldIndexing> = new Map<string, FieldIndexing>([
  ["authorization", "never"],
  ["proxy-authorization", "never"],
  ["cookie", "never"],
  ["set-cookie", "never"],
  // etcd's name for the credential that Authenticate gives.
  ["token", "never"],
  ["grpc-timeout", "none"],
  ["grpc-message", "none"],
  ["grpc-status-details-bin", "none"],
  ["grpc-trace-bin", "none"],
  ["grpc-tags-bin", "none"],
  ["traceparent", "none"],
  ["tracestate", "none"],
  ["x-request-id", "none"],
  ["content-length", "none"],
  ["content-range", "none"],
  ["date", "none"],
  ["age", "none"],
  ["etag", "none"],
  ["last-modified", "none"],
]);

/** The indexing of a field by its name alone. */
export function indexingFor(name: string): FieldIndexing {
  return INDEXING_BY_NAME.get(name) ?? "incremental";
}

/** The one of both that reveals less to tables. */
export function stricterIndexing(a: FieldIndexing, b: FieldIndexing): FieldIndexing {
  if (a === "never" || b === "never") return "never";
  return a === "none" ? a : b;
}

/** Whether an entry would drive out most of the table. Such a field costs more than it can save. */
export function isTooLargeToIndex(name: string, value: string, tableBytesMax: number): boolean {
  return (name.length + value.length + FIELD_OVERHEAD_BYTES) * 2 > tableBytesMax;
}
