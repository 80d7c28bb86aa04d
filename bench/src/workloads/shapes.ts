/**
 * What the workloads of repeated calls share: the sizes of a small key and value, and folders of many keys.
 */
import type { RefereeClient } from "../referee/client.js";
import { encodePut, encodeTxn, endOfPrefix, methods } from "../referee/requests.js";

/** A key of 16 bytes and a value of 128. */
export const small = { key: "benchmark-key-16", valueBytes: 128, value: "v".repeat(128) } as const;

/** Below the most that a transaction may hold in either server. */
const keysPerTransaction = 100;
const transactionsAtOnce = 20;

/** Keys of 16 bytes that begin alike. */
export interface KeyFolder {
  readonly prefix: string;
  readonly rangeEnd: string;
  readonly count: number;
}

/** `letter`: one character that tells this folder from others. */
export function keyFolder(letter: string, count: number): KeyFolder {
  const prefix = `folder-${letter}/`;
  return { prefix, rangeEnd: endOfPrefix(prefix), count };
}

/** The key at this place of a folder; places are in the order of the keys. */
export function keyAt({ prefix }: KeyFolder, place: number): string {
  return `${prefix}${String(place).padStart(7, "0")}`;
}

/** Writes all keys of a folder, each with a value of 128 bytes. */
export async function fill(client: RefereeClient, folder: KeyFolder): Promise<void> {
  const slice = keysPerTransaction * transactionsAtOnce;
  for (let from = 0; from < folder.count; from += slice) {
    const starts = Array.from({ length: transactionsAtOnce }, (_, at) => from + at * keysPerTransaction);
    await Promise.all(starts.map((start) => putSome(client, folder, start)));
  }
}

async function putSome(client: RefereeClient, folder: KeyFolder, start: number): Promise<void> {
  const places = Array.from({ length: Math.max(0, Math.min(keysPerTransaction, folder.count - start)) });
  const puts = places.map((_, at) => encodePut(keyAt(folder, start + at), small.value));
  if (puts.length > 0) await client.unary(methods.txn, encodeTxn([], puts));
}
