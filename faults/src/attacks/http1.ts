/** Attacks on the JSON gateway, on HTTP/1.1 and on WebSockets (F44, F45, F37). */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import type { Scenario } from "../scenario.js";
import { pause } from "../waiting.js";
import { Arena, type ArenaOptions } from "./arena.js";
import type { RawClient } from "./raw-client.js";

const KIB = 1024;
const MIB = 1024 * KIB;
const ANSWER_MS_MAX = 10_000;

function text(value: string): Buffer {
  return Buffer.from(value, "latin1");
}

function post(path: string, body: string): Buffer {
  return text(`POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
}

/** Resolves with the status of the answer; 0 if the connection was closed without one. */
async function statusOf(client: RawClient, what: string): Promise<number> {
  const endMs = performance.now() + ANSWER_MS_MAX;
  while (!client.isClosed && !client.answer.includes("\r\n\r\n")) {
    assert.ok(performance.now() < endMs, `no answer to ${what}`);
    await client.closedWithin(2);
  }
  return Number(/^HTTP\/1\.1 (\d+)/.exec(client.answer)?.[1] ?? 0);
}

/** What is sent, and the statuses that may come back. */
interface Case {
  readonly bytes: Buffer;
  readonly statuses: readonly number[];
}

const json = (path: string, body: string, statuses: readonly number[] = [400]): Case => ({
  bytes: post(path, body),
  statuses,
});

const range = "/v3/kv/range";
const txn = "/v3/kv/txn";

const bodies: Readonly<Record<string, Case>> = {
  "arrays in arrays": json(range, "[".repeat(1_000_000)),
  "objects in objects that nobody asked for": json(range, '{"a":'.repeat(200_000)),
  "arrays in a field that nobody knows": json(range, `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`),
  "transactions in transactions": json(txn, `${'{"success":[{"requestTxn":'.repeat(10_000)}{}${"}]}".repeat(10_000)}`),
  "a number of a million digits": json(range, `{"limit":${"9".repeat(1_000_000)}}`),
  "a huge exponent": json(range, '{"limit":1e999999999}'),
  "a huge exponent with a million digits": json(range, `{"limit":1e-${"9".repeat(1_000_000)}}`),
  "a string of escapes": json(range, `{"key":"${"\\u0000".repeat(300_000)}"}`),
  "a string without end": json(range, `{"key":"${"a".repeat(1_000_000)}`),
  "broken base64": json(range, `{"key":"${"*".repeat(1_000_000)}"}`),
  "a hundred thousand members": json(range, `{${'"a":1,'.repeat(100_000)}"b":1}`),
  "a hundred thousand times the same member": json(
    range,
    `{${'"key":"YQ==",'.repeat(100_000)}"key":"YQ=="}`,
    [200, 400],
  ),
  "a hundred thousand operations": json(txn, `{"success":[${'{"requestRange":{"key":"YQ=="}},'.repeat(40_000)}{}]}`),
  "members of prototypes": json(range, '{"__proto__":{"key":"YQ=="},"constructor":1,"key":"YQ=="}', [200, 400]),
  "no JSON": json(range, "\u0000\u0001"),
  "a body above the limit": json(range, `{"key":"${"a".repeat(5_000_000)}"}`, [413]),
  "a length of nonsense": {
    bytes: text(`POST ${range} HTTP/1.1\r\nHost: x\r\nContent-Length: 9e9\r\n\r\n{}`),
    statuses: [400],
  },
  "a huge URL": { bytes: text(`GET /${"a".repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`), statuses: [414, 431, 0] },
  "huge headers": {
    bytes: text(`GET /health HTTP/1.1\r\nHost: x\r\n${`X-Filler: ${"y".repeat(1_000)}\r\n`.repeat(100)}\r\n`),
    statuses: [431, 0],
  },
  "thousands of headers": {
    bytes: text(`GET /health HTTP/1.1\r\nHost: x\r\n${"a:b\r\n".repeat(10_000)}\r\n`),
    statuses: [431, 0],
  },
};

function cases(title: string, table: Readonly<Record<string, Case>>, options: ArenaOptions): Scenario {
  return {
    title,
    secondsMax: 90,
    run: async (context) => {
      const arena = await Arena.open(context, options);
      let count = 0;
      await arena.attack(async (attack) => {
        const one = async (): Promise<void> => {
          do {
            for (const [what, { bytes, statuses }] of Object.entries(table)) {
              const client = await arena.connect(false);
              await client.send(bytes);
              const status = await statusOf(client, what);
              assert.ok(statuses.includes(status), `${what}: ${status} ${client.answer.slice(-200)}`);
              client.destroy();
              count++;
            }
          } while (!attack.over);
        };
        await Promise.all([one(), one()]);
      });
      context.note(`${count} requests of ${Object.keys(table).length} kinds`);
    },
  };
}

const endlessBody: Scenario = {
  title: "F44, I12, LIMIT bodyBytesMax: chunked bodies without end are answered 413, or closed",
  secondsMax: 60,
  run: async (context) => {
    const arena = await Arena.open(context, { heldBytesMax: 40 * MIB });
    const chunk = text(`${(16 * KIB).toString(16)}\r\n${"x".repeat(16 * KIB)}\r\n`);
    let ended = 0;
    await arena.attack(async (attack) => {
      const one = async (): Promise<void> => {
        while (!attack.over) {
          const client = await arena.connect(false);
          await client.send(text(`POST ${range} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`));
          for (let n = 0; n < 2_000 && client.answer === "" && !client.isClosed; n++) await client.send(chunk);
          const status = await statusOf(client, "an endless body");
          assert.ok([413, 503, 0].includes(status), client.answer.slice(0, 100));
          client.destroy();
          ended++;
        }
      };
      await Promise.all([one(), one(), one(), one()]);
    });
    context.note(`${ended} bodies given up`);
    arena.assertReached("holdfast_http_bodies_too_large_total");
  },
};

const pipelines: Scenario = {
  title: "F37, I12, LIMIT pipelinedRequestsMax: requests behind one another without end, answers unread",
  secondsMax: 60,
  run: async (context) => {
    const arena = await Arena.open(context, { heldBytesMax: 40 * MIB });
    const batch = Buffer.concat(Array.from({ length: 200 }, () => text("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")));
    await arena.attack(async (attack) => {
      const clients = await Promise.all(Array.from({ length: 20 }, () => arena.connect(false)));
      for (const client of clients) {
        client.stopReading();
        await Promise.race([client.send(batch), pause(100)]);
      }
      await pause(attack.remainingMs);
      for (const client of clients) client.destroy();
    });
    arena.assertReached("holdfast_http_pipelines_exceeded_total");
  },
};

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

async function openWebSocket(arena: Arena, path = "/v3/watch"): Promise<RawClient> {
  const client = await arena.connect(false);
  const key = randomBytes(16).toString("base64");
  await client.send(
    text(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    ),
  );
  assert.equal(await statusOf(client, "the handshake"), 101, client.answer);
  assert.ok(
    client.answer.includes(
      createHash("sha1")
        .update(key + GUID)
        .digest("base64"),
    ),
  );
  return client;
}

/** A frame as a client must send it: masked, here with zeros. */
function webSocketFrame(opcode: number, payload: Uint8Array, final = true): Buffer {
  const length = payload.length;
  const head = length < 126 ? [0x80 | length] : [0x80 | 126, length >>> 8, length & 255];
  return Buffer.concat([Buffer.from([(final ? 0x80 : 0) | opcode, ...head, 0, 0, 0, 0]), payload]);
}

const create = text('{"create_request":{"key":"YQ=="}}');

/** Bytes that a WebSocket may be flooded with; `ends` if it must be closed for them. */
const webSocketFloods: readonly { readonly what: string; readonly bytes: Buffer; readonly ends: boolean }[] = [
  {
    what: "a frame of 2^63 bytes",
    bytes: Buffer.from([0x81, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0]),
    ends: true,
  },
  { what: "frames that are not masked", bytes: Buffer.from([0x81, 2, 0x7b, 0x7d]), ends: true },
  { what: "unknown opcodes", bytes: webSocketFrame(0xb, text("x")), ends: true },
  { what: "control frames in pieces", bytes: webSocketFrame(9, text("x"), false), ends: true },
  { what: "pieces without a beginning", bytes: webSocketFrame(0, text("x")), ends: true },
  { what: "a message in pieces without end", bytes: webSocketFrame(1, text("[".repeat(60_000)), false), ends: true },
  { what: "pings", bytes: Buffer.concat(Array.from({ length: 200 }, () => webSocketFrame(9, text("x")))), ends: false },
  // Nothing more is read of such a stream, and what it watches goes on, as in etcd.
  { what: "a message that is no JSON", bytes: webSocketFrame(1, text("}")), ends: false },
  {
    what: "empty messages",
    bytes: Buffer.concat(Array.from({ length: 200 }, () => webSocketFrame(1, text(" ")))),
    ends: false,
  },
  {
    what: "watch after watch",
    bytes: Buffer.concat(Array.from({ length: 100 }, () => webSocketFrame(1, create))),
    ends: false,
  },
];

const floodedWebSockets: Scenario = {
  title: "F44, I12, LIMIT webSocketMessageBytesMax: floods over WebSockets end them, or are borne",
  secondsMax: 90,
  run: async (context) => {
    const arena = await Arena.open(context, { heldBytesMax: 80 * MIB, seconds: 0 });
    await arena.attack(async () => {
      for (const { what, bytes, ends } of webSocketFloods) {
        const client = await openWebSocket(arena);
        const endMs = performance.now() + 300;
        do {
          await Promise.race([client.send(bytes), pause(200)]);
          await client.closedWithin(1);
        } while (!client.isClosed && performance.now() < endMs);
        if (ends) assert.ok(await client.closedWithin(7_000), `${what}: not closed`);
        context.note(`${what}: ${client.isClosed ? "closed" : "borne"} after ${client.bytesSent} bytes`);
        client.destroy();
      }
    });
  },
};

const manyWebSockets: Scenario = {
  title: "F25, I12: five hundred WebSockets, each with a watch, and all gone at once",
  secondsMax: 60,
  run: async (context) => {
    const arena = await Arena.open(context, { heldBytesMax: 40 * MIB });
    const before = arena.server.openDescriptors();
    await arena.attack(async (attack) => {
      const clients: RawClient[] = [];
      while (clients.length < 500)
        clients.push(...(await Promise.all(Array.from({ length: 25 }, () => openWebSocket(arena)))));
      for (const client of clients) await client.send(webSocketFrame(1, create));
      await pause(attack.remainingMs);
      for (const client of clients) client.socket.resetAndDestroy();
    });
    const after = arena.server.openDescriptors();
    assert.ok(after <= before + 4, `${after - before} descriptors leaked`);
  },
};

export const http1Scenarios: readonly Scenario[] = [
  cases("F44, F45, I12: JSON that is deep, long, or none is refused", bodies, { heldBytesMax: 60 * MIB }),
  endlessBody,
  pipelines,
  floodedWebSockets,
  manyWebSockets,
];
