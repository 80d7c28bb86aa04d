// Words and requests that the scripts of several sections share.

import { setTimeout } from "node:timers/promises";
import type { Answer } from "./answer.js";
import type { Client } from "./client.js";

/** Refusals of etcd's error catalogue, as arguments of `refused`. */
export const refusals = {
  keyMissing: ["INVALID_ARGUMENT", "etcdserver: key is not provided"],
  keyNotFound: ["INVALID_ARGUMENT", "etcdserver: key not found"],
  valueGiven: ["INVALID_ARGUMENT", "etcdserver: value is provided"],
  leaseGiven: ["INVALID_ARGUMENT", "etcdserver: lease is provided"],
  leaseNotFound: ["NOT_FOUND", "etcdserver: requested lease not found"],
  sortUnknown: ["INVALID_ARGUMENT", "etcdserver: invalid sort option"],
  tooManyOperations: ["INVALID_ARGUMENT", "etcdserver: too many operations in txn request"],
  duplicateKey: ["INVALID_ARGUMENT", "etcdserver: duplicate key given in txn request"],
  compacted: ["OUT_OF_RANGE", "etcdserver: mvcc: required revision has been compacted"],
  future: ["OUT_OF_RANGE", "etcdserver: mvcc: required revision is a future revision"],
  tooLarge: ["INVALID_ARGUMENT", "etcdserver: request is too large"],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

/** The interval of all keys. */
export const everything = { key: "\0", range_end: "\0" } as const;

/** Reads the whole store. */
export function readAll(client: Client): Promise<Answer> {
  return client.range("\0", { range_end: "\0" });
}

const pollMs = 20;

/** Asks again and again until the answer is the one that must come some time; for what servers do in their own time. */
export async function eventually<T>(ask: () => Promise<T>, isIt: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isIt(answer)) {
      return answer;
    }
    await setTimeout(pollMs);
  }
}

/** Puts these keys one after the other, each with a value that names it. */
export async function putKeys(client: Client, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) {
    await client.put(key, `value of ${key}`);
  }
}

/** So many keys with a common prefix, in order. */
export function numberedKeys(prefix: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(4, "0")}`);
}
