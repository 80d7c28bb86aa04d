/** Frames that carry no message: SETTINGS, pings, empty and unknown frames, priorities (F33 to F36). */
import type { Scenario } from "../scenario.js";
import { flood, type Offence } from "./attackers.js";
import { Code, data, frame, greeting, headers, ping, requestFields, settings, Type, windowUpdate } from "./frames.js";
import { WATCH } from "./paths.js";
import { many, streamId, thrownOut } from "./scenarios.js";

const BATCH = 200;
const openCall = Buffer.concat([greeting(), headers(1, requestFields(WATCH))]);

/** As the flood of something, from a client that reads no answer. */
function deaf(opening: Uint8Array, next: (round: number) => Uint8Array): Offence {
  return async (client, attack) => {
    client.stopReading();
    await flood(opening, next)(client, attack);
    // What the server said last, and that it has closed, can only be seen by reading.
    client.socket.resume();
  };
}

const settingsFloods = { code: Code.calm, counter: "holdfast_transport_settings_floods_total" };
const pingFloods = { code: Code.calm, reason: /^too_many_pings$/, counter: "holdfast_transport_ping_floods_total" };
const emptyFrames = { code: Code.calm, counter: "holdfast_transport_empty_frame_floods_total" };
const overhead = { code: Code.calm, counter: "holdfast_transport_overhead_floods_total" };

export const controlScenarios: readonly Scenario[] = [
  thrownOut("F33, I12, LIMIT settingsFramesPerMinute: SETTINGS again and again", {
    offence: flood(greeting(), () => many(BATCH, () => settings([4, 65_535]))),
    ...settingsFloods,
  }),
  thrownOut("F33, I12: SETTINGS again and again, from a client that does not read", {
    offence: deaf(greeting(), () => many(BATCH, () => settings([4, 65_535]))),
    ...settingsFloods,
  }),
  thrownOut("F33, I12, LIMIT settingsEntriesMax: SETTINGS of thousands of entries", {
    offence: flood(greeting(), () =>
      settings(...Array.from({ length: 2_700 }, (_, n) => [100 + (n % 50), n] as const)),
    ),
    ...settingsFloods,
  }),
  thrownOut("F34, I12, LIMIT pingStrikesMax: pings as fast as can be, from a client that reads", {
    offence: flood(openCall, (round) => many(BATCH, (n) => ping(round * BATCH + n))),
    ...pingFloods,
  }),
  thrownOut("F34, I12: pings as fast as can be, from a client that does not read", {
    offence: deaf(openCall, (round) => many(BATCH, (n) => ping(round * BATCH + n))),
    ...pingFloods,
  }),
  thrownOut("F34, I12, LIMIT pingFloorMs: pings one by one, while a call is open", {
    offence: flood(openCall, () => ping(1)),
    ...pingFloods,
  }),
  thrownOut("F34, I12, LIMIT pingFloorWithoutStreamsMs: pings one by one, without any call", {
    offence: flood(greeting(), () => ping(1)),
    ...pingFloods,
  }),
  thrownOut("F35, I12, LIMIT emptyFramesPerStreamMax: empty DATA frames", {
    offence: flood(openCall, () => many(BATCH, () => data(1, Buffer.alloc(0)))),
    ...emptyFrames,
  }),
  thrownOut("F35, I12: DATA frames of nothing but padding", {
    offence: flood(openCall, () => many(BATCH, () => data(1, Buffer.from([3, 0, 0, 0]), 8))),
    ...emptyFrames,
  }),
  thrownOut("F35, I12: empty HEADERS, stream after stream", {
    offence: flood(greeting(), (round) => many(BATCH, (n) => frame(Type.headers, 4, streamId(round * BATCH + n)))),
    code: Code.calm,
    reason: /^too many resets$/,
    counter: "holdfast_transport_malformed_requests_total",
  }),
  thrownOut("F36, I12, LIMIT overheadBytesPerMinute: PRIORITY churn", {
    offence: flood(greeting(), () =>
      many(2_000, (n) => frame(Type.priority, 0, streamId(n), Buffer.from([0, 0, 0, 0, n]))),
    ),
    ...overhead,
  }),
  thrownOut("F36, I12: frames of unknown types", {
    offence: flood(greeting(), () => many(BATCH, (n) => frame(0x33 + (n % 100), 0, 0, Buffer.alloc(100)))),
    ...overhead,
  }),
  thrownOut("F36, I12: window updates by one byte", {
    offence: flood(openCall, () => many(2_000, () => windowUpdate(0, 1))),
    ...overhead,
  }),
  thrownOut("F36, F37, I12: a message dribbled in DATA frames of one byte", {
    offence: flood(Buffer.concat([openCall, data(1, Buffer.from([0, 0, 0x1f, 0xff, 0xff]))]), () =>
      many(2_000, () => data(1, Buffer.from([7]))),
    ),
    ...overhead,
  }),
];
