/** The keys that fill a store before it is measured: 16 bytes each, one write after the other. */

import { byteStringFromText, kvService } from "@holdfast/protocol";
import { callMany, manyWithinMs } from "../driver/calls.js";
import type { Connections } from "./connections.js";

/** Begins every such key. */
export const keyPrefix = "key-";
const keyDigits = 12;
const callsInFlight = 500;

/** Sixteen bytes. */
export function keyOf(number: number): string {
  return keyPrefix + String(number).padStart(keyDigits, "0");
}

/** Makes `count` writes: keys 0 up to `keys` in turn, each once unless there are fewer. */
export async function loadKeys(
  connections: Connections,
  count: number,
  valueBytes: number,
  keys = count,
): Promise<void> {
  const { path, request } = kvService.methods.put;
  const value = new Uint8Array(valueBytes).fill("v".charCodeAt(0));
  const loaded = callMany(connections.all, { path, count, inFlight: callsInFlight }, (number) => {
    const key = byteStringFromText(keyOf(number % keys));
    return request.encode(request.create({ key, value }));
  });
  await connections.during(`putting ${count} keys`, manyWithinMs(count), loaded);
}
