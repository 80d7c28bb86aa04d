/**
 * Reads: of one key, of a prefix at once and as a stream, and the count of many keys.
 */
import type { RangeAnswer, RefereeClient } from "../referee/client.js";
import { encodeRange, methods, type RangeOptions } from "../referee/requests.js";
import type { Workload } from "../workload.js";
import { fill, type KeyFolder, keyAt, keyFolder, small } from "./shapes.js";
import { expectEqual, type UnaryWorkload, unaryWorkload } from "./unary.js";

type UnaryCall = Pick<UnaryWorkload, "path" | "message" | "isWrite" | "prepare" | "check">;

/** The call that reads one small key, and its checks, without a shape. */
export function rangeCall(options: RangeOptions = {}): UnaryCall {
  return {
    path: methods.range,
    message: encodeRange(small.key, options),
    isWrite: false,
    prepare: (client) => client.put(small.key, small.value),
    check: async (client) => {
      const { pairs } = await client.range(small.key, options);
      expectEqual("value", pairs[0]?.value.toString(), small.value);
    },
  };
}

/** What came must be all keys in order, each with its value. */
function checkPairs({ pairs }: RangeAnswer, folder: KeyFolder): void {
  expectEqual("keys in the answer", pairs.length, folder.count);
  for (const [place, { key, value }] of pairs.entries()) {
    expectEqual("key", key, keyAt(folder, place));
    expectEqual("value", value.toString(), small.value);
  }
}

function prefixCall(folder: KeyFolder, method: "range" | "rangeStream"): UnaryCall & Pick<UnaryWorkload, "counts"> {
  const { prefix, rangeEnd, count } = folder;
  return {
    path: methods[method],
    message: encodeRange(prefix, { rangeEnd }),
    isWrite: false,
    counts: { what: "keys", perCall: count },
    prepare: (client) => fill(client, folder),
    check: async (client) => checkPairs(await client[method](prefix, { rangeEnd }), folder),
  };
}

function countCall(folder: KeyFolder): UnaryCall {
  const options = { rangeEnd: folder.rangeEnd, isCountOnly: true };
  return {
    path: methods.range,
    message: encodeRange(folder.prefix, options),
    isWrite: false,
    prepare: (client: RefereeClient) => fill(client, folder),
    check: async (client: RefereeClient) => {
      expectEqual("count", (await client.range(folder.prefix, options)).count, folder.count);
    },
  };
}

function one(name: string, connections: number, streams: number, ratio: number, options?: RangeOptions): Workload {
  return unaryWorkload({
    ...rangeCall(options),
    ...{ name: `${name} ${connections}×${streams}`, group: "range", goal: { ratio, sense: "at least" } },
    ...{ connections, streams },
  });
}

function many(name: string, call: UnaryCall, connections: number, streams: number, ratio: number): Workload {
  return unaryWorkload({
    ...call,
    ...{ name: `${name} ${connections}×${streams}`, group: "range-many", goal: { ratio, sense: "at least" } },
    ...{ connections, streams },
  });
}

const hundred = keyFolder("c", 100);
const tenThousand = keyFolder("m", 10_000);
const hundredThousand = keyFolder("x", 100_000);

export const rangeWorkloads: readonly Workload[] = [
  one("range", 1, 1, 1.3),
  one("range", 10, 100, 4),
  one("range serializable", 10, 100, 4, { isSerializable: true }),
  many("range prefix of 100", prefixCall(hundred, "range"), 10, 10, 3),
  many("range prefix of 10,000", prefixCall(tenThousand, "range"), 4, 2, 1.5),
  many("range stream of 10,000", prefixCall(tenThousand, "rangeStream"), 4, 2, 1.5),
  many("count of 100,000 keys", countCall(hundredThousand), 10, 10, 50),
];
