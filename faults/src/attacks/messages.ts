/** Messages that lie about their size, unfold, or are none (F44, F45). */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import {
  byteStringFromText,
  createPutRequest,
  createRequestOp,
  createTxnRequest,
  encodePutRequest,
  encodeTxnRequest,
  StatusCode,
} from "@holdfast/protocol";
import type { Scenario } from "../scenario.js";
import { Arena, type ArenaOptions } from "./arena.js";
import { message, uint32 } from "./frames.js";
import { type GrpcRequest, GrpcSession } from "./grpc-request.js";
import { KEEP_ALIVE, PUT, RANGE, rangeOfNothing, TXN, WATCH } from "./paths.js";

const KIB = 1024;
const MIB = 1024 * KIB;

/** A request, and the codes it may be answered with: all of them say "refused" (fault model, section 4). */
export interface Case {
  readonly request: GrpcRequest;
  readonly codes: readonly number[];
}

const { internal, invalidArgument, resourceExhausted, unimplemented } = StatusCode;
const gzip = { "grpc-encoding": "gzip" };

function declared(bytes: number, sent: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0]), uint32(bytes), sent]);
}

/** 16 KiB that unfold to 16 MiB. */
const bomb = gzipSync(Buffer.alloc(16 * MIB), { level: 9 });
/** The same, folded twice. */
const bombInBomb = gzipSync(gzipSync(Buffer.alloc(512 * MIB), { level: 9 }), { level: 9 });
const honest = gzipSync(rangeOfNothing);

const sizes: Readonly<Record<string, Case>> = {
  "a message above the limit": {
    request: { path: PUT, body: message(Buffer.alloc(2 * MIB + 1)) },
    codes: [resourceExhausted],
  },
  "a declared length of 4 GiB": {
    request: { path: PUT, body: declared(0xffffffff, Buffer.alloc(10)) },
    codes: [resourceExhausted],
  },
  "a declared length just above the limit": {
    request: { path: PUT, body: declared(2 * MIB + 1, Buffer.alloc(10)) },
    codes: [resourceExhausted],
  },
  "a length above what comes": { request: { path: RANGE, body: declared(1_000, Buffer.alloc(10)) }, codes: [internal] },
  "half a prefix": { request: { path: RANGE, body: Buffer.from([0, 0]) }, codes: [internal] },
  "no message": { request: { path: RANGE, body: Buffer.alloc(0) }, codes: [internal] },
  "two messages": {
    request: { path: RANGE, body: Buffer.concat([message(rangeOfNothing), message(rangeOfNothing)]) },
    codes: [internal, unimplemented],
  },
  "compressed without an encoding": {
    request: { path: RANGE, body: message(honest, 1) },
    codes: [internal, unimplemented],
  },
  "a flag of nonsense": {
    request: { path: RANGE, body: message(rangeOfNothing, 0x7f) },
    codes: [internal, unimplemented],
  },
  "an encoding nobody knows": {
    request: { path: RANGE, body: message(honest, 1), headers: { "grpc-encoding": "lzma" } },
    codes: [unimplemented],
  },
  "a value above the limit of requests": {
    request: { path: PUT, body: message(put("k", Buffer.alloc(1_600_000))) },
    codes: [invalidArgument],
  },
};

const bombs: Readonly<Record<string, Case>> = {
  "a bomb of 1 to 1000": { request: { path: PUT, body: message(bomb, 1), headers: gzip }, codes: [resourceExhausted] },
  "a bomb in a bomb": {
    request: { path: PUT, body: message(bombInBomb, 1), headers: gzip },
    codes: [resourceExhausted, internal],
  },
  "broken gzip": {
    request: {
      path: RANGE,
      body: message(Buffer.concat([bomb.subarray(0, 100), Buffer.alloc(50, 7)]), 1),
      headers: gzip,
    },
    codes: [internal, resourceExhausted],
  },
  "cut gzip": { request: { path: RANGE, body: message(honest.subarray(0, 12), 1), headers: gzip }, codes: [internal] },
};

function put(key: string, value: Uint8Array): Uint8Array {
  return encodePutRequest(createPutRequest({ key: byteStringFromText(key), value }));
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  bytes.push(left);
  return Buffer.from(bytes);
}

/** A transaction in a transaction in a transaction … */
function nestedTxn(levels: number): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  // success = 2 holds a RequestOp, whose request_txn = 4 holds the next transaction.
  for (let level = 0; level < levels; level++) {
    const inner = Buffer.concat([varint(4 * 8 + 2), varint(length)]);
    const outer = Buffer.concat([varint(2 * 8 + 2), varint(inner.length + length), inner]);
    parts.push(outer);
    length += outer.length;
  }
  return Buffer.concat(parts.reverse());
}

function txnOf(operations: number): Uint8Array {
  const requestPut = createPutRequest({ key: byteStringFromText("k") });
  const success = Array.from({ length: operations }, () => createRequestOp({ requestPut }));
  return encodeTxnRequest(createTxnRequest({ success }));
}

const malformed: Readonly<Record<string, Uint8Array>> = {
  "a varint without end": Buffer.alloc(11, 0xff),
  "a varint that is cut": Buffer.from([0x0a, 0xff]),
  "a field number of zero": Buffer.from([0x00]),
  "wire type 7": Buffer.from([0x0f]),
  "a length beyond the message": Buffer.from([0x0a, 0x7f, 0x61]),
  "a negative length": Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
  "a group without end": Buffer.from([0xa3, 0x06]),
  "the end of no group": Buffer.from([0xa4, 0x06]),
  "groups in groups": Buffer.alloc(100_000, Buffer.from([0xa3, 0x06])),
};

const nonsense = (path: string, bytes: Uint8Array, codes = [internal, invalidArgument]): Case => ({
  request: { path, body: message(bytes) },
  codes,
});

const protobuf: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(
    Object.entries(malformed).flatMap(([what, bytes]) =>
      [PUT, RANGE, TXN, WATCH, KEEP_ALIVE].map((path) => [`${what} to ${path}`, nonsense(path, bytes)] as const),
    ),
  ),
  "a hundred transactions in one another": nonsense(TXN, nestedTxn(100)),
  "a hundred thousand transactions in one another": nonsense(TXN, nestedTxn(100_000)),
  "129 operations": nonsense(TXN, txnOf(129), [invalidArgument]),
  "a hundred thousand operations": nonsense(TXN, txnOf(100_000), [invalidArgument]),
  "a hundred thousand unknown fields and no key": nonsense(
    PUT,
    Buffer.alloc(300_000, Buffer.from([0xa0, 0x06, 0x01])),
    [invalidArgument],
  ),
};

export interface CasesOptions extends ArenaOptions {
  /** Makes the server what the cases need. */
  readonly prepare?: (arena: Arena) => Promise<void>;
  /** The metric that counts what the cases reach. */
  readonly counter?: string;
}

/** A scenario in which attackers send all cases of a table over and over, and must get the answers that it has for them. */
export function cases(title: string, table: Readonly<Record<string, Case>>, options: CasesOptions = {}): Scenario {
  const { prepare, counter, ...arenaOptions } = options;
  return {
    title,
    secondsMax: 90,
    run: async (context) => {
      const arena = await Arena.open(context, arenaOptions);
      await prepare?.(arena);
      let count = 0;
      await arena.attack(async (attack) => {
        const one = async (): Promise<void> => {
          const session = new GrpcSession(arena.server.host, arena.server.port);
          do {
            for (const [what, { request, codes }] of Object.entries(table)) {
              const answer = await session.send(request);
              const seen = `${what}: ${answer.status} ${answer.message}, reset ${answer.resetCode}`;
              assert.ok(answer.status !== undefined && codes.includes(answer.status), seen);
              assert.doesNotMatch(answer.message, /at .*\.[jt]s|node:|undefined/, seen);
              count++;
            }
          } while (!attack.over && !session.isClosed);
          session.destroy();
        };
        await Promise.all(Array.from({ length: 4 }, one));
      });
      context.note(`${count} requests of ${Object.keys(table).length} kinds`);
      if (counter !== undefined) arena.assertReached(counter);
    },
  };
}

const thousandBombs: Scenario = {
  title: "F44, I12, LIMIT messageBytesMax, LIMIT turnMs: a thousand decompression bombs of 1 to 1000 at once",
  secondsMax: 90,
  run: async (context) => {
    const arena = await Arena.open(context, { heldBytesMax: 40 * MIB });
    await arena.attack(async () => {
      const sessions = Array.from({ length: 10 }, () => new GrpcSession(arena.server.host, arena.server.port));
      const request = { path: PUT, body: message(bomb, 1), headers: gzip };
      const answers = await Promise.all(
        sessions.flatMap((session) => Array.from({ length: 100 }, () => session.send(request))),
      );
      assert.ok(answers.every(({ status }) => status === resourceExhausted));
      for (const session of sessions) session.destroy();
    });
    arena.assertReached("holdfast_transport_messages_too_large_total");
    arena.assertReached("holdfast_transport_turns_ended_total");
  },
};

export const messageScenarios: readonly Scenario[] = [
  cases("F44, I12: lengths that are too large, or lie, are refused before anything is kept", sizes),
  cases("F44, I12: compressed messages that unfold too far, or not at all, are refused", bombs, {
    heldBytesMax: 40 * MIB,
  }),
  thousandBombs,
  cases("F45, I12: malformed and deeply nested messages are refused, each within its call", protobuf, {
    heldBytesMax: 40 * MIB,
  }),
];
