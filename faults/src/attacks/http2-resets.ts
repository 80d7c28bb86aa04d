/** Streams opened to be reset at once, by us or by the server (F28, F29). */
import type { Scenario } from "../scenario.js";
import { flood } from "./attackers.js";
import {
  Code,
  data,
  Flag,
  frame,
  greeting,
  headers,
  reset,
  Type,
  uint32,
  unaryRequest,
  windowUpdate,
} from "./frames.js";
import { RANGE, rangeOfNothing, WATCH } from "./paths.js";
import { many, streamId, thrownOut } from "./scenarios.js";

const BATCH = 50;

/** Requests that the server begins, each followed by an offence. */
function requestsWith(begin: (id: number) => Uint8Array, offence: (id: number) => Uint8Array) {
  return flood(greeting(), (round) =>
    many(BATCH, (n) => {
      const id = streamId(round * BATCH + n);
      return Buffer.concat([begin(id), offence(id)]);
    }),
  );
}

const request = (id: number): Uint8Array => unaryRequest(id, RANGE, rangeOfNothing);
/** A call that stays open, so that the offence meets a stream that is alive. */
const openCall = (id: number): Uint8Array =>
  headers(id, [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", WATCH],
    ["te", "trailers"],
    ["content-type", "application/grpc"],
  ]);

const resetFloods = {
  code: Code.calm,
  reason: /^too many resets$/,
  counter: "holdfast_transport_reset_floods_total",
};

/** The six ways of CVE-2025-8671. */
const madeToReset: readonly (readonly [how: string, offence: (id: number) => Uint8Array])[] = [
  ["window updates of zero", (id) => windowUpdate(id, 0)],
  ["window updates that overflow", (id) => windowUpdate(id, 0x7fffffff)],
  [
    "data after the end",
    (id) => Buffer.concat([data(id, Buffer.alloc(0), Flag.endStream), data(id, Buffer.from("x"))]),
  ],
  [
    "headers after the end",
    (id) => Buffer.concat([data(id, Buffer.alloc(0), Flag.endStream), headers(id, [["a", "b"]], Flag.endStream)]),
  ],
  ["PRIORITY of wrong length", (id) => frame(Type.priority, 0, id, Buffer.alloc(4))],
  ["PRIORITY on itself", (id) => frame(Type.priority, 0, id, Buffer.concat([uint32(id), Buffer.from([0])]))],
];

export const resetScenarios: readonly Scenario[] = [
  thrownOut("F28, I12, LIMIT resetBurst: rapid reset ends the connection", {
    offence: requestsWith(request, (id) => reset(id, Code.cancel)),
    ...resetFloods,
  }),
  thrownOut("F28, I12: rapid reset of calls that stay open", {
    offence: requestsWith(openCall, (id) => reset(id, Code.cancel)),
    ...resetFloods,
  }),
  ...madeToReset.map(([how, offence]) =>
    thrownOut(`F29, I12: made-you-reset by ${how} ends the connection`, {
      offence: requestsWith(openCall, offence),
      ...resetFloods,
    }),
  ),
];
