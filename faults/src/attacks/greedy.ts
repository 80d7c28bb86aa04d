/** Requests of few bytes that ask for very much, and those of very many parts (F14, F45). */
import assert from "node:assert/strict";
import {
  byteStringFromText,
  CompareResult,
  CompareTarget,
  createCompare,
  createDeleteRangeRequest,
  createPutRequest,
  createRangeRequest,
  createRequestOp,
  createTxnRequest,
  encodeTxnRequest,
  kvService,
  type PutRequest,
  type RequestOp,
  SortOrder,
  SortTarget,
  StatusCode,
  type TxnRequest,
} from "@holdfast/protocol";
import { Client } from "../client.js";
import type { Scenario } from "../scenario.js";
import { Arena } from "./arena.js";
import { message } from "./frames.js";
import { type Case, cases } from "./messages.js";
import { AUTHENTICATE, MEMBER_ADD, TXN, WATCH } from "./paths.js";

const KIB = 1024;
const MIB = 1024 * KIB;
const LIMIT_HITS = "holdfast_limit_hits_total";
const { compact, deleteRange, put, txn } = kvService.methods;
const OPERATIONS_MAX = 128;
const everything = { key: byteStringFromText("\0"), rangeEnd: byteStringFromText("\0") };
const { invalidArgument, resourceExhausted } = StatusCode;

const rangeOp = (fields: Parameters<typeof createRangeRequest>[0] = {}): RequestOp =>
  createRequestOp({ requestRange: createRangeRequest({ ...everything, ...fields }) });
const putOp = (key: string, value = new Uint8Array(0)): RequestOp =>
  createRequestOp({ requestPut: createPutRequest({ key: byteStringFromText(key), value }) });
const times = (count: number, operation: RequestOp): RequestOp[] => Array.from({ length: count }, () => operation);

/** One that is logged may also be told that too much waits before it. */
function txnCase(fields: Partial<TxnRequest>, codes: readonly number[] = [invalidArgument, resourceExhausted]): Case {
  return { request: { path: TXN, body: message(encodeTxnRequest(createTxnRequest(fields))) }, codes };
}

const allOfIt = times(32, rangeOp());
const prevKvs = createRequestOp({ requestDeleteRange: createDeleteRangeRequest({ ...everything, prevKv: true }) });
const own = rangeOp({ key: byteStringFromText("own"), rangeEnd: byteStringFromText("") });
const never = createCompare({
  key: everything.key,
  target: CompareTarget.VERSION,
  result: CompareResult.GREATER,
  version: 1,
});

const manyAnswers: Readonly<Record<string, Case>> = {
  "everything 32 times": txnCase({ success: allOfIt }, [invalidArgument]),
  "everything 32 times, with a write": txnCase({ success: [putOp("w"), ...allOfIt] }),
  "everything 32 times, in the branch that is not taken now": txnCase({ compare: [never], success: allOfIt }),
  "everything 32 times, in one another": txnCase({
    success: times(4, createRequestOp({ requestTxn: createTxnRequest({ success: times(8, rangeOp()) }) })),
  }),
  "everything deleted 32 times, with what it was": txnCase({ success: times(32, prevKvs) }),
  "its own value, a hundred times": txnCase({ success: [putOp("own", Buffer.alloc(MIB)), ...times(100, own)] }),
};

const last = rangeOp({ sortTarget: SortTarget.VALUE, sortOrder: SortOrder.DESCEND, limit: 1 });
const compareAll = createCompare({
  ...everything,
  target: CompareTarget.VALUE,
  result: CompareResult.NOT_EQUAL,
  value: Buffer.from("other"),
});

const manyWalks: Readonly<Record<string, Case>> = {
  "the largest of everything, 128 times": txnCase({ success: times(OPERATIONS_MAX, last) }, [invalidArgument]),
  "everything compared 128 times": txnCase({ compare: Array.from({ length: OPERATIONS_MAX }, () => compareAll) }, [
    invalidArgument,
  ]),
  "how many there were, 128 times": txnCase(
    { success: times(OPERATIONS_MAX, rangeOp({ countOnly: true, revision: 9 })) },
    [invalidArgument],
  ),
};

/** Two megabytes of `bytes`, and the code that they get. */
function filled(path: string, bytes: readonly number[]): Case {
  return { request: { path, body: message(Buffer.alloc(2 * MIB - 16, Buffer.from(bytes))) }, codes: [invalidArgument] };
}

/** A message in a message, of these bytes over and over; 2,000,000 bytes in all. */
function filledInside(path: string, tag: number, bytes: readonly number[]): Case {
  const inner = Buffer.alloc(2_000_000 - (2_000_000 % bytes.length), Buffer.from(bytes));
  const length = [(inner.length & 0x7f) | 0x80, ((inner.length >>> 7) & 0x7f) | 0x80, inner.length >>> 14];
  return {
    request: { path, body: message(Buffer.concat([Buffer.from([tag, ...length]), inner])) },
    codes: [invalidArgument],
  };
}

const manyParts: Readonly<Record<string, Case>> = {
  "a million operations": filled(TXN, [0x12, 0]),
  "a million comparisons": filled(TXN, [0x0a, 0]),
  "a million times the arm of one operation": filledInside(TXN, 0x12, [0x0a, 0]),
  "half a million addresses": filled(MEMBER_ADD, [0x0a, 1, 0x61]),
  "half a million names": filled(AUTHENTICATE, [0x0a, 1, 0x61]),
  "two million filters": filledInside(WATCH, 0x0a, [0x28, 1]),
};

/** 10 MiB, in 40 values. */
async function storeTenMebibytes({ server }: Arena): Promise<void> {
  const client = await Client.connect(server.endpoint);
  for (let n = 0; n < 40; n++) await client.must(put, largePut("large", n, 256 * KIB));
  client.destroy();
}

/** A hundred thousand keys, whose values are small. */
async function storeManyKeys({ server }: Arena): Promise<void> {
  const client = await Client.connect(server.endpoint);
  for (let n = 0; n < 800; n++) {
    const success = Array.from({ length: 125 }, (_, k) => putOp(`small/${n}/${k}`, Buffer.alloc(16, n)));
    await client.must(txn, { success });
  }
  client.destroy();
}

function largePut(folder: string, n: number, bytes: number): Partial<PutRequest> {
  return { key: byteStringFromText(`${folder}/${n}`), value: Buffer.alloc(bytes, n) };
}

/** Values are still on their way to the disk when somebody asks for all of them. */
const writtenAhead: Scenario = {
  title:
    "F14, I12, LIMIT transactionAnswerBytesMax: values written just ahead of a transaction cannot be had 32 times either",
  secondsMax: 90,
  run: async (context) => {
    const arena = await Arena.open(context, { heldBytesMax: 60 * MIB });
    const tally = { rounds: 0, refused: 0 };
    await arena.attack(async (attack) => {
      const clients = await Promise.all(Array.from({ length: 9 }, () => Client.connect(arena.server.endpoint)));
      const [last = clients[0] as Client, ...others] = clients;
      do {
        // As much as fits the windows of a connection, from each of eight.
        const puts = others.flatMap((client, c) =>
          Array.from({ length: 8 }, (_, n) => client.call(put, largePut(`ahead/${c}`, n, 100 * KIB))),
        );
        const readBefore = last.socket.bytesRead;
        const { code } = await last.call(txn, { success: [putOp("w"), ...allOfIt] });
        const bytes = last.socket.bytesRead - readBefore;
        // The largest answer is free.
        assert.ok(bytes <= 2 * 16 * MIB, `${bytes} bytes were given`);
        tally.rounds += 1;
        if (code !== 0) tally.refused += 1;
        await Promise.all(puts);
        const { header } = await last.must(deleteRange, everything);
        // What was deleted stays in the history, which is data and not load. Each compaction is a line in the server's log.
        if (tally.rounds % 4 === 0) await last.must(compact, { revision: header?.revision ?? 0, physical: true });
      } while (!attack.over);
      for (const client of clients) client.destroy();
    });
    context.note(`${tally.refused} of ${tally.rounds} refused`);
  },
};

export const greedyScenarios: readonly Scenario[] = [
  cases(
    "F14, I12, LIMIT transactionAnswerBytesMax: nobody gets the whole store many times in one transaction",
    manyAnswers,
    {
      heldBytesMax: 60 * MIB,
      prepare: storeTenMebibytes,
      counter: LIMIT_HITS,
    },
  ),
  writtenAhead,
  cases(
    "F14, I12, LIMIT transactionKeysMax: nobody goes through the whole store many times in one transaction",
    manyWalks,
    {
      prepare: storeManyKeys,
      counter: LIMIT_HITS,
    },
  ),
  cases(
    "F45, I12, LIMIT requestItemsMax, LIMIT transactionOperations: requests of a million parts are given up early",
    manyParts,
    { heldBytesMax: 40 * MIB, counter: LIMIT_HITS },
  ),
];
