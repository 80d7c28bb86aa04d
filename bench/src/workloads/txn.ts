/**
 * Transactions: the compare-and-put of every optimistic update, and ten writes of distinct keys at once.
 */
import { encodeExists, encodePut, encodeTxn, methods } from "../referee/requests.js";
import type { Workload } from "../workload.js";
import { putCall } from "./put.js";
import { fill, keyAt, keyFolder, small } from "./shapes.js";
import { expectEqual, unaryWorkload } from "./unary.js";

const ten = keyFolder("t", 10);
const shape = { connections: 10, streams: 100 };

export const txnWorkloads: readonly Workload[] = [
  unaryWorkload({
    // A comparison that failed would write nothing, and the revision would not advance.
    ...putCall(small.valueBytes),
    ...{ name: "txn compare and put 10×100", group: "txn", goal: { ratio: 3, sense: "at least" }, ...shape },
    path: methods.txn,
    message: encodeTxn([encodeExists(small.key)], [encodePut(small.key, small.value)]),
  }),
  unaryWorkload({
    ...{ name: "txn 10 puts 10×100", group: "txn", goal: { ratio: 3, sense: "at least" }, ...shape },
    path: methods.txn,
    message: encodeTxn(
      [],
      Array.from({ length: ten.count }, (_, place) => encodePut(keyAt(ten, place), small.value)),
    ),
    isWrite: true,
    prepare: (client) => fill(client, ten),
    check: async (client) => {
      const { pairs } = await client.range(ten.prefix, ten);
      expectEqual("keys of the transaction", pairs.length, ten.count);
      for (const { value } of pairs) expectEqual("value", value.toString(), small.value);
    },
  }),
];
