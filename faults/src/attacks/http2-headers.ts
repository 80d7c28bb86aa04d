/** Header blocks that never end, or unfold to far more than they are (F30 to F32). */
import assert from "node:assert/strict";
import type { Scenario } from "../scenario.js";
import { Arena } from "./arena.js";
import { flood } from "./attackers.js";
import { block, Code, Flag, frame, greeting, literal, NEWEST_ENTRY, reference, requestFields, Type } from "./frames.js";
import { RANGE } from "./paths.js";
import { many, streamId, thrownOut } from "./scenarios.js";

const KIB = 1024;
const opening = Buffer.concat([greeting(), frame(Type.headers, 0, 1, block(requestFields(RANGE)))]);
const filler = literal("x-filler", "y".repeat(1_000));

const continuationFloods = { code: Code.calm, counter: "holdfast_transport_continuation_floods_total" };

/** The table's newest entry, with a value of that length, named that often. */
function bomb(valueBytes: number, references: number) {
  const request = block(requestFields(RANGE));
  const seed = Buffer.concat([request, literal("x", "y".repeat(valueBytes), true)]);
  const charge = Buffer.concat([request, ...Array.from({ length: references }, () => reference(NEWEST_ENTRY))]);
  const flags = Flag.endHeaders | Flag.endStream;
  return flood(Buffer.concat([greeting(), frame(Type.headers, flags, 1, seed)]), (round) =>
    many(20, (n) => frame(Type.headers, flags, streamId(1 + round * 20 + n), charge)),
  );
}

/** F32 as it was found: lists that are just allowed, on as many streams as there may be, and no window for the answers. */
const allowedFields: Scenario = {
  title: "F32, F37, I12: a thousand requests with as many fields as are allowed, and answers that are never taken",
  secondsMax: 60,
  run: async (context) => {
    const arena = await Arena.open(context, { heldBytesMax: 40 * KIB * KIB });
    const fields = block(
      requestFields(
        RANGE,
        Array.from({ length: 50 }, (_, n) => [`x-${n}`, "y"] as const),
      ),
    );
    await arena.attack(async (attack) => {
      const clients = await Promise.all(Array.from({ length: 10 }, () => arena.connect()));
      for (const client of clients) {
        const requests = many(1_000, (n) => frame(Type.headers, Flag.endHeaders, streamId(n), fields));
        await client.send(greeting([4, 0]), requests);
      }
      await new Promise((resolve) => setTimeout(resolve, attack.remainingMs));
      const open = await arena.figures();
      context.note(`${open.get("holdfast_transport_streams")} streams open at once`);
      assert.ok((open.get("holdfast_transport_streams") ?? 0) <= 10_010);
      for (const client of clients) client.destroy();
    });
  },
};

export const headerScenarios: readonly Scenario[] = [
  thrownOut("F30, I12, LIMIT continuationFramesMax: small CONTINUATION frames without end", {
    offence: flood(opening, () => many(100, () => frame(Type.continuation, 0, 1, literal("a", "b")))),
    ...continuationFloods,
  }),
  thrownOut("F30, I12: empty CONTINUATION frames without end", {
    offence: flood(opening, () => many(100, () => frame(Type.continuation, 0, 1))),
    ...continuationFloods,
  }),
  thrownOut("F30, I12, LIMIT headerBlockBytesMax: a header block of large frames without end", {
    offence: flood(opening, () =>
      frame(Type.continuation, 0, 1, Buffer.concat(Array.from({ length: 15 }, () => filler))),
    ),
    ...continuationFloods,
  }),
  thrownOut("F31, I12, LIMIT headerListBytesMax: fat HPACK bombs are reset, and end the connection", {
    offence: bomb(4_000, 15_000),
    code: Code.calm,
    reason: /^too many resets$/,
    counter: "holdfast_transport_header_lists_too_large_total",
  }),
  thrownOut("F32, I12, LIMIT headerFieldsMax: thin HPACK bombs are reset, and end the connection", {
    offence: bomb(0, 15_000),
    code: Code.calm,
    reason: /^too many resets$/,
    counter: "holdfast_transport_header_lists_too_long_total",
  }),
  allowedFields,
];
