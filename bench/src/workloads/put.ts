/**
 * Writes of one key: small values with different numbers of connections and calls under way, and larger values.
 */
import { encodePut, methods } from "../referee/requests.js";
import type { Goal, Workload } from "../workload.js";
import { small } from "./shapes.js";
import { expectEqual, type UnaryWorkload, unaryWorkload } from "./unary.js";

/** The call that writes this value, and its checks, without a shape. */
export function putCall(valueBytes: number): Pick<UnaryWorkload, "path" | "message" | "isWrite" | "prepare" | "check"> {
  const value = "v".repeat(valueBytes);
  return {
    path: methods.put,
    message: encodePut(small.key, value),
    isWrite: true,
    prepare: (client) => client.put(small.key, value),
    check: async (client) => expectEqual("value", (await client.range(small.key)).pairs[0]?.value.toString(), value),
  };
}

function put(connections: number, streams: number, ratio: number): Workload {
  return unaryWorkload({
    ...putCall(small.valueBytes),
    ...{ name: `put ${connections}×${streams}`, group: "put", goal: atLeast(ratio), connections, streams },
  });
}

function putLarge(size: string, valueBytes: number, connections: number, streams: number, ratio: number): Workload {
  return unaryWorkload({
    ...putCall(valueBytes),
    ...{ name: `put ${size} ${connections}×${streams}`, group: "put-large", goal: atLeast(ratio) },
    ...{ connections, streams },
  });
}

function atLeast(ratio: number): Goal {
  return { ratio, sense: "at least" };
}

export const putWorkloads: readonly Workload[] = [
  put(1, 1, 1.3),
  put(1, 100, 3),
  put(10, 100, 4),
  put(100, 10, 4),
  put(1000, 1, 3),
  putLarge("1 KiB", 2 ** 10, 10, 100, 3),
  putLarge("64 KiB", 2 ** 16, 10, 10, 1.5),
  // Below the 64 MiB of writes that may wait in Holdfast, which refuses more (fault model F8).
  putLarge("1 MiB", 2 ** 20, 10, 4, 1),
];
