/**
 * Writes and reads of one key through TLS. The pair of Lock and Unlock through TLS stands with the other locks.
 */
import { join } from "node:path";
import { createTlsFiles } from "../servers/tls.js";
import type { Workload } from "../workload.js";
import { putCall } from "./put.js";
import { rangeCall } from "./range.js";
import { small } from "./shapes.js";
import { type UnaryWorkload, unaryWorkload } from "./unary.js";

type UnaryCall = Pick<UnaryWorkload, "path" | "message" | "isWrite" | "prepare" | "check">;

function overTls(name: string, call: UnaryCall): Workload {
  return unaryWorkload({
    ...call,
    ...{ name: `tls ${name} 10×100`, group: "tls", goal: { ratio: 2, sense: "at least" } },
    ...{ connections: 10, streams: 100 },
    startOptions: ({ folder }) => ({ tls: createTlsFiles(join(folder, "tls")) }),
  });
}

export const tlsWorkloads: readonly Workload[] = [
  overTls("put", putCall(small.valueBytes)),
  overTls("range", rangeCall()),
];
