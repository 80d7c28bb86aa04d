/** Looks at a store before and after a round, to see that exactly what was asked for has happened, and drops its history. */
import { byteStringFromText, kvService } from "@holdfast/protocol";
import { callOnce } from "../driver/calls.js";
import type { Connections } from "./connections.js";

const withinMs = 60_000;
const { range, compact } = kvService.methods;

/** What a store holds under a prefix. */
export interface Look {
  /** The store's. */
  readonly revision: number;
  readonly keys: number;
}

/** Counts the keys under `prefix`, which ends in a character below U+007F. */
export async function lookAt(connections: Connections, prefix: string): Promise<Look> {
  const request = range.request.create({ ...rangeOfPrefix(prefix), countOnly: true });
  const answer = callOnce(connections.at(0), range, request);
  const { header, count } = await connections.during("counting keys", withinMs, answer);
  return { revision: header?.revision ?? 0, keys: count };
}

/**
 * Drops the history up to now, and waits until it is gone: otherwise later rounds would measure a longer history than
 * earlier ones.
 */
export async function dropHistory(connections: Connections, revision: number): Promise<void> {
  const request = compact.request.create({ revision, physical: true });
  await connections.during("dropping the history", withinMs, callOnce(connections.at(0), compact, request));
}

/** The interval of all keys that begin with `prefix`, which ends in a character below U+007F. */
export function rangeOfPrefix(prefix: string) {
  const last = prefix.charCodeAt(prefix.length - 1);
  const rangeEnd = prefix.slice(0, -1) + String.fromCharCode(last + 1);
  return { key: byteStringFromText(prefix), rangeEnd: byteStringFromText(rangeEnd) };
}
