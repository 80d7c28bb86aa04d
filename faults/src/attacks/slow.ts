/**
 * Clients that take for ever (F26), a few hundred for each phase in which one can, all at the same time: silent, with the
 * preface, the header block or the body in drops, over HTTP/2, HTTP/1.1 and WebSocket. Each must be told off, or closed,
 * within the limit of its phase.
 */
import assert from "node:assert/strict";
import type { Scenario } from "../scenario.js";
import { nowMs, pause } from "../waiting.js";
import { Arena } from "./arena.js";
import { block, data, Flag, frame, greeting, headers, PREFACE, requestFields, Type } from "./frames.js";
import { PUT, RANGE } from "./paths.js";
import { RawClient } from "./raw-client.js";

const MIB = 1024 * 1024;
/** Sweeps look four times a second, each stream once; the machine may be busy. */
const SLACK_MS = 4_000;

interface Phase {
  readonly name: string;
  /** Sent at once. */
  readonly opening: Uint8Array;
  /** Sent in drops behind it. */
  readonly drops: Uint8Array;
  /** How long the server bears it. */
  readonly limitMs: number;
  /** False: what comes back is text. */
  readonly framed?: boolean;
  /** When the server has done its part, if that is not a closed connection. */
  readonly done?: (client: RawClient) => boolean;
}

const NOTHING = Buffer.alloc(0);
const text = (value: string): Buffer => Buffer.from(value, "latin1");
const headerBlock = block(requestFields(RANGE));
const isAnswered = (client: RawClient): boolean => client.answer !== "" || client.count(Type.headers) > 0;

const phases: readonly Phase[] = [
  { name: "TCP, silent", opening: NOTHING, drops: NOTHING, limitMs: 10_000 },
  { name: "the preface in drops", opening: PREFACE.subarray(0, 1), drops: PREFACE.subarray(1, 13), limitMs: 10_000 },
  { name: "no SETTINGS behind the preface", opening: PREFACE, drops: NOTHING, limitMs: 10_000 },
  {
    name: "a HEADERS frame in drops",
    opening: greeting(),
    drops: headers(1, requestFields(RANGE)),
    limitMs: 5_000,
  },
  {
    name: "a header block that is never ended",
    opening: Buffer.concat([greeting(), frame(Type.headers, 0, 1, headerBlock)]),
    drops: NOTHING,
    limitMs: 5_000,
  },
  {
    name: "a body in drops",
    opening: Buffer.concat([greeting(), headers(1, requestFields(PUT)), data(1, Buffer.from([0, 0, 0, 1, 0]))]),
    drops: data(1, Buffer.alloc(200), Flag.endStream),
    limitMs: 10_000,
    done: isAnswered,
  },
  {
    name: "a plain body in drops",
    opening: Buffer.concat([
      greeting(),
      headers(1, [
        [":method", "POST"],
        [":scheme", "http"],
        [":path", "/v3/kv/range"],
        [":authority", "x"],
      ]),
    ]),
    drops: data(1, Buffer.alloc(200), Flag.endStream),
    limitMs: 10_000,
    done: isAnswered,
  },
  {
    name: "an HTTP/1.1 head in drops",
    opening: text("GET "),
    drops: text(`/health HTTP/1.1\r\nX-Y: ${"z".repeat(500)}`),
    limitMs: 10_000,
    framed: false,
  },
  {
    name: "the handshake of a WebSocket in drops",
    opening: text("GET /v3/watch HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"),
    drops: text(`Sec-WebSocket-Key: ${"z".repeat(500)}`),
    limitMs: 10_000,
    framed: false,
  },
];

/** HTTP/1.1 bears a body for longer. */
const bodyPhase: Phase = {
  name: "an HTTP/1.1 body in drops",
  opening: text("POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"),
  drops: text("x".repeat(900)),
  limitMs: 30_000,
  framed: false,
  done: isAnswered,
};

const DROP_EVERY_MS = 500;

/** How long each client of the phase lasted; the limit is over for those that are still there. */
async function endure(arena: Arena, phase: Phase, localAddress: string, count: number): Promise<number[]> {
  const target = { ...arena.target, localAddress };
  const one = async (): Promise<number> => {
    const client = await RawClient.connect(target, phase.framed ?? true);
    const startedMs = nowMs();
    const isDone = (): boolean => client.isClosed || phase.done?.(client) === true;
    await client.send(phase.opening);
    for (let at = 0; !isDone() && nowMs() - startedMs < phase.limitMs + SLACK_MS; at++) {
      if (at < phase.drops.length - 1) await client.send(phase.drops.subarray(at, at + 1));
      await client.closedWithin(DROP_EVERY_MS);
    }
    const lastedMs = isDone() ? nowMs() - startedMs : Number.POSITIVE_INFINITY;
    client.destroy();
    return lastedMs;
  };
  const lasted: Promise<number>[] = [];
  for (let n = 0; n < count; n++) {
    lasted.push(one());
    if (n % 25 === 24) await pause(20);
  }
  return await Promise.all(lasted);
}

interface Slow {
  readonly chosen: readonly Phase[];
  readonly seconds: number;
  /** Metrics of the limits that are reached. */
  readonly counters: readonly string[];
}

const CLIENTS_PER_PHASE = 200;

function slowLoris(title: string, { chosen, seconds, counters }: Slow): Scenario {
  return {
    title,
    secondsMax: seconds + 40,
    missing: () => (process.platform === "linux" ? undefined : "only Linux answers on all of 127.0.0.0/8"),
    run: async (context) => {
      const arena = await Arena.open(context, { heldBytesMax: 60 * MIB, seconds: 0 });
      await arena.attack(async () => {
        const lasted = await Promise.all(
          chosen.map((phase, n) => endure(arena, phase, `127.0.1.${n + 1}`, CLIENTS_PER_PHASE)),
        );
        for (const [n, phase] of chosen.entries()) {
          const most = Math.max(...(lasted[n] ?? []));
          context.note(
            `${phase.name}: ${CLIENTS_PER_PHASE} clients, ended within ${(most / 1_000).toFixed(1)} s of ${phase.limitMs / 1_000} s`,
          );
          assert.ok(most < phase.limitMs + SLACK_MS, `${phase.name}: not ended within ${phase.limitMs} ms`);
        }
      });
      for (const counter of counters) arena.assertReached(counter);
    },
  };
}

export const slowScenarios: readonly Scenario[] = [
  slowLoris(
    "F26, I12, LIMIT firstBytesDeadlineMs, LIMIT prefaceMs, LIMIT headerBlockMs, LIMIT unaryBodyMs, LIMIT headMs: 1,800 slow clients in nine phases at once",
    {
      chosen: phases,
      seconds: 15,
      counters: [
        "holdfast_net_first_bytes_timeouts_total",
        "holdfast_transport_preface_timeouts_total",
        "holdfast_transport_header_block_timeouts_total",
        "holdfast_transport_body_timeouts_total",
        "holdfast_http_head_timeouts_total",
      ],
    },
  ),
  slowLoris("F26, I12, LIMIT bodyMs: HTTP/1.1 bodies in drops", {
    chosen: [bodyPhase],
    seconds: 35,
    counters: ["holdfast_http_body_timeouts_total"],
  }),
];
