/** Answers that are not taken, streams without end, and connections that will not go (F37 to F41). */
import assert from "node:assert/strict";
import { byteStringFromText, kvService } from "@holdfast/protocol";
import { Client } from "../client.js";
import type { Scenario, ScenarioContext } from "../scenario.js";
import { pause } from "../waiting.js";
import { Arena } from "./arena.js";
import { attackRepeatedly, flood } from "./attackers.js";
import {
  block,
  Code,
  Flag,
  frame,
  greeting,
  headers,
  PREFACE,
  requestFields,
  Setting,
  settings,
  Type,
  unaryRequest,
  windowUpdate,
} from "./frames.js";
import { withLimits } from "./limited-server.js";
import { RANGE, rangeOfAll, WATCH } from "./paths.js";
import type { RawClient } from "./raw-client.js";
import { many, streamId, thrownOut } from "./scenarios.js";

const MIB = 1024 * 1024;
const LARGEST_WINDOW = 0x7fffffff;
const widest = Buffer.concat([
  greeting([Setting.initialWindow, LARGEST_WINDOW]),
  windowUpdate(0, LARGEST_WINDOW - 65_535),
]);

/** Puts values of one mebibyte each. */
async function fill(arena: Arena, count: number): Promise<void> {
  const client = await Client.connect(arena.server.endpoint);
  for (let n = 0; n < count; n++) {
    const key = byteStringFromText(`filler/${n}`);
    await client.must(kvService.methods.put, { key, value: Buffer.alloc(MIB, n) });
  }
  client.destroy();
}

function connectMany(arena: Arena, count: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => arena.connect()));
}

/** What the server holds for its peers now, as it says itself. */
async function unsentBytes(arena: Arena): Promise<number> {
  return (await arena.figures()).get("holdfast_transport_unsent_bytes") ?? 0;
}

const unreadAnswers: Scenario = {
  title: "F37, I12, LIMIT unsentBytesTotalMax: sixty clients ask for 15 MB each and read nothing",
  secondsMax: 90,
  run: async (context) => {
    const answerBytes = 15 * MIB;
    const arena = await Arena.open(context, { heldBytesMax: 256 * MIB + 16 * answerBytes, seconds: 3 });
    await fill(arena, 15);
    await arena.attack(async (attack) => {
      const clients = await connectMany(arena, 60);
      let most = 0;
      for (const client of clients) {
        client.stopReading();
        await client.send(widest, unaryRequest(1, RANGE, rangeOfAll));
        await pause(10);
        most = Math.max(most, await unsentBytes(arena));
      }
      await pause(attack.remainingMs);
      most = Math.max(most, await unsentBytes(arena));
      context.note(`unsent answers at most ${(most / MIB).toFixed()} MiB; unbounded they would be ${60 * 15} MiB`);
      assert.ok(most <= 256 * MIB + answerBytes + MIB, `${most} bytes`);
      for (const client of clients) client.destroy();
    });
    arena.assertReached("holdfast_transport_backlogs_ended_total");
  },
};

/** Puts small values, so many that to read them all takes a while. */
async function fillWithSmall(arena: Arena, count: number): Promise<void> {
  const client = await Client.connect(arena.server.endpoint);
  const puts = Array.from({ length: count }, (_, n) =>
    client.must(kvService.methods.put, { key: byteStringFromText(`small/${n}`), value: Buffer.from("x") }),
  );
  await Promise.all(puts);
  client.destroy();
}

const costlyRequests: Scenario = {
  title: "I12, F37: forty clients ask for three thousand keys, over and over, hundreds of times at once",
  secondsMax: 60,
  run: async (context) => {
    const arena = await Arena.open(context, { heldBytesMax: 300 * MIB, seconds: 3 });
    await fillWithSmall(arena, 3_000);
    await arena.attack(async (attack) => {
      const clients = await connectMany(arena, 40);
      const one = async (client: RawClient): Promise<void> => {
        await client.send(widest);
        for (let round = 0; !attack.over && !client.isClosed; round++) {
          await client.send(many(50, (n) => unaryRequest(streamId(round * 50 + n), RANGE, rangeOfAll)));
          // Two header lists for each answer. More open streams than are allowed would be another attack.
          while (client.count(Type.headers) < (round - 4) * 50 * 2 && !client.isClosed && !attack.over) await pause(5);
        }
      };
      await Promise.all(clients.map(one));
      const received = clients.reduce((sum, { bytesReceived }) => sum + bytesReceived, 0);
      context.note(`${(received / MIB).toFixed()} MiB of answers were read`);
      for (const client of clients) client.destroy();
    });
    context.note(
      `${arena.grown("holdfast_transport_turns_ended_total")} times a connection had to wait for its next turn`,
    );
  },
};

/** Limits of a minute, made two seconds. */
const impatient = withLimits({ transport: { stalledAnswerMs: 2_000 } });

/** Clients that keep their answers waiting in some way must lose them, or the connection, soon after the limit. */
async function stall(
  context: ScenarioContext,
  { opening, sip }: { readonly opening: Uint8Array; readonly sip: (client: RawClient) => Promise<void> },
): Promise<void> {
  const arena = await Arena.open(context, { wrapper: impatient, heldBytesMax: 20 * 9 * MIB, seconds: 5 });
  await fill(arena, 2);
  await arena.attack(async (attack) => {
    const clients = await connectMany(arena, 20);
    for (const client of clients) await client.send(opening);
    while (attack.remainingMs > 1_000) {
      for (const client of clients) await sip(client);
      await pause(100);
    }
    const left = (await arena.figures()).get("holdfast_transport_unsent_bytes") ?? 0;
    assert.equal(left, 0, `${left} bytes still wait for those who do not take them`);
    for (const client of clients) client.destroy();
  });
  arena.assertReached("holdfast_transport_stalled_answers_total");
}

const tinyWindows: Scenario = {
  title: "F32, F37, I12, LIMIT stalledBytesPerSecondMin: windows opened byte by byte do not keep an answer waiting",
  secondsMax: 60,
  run: (context) =>
    stall(context, {
      opening: Buffer.concat([
        greeting([Setting.initialWindow, 1]),
        many(2, (n) => unaryRequest(streamId(n), RANGE, rangeOfAll)),
      ]),
      sip: (client) => client.send(many(2, (n) => windowUpdate(streamId(n), 1))),
    }),
};

const openWindowDeafSocket: Scenario = {
  title: "F26, F37, I12, LIMIT stalledAnswerMs: a wide window on a socket that is not read is closed",
  secondsMax: 60,
  run: (context) =>
    stall(context, {
      opening: Buffer.concat([widest, many(20, (n) => unaryRequest(streamId(n), RANGE, rangeOfAll))]),
      sip: async (client) => client.stopReading(),
    }),
};

const pipelinedAnswers: Scenario = {
  title:
    "F37, I12, LIMIT unsentBytesPerConnectionMax: a thousand requests of a client that takes nothing are not all begun",
  secondsMax: 60,
  run: async (context) => {
    const arena = await Arena.open(context, { heldBytesMax: 12 * 2 * MIB });
    await fill(arena, 2);
    await arena.attack(async (attack) => {
      const client = await arena.connect();
      await client.send(greeting([Setting.initialWindow, 0]));
      await client.send(many(1_000, (n) => unaryRequest(streamId(n), RANGE, rangeOfAll)));
      await pause(attack.remainingMs);
      const held = await unsentBytes(arena);
      context.note(`${(held / MIB).toFixed(1)} MiB wait for a client that asked for ${2 * 1_000} MiB`);
      assert.ok(held > 0 && held <= 11 * MIB, `${held} bytes`);
      client.destroy();
    });
    arena.assertReached("holdfast_transport_requests_postponed_total");
  },
};

/** Calls that stay open, each the next of its connection. */
const openCalls = (round: number): Uint8Array =>
  many(100, (n) => headers(streamId(round * 100 + n), requestFields(WATCH)));

const streamsInAll: Scenario = {
  title: "F38, I12, LIMIT streamsTotalMax: streams of all connections together are bounded",
  secondsMax: 60,
  run: async (context) => {
    const wrapper = withLimits({ transport: { streamsTotalMax: 5_000 } });
    const arena = await Arena.open(context, { wrapper, heldBytesMax: 20 * MIB, mayFail: /.*/ });
    await arena.attack(async (attack) => {
      const clients = await connectMany(arena, 8);
      for (const client of clients) await client.send(greeting(), many(10, openCalls));
      await pause(attack.remainingMs);
      const streams = (await arena.figures()).get("holdfast_transport_streams") ?? 0;
      context.note(`${streams} streams open, of 8000 that were asked for`);
      assert.ok(streams > 4_900 && streams <= 5_000, `${streams} streams`);
      const refused = clients.reduce((sum, { resets }) => sum + (resets.get(Code.refused) ?? 0), 0);
      assert.ok(refused > 0, "nobody heard of a refused stream");
      for (const client of clients) client.destroy();
    });
    arena.assertReached("holdfast_transport_streams_refused_overall_total");
  },
};

/** Stays after the GOAWAY, sending on, with its own side of the connection open. */
async function outstay(client: RawClient): Promise<void> {
  await client.send(PREFACE, frame(Type.data, 0, 0));
  for (let n = 0; n < 60 && !client.isClosed; n++) {
    await client.send(settings());
    await pause(50);
  }
}

const outliveGoaway: Scenario = {
  title: "F40, I12, LIMIT errorLingerMs: a connection does not outlive the GOAWAY that ended it",
  secondsMax: 60,
  run: async (context) => {
    const arena = await Arena.open(context, { seconds: 2.5 });
    await arena.attack(async (attack) => {
      const { ended, open } = await attackRepeatedly(arena, attack, 50, outstay, { allowHalfOpen: true });
      assert.ok(ended.length >= 50 && open.length === 0, `${ended.length} ended, ${open.length} outstayed`);
      assert.ok(ended.every(({ goaway }) => goaway?.code === Code.protocol));
      context.note(`${ended.length} connections destroyed while their clients kept them open`);
    });
    arena.assertReached("holdfast_transport_linger_timeouts_total");
  },
};

const abruptEnds: Scenario = {
  title: "F41, I12: 10,000 connections that end abruptly amid broken headers leave nothing behind",
  secondsMax: 120,
  run: async (context) => {
    const arena = await Arena.open(context);
    const before = arena.server.openDescriptors();
    const whole = headers(1, requestFields(RANGE));
    const cut = Buffer.concat([greeting(), whole.subarray(0, 30)]);
    const broken = Buffer.concat([
      greeting(),
      frame(Type.headers, Flag.endHeaders, 1, Buffer.from([0xff, 0xff, 0xff])),
    ]);
    const unfinished = Buffer.concat([greeting(), frame(Type.headers, 0, 1, block(requestFields(RANGE)))]);
    await arena.attack(async () => {
      let left = 10_000;
      const one = async (): Promise<void> => {
        while (left-- > 0) {
          const client = await arena.connect();
          await client.send([cut, broken, unfinished][left % 3] ?? cut);
          client.socket.resetAndDestroy();
          await client.closed;
        }
      };
      await Promise.all(Array.from({ length: 64 }, one));
    });
    const after = arena.server.openDescriptors();
    context.note(`open descriptors: ${before} before, ${after} after`);
    assert.ok(after <= before + 4, `${after - before} descriptors leaked`);
  },
};

const overflow = Buffer.concat([greeting(), windowUpdate(0, LARGEST_WINDOW), windowUpdate(0, LARGEST_WINDOW)]);
const refusedStreams = {
  code: Code.calm,
  reason: /^too many resets$/,
  counter: "holdfast_transport_streams_refused_per_connection_total",
  // Thousands of open watches at a time, of some KiB each, and those just closed.
  arena: { heldBytesMax: 120 * MIB },
};

export const flowScenarios: readonly Scenario[] = [
  unreadAnswers,
  costlyRequests,
  pipelinedAnswers,
  tinyWindows,
  openWindowDeafSocket,
  thrownOut("F38, I12, LIMIT streamsPerConnectionMax: streams without end", {
    offence: flood(greeting(), openCalls),
    ...refusedStreams,
  }),
  thrownOut("F38, I12: streams without end, from a client that never acknowledges the limit", {
    offence: flood(Buffer.concat([PREFACE, settings()]), openCalls),
    ...refusedStreams,
  }),
  streamsInAll,
  thrownOut("F39, I12: an overflow of the connection's window", {
    offence: flood(overflow, () => Buffer.alloc(0)),
    code: Code.flowControl,
  }),
  outliveGoaway,
  abruptEnds,
];
