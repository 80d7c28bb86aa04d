/**
 * One string object per well-known field name. A name that arrives as a literal is a new string each time; the one
 * from this table is the same object as in the source code of the readers, so that comparing it with `===` is
 * comparing two pointers.
 */

import { STATIC_NAMES } from "./static-table.js";

const KNOWN_NAMES: ReadonlyMap<string, string> = new Map(
  [
    ...STATIC_NAMES.keys(),
    ":protocol",
    "te",
    "grpc-timeout",
    "grpc-encoding",
    "grpc-accept-encoding",
    "grpc-status",
    "grpc-message",
    "grpc-status-details-bin",
    "grpc-previous-rpc-attempts",
    "grpc-trace-bin",
    "grpc-tags-bin",
    "token",
    "hasleader",
    "client-api-version",
    "traceparent",
    "tracestate",
  ].map((name) => [name, name]),
);

/** The shared string equal to `name` if it is a well-known one, else `name` itself. */
export function sharedName(name: string): string {
  return KNOWN_NAMES.get(name) ?? name;
}
