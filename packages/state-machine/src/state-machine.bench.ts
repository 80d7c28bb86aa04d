/**
 * How fast the core is, and how much memory a key takes. Run it by hand:
 *
 *   node --expose-gc packages/state-machine/dist/state-machine.bench.js [keys]
 *
 * Figures are the best of several rounds, in nanoseconds per operation.
 */
import {
  type ByteString,
  byteStringFromText,
  createCompare,
  createDeleteRangeRequest,
  createPutRequest,
  createRangeRequest,
  createRequestOp,
  createTxnRequest,
  emptyByteString,
  PermissionType,
  SortOrder,
  SortTarget,
} from "@holdfast/protocol";
import type { Caller } from "./auth/auth-types.js";
import { decodeCommand, encodeCommand } from "./command-codec.js";
import { Restorer } from "./restorer.js";
import { StateMachine } from "./state-machine.js";
import type { Command } from "./types.js";

const rounds = 3;
const largeCount = Number(process.argv[2] ?? 1_000_000);

/** Order that is not that of the keys, without chance. */
const stride = 7_919;

function keyOf(number: number): ByteString {
  return byteStringFromText(`bench/key-${String(number).padStart(8, "0")}`);
}

function putOf(number: number): Command {
  const value = new Uint8Array(32).fill(number);
  return { kind: "put", request: createPutRequest({ key: keyOf(number), value }) };
}

/** Time of `run` for each of `count` operations; `prepare` is not counted. */
function measure<Prepared>(
  name: string,
  count: number,
  prepare: () => Prepared,
  run: (prepared: Prepared) => void,
): void {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const prepared = prepare();
    const start = performance.now();
    run(prepared);
    best = Math.min(best, performance.now() - start);
  }
  const nanoseconds = (best * 1e6) / count;
  console.log(`${name.padEnd(44)} ${nanoseconds.toFixed(0).padStart(9)} ns  (${best.toFixed(1)} ms for ${count})`);
}

function shuffledPuts(count: number): Command[] {
  return Array.from({ length: count }, (_, index) => putOf((index * stride) % count));
}

function filled(count: number): StateMachine {
  const machine = new StateMachine();
  for (const command of shuffledPuts(count)) machine.apply(command);
  return machine;
}

function applyAll(machine: StateMachine, commands: readonly Command[], caller?: Caller): void {
  for (const command of commands) machine.apply(command, caller);
}

const somebody: Caller = { userName: "somebody", authRevision: Number.MAX_SAFE_INTEGER };

/** As `filled`, with authentication on, and `somebody` who may write the keys and a thousand others. */
function guarded(count: number): StateMachine {
  const machine = filled(count);
  const permit = (key: ByteString, rangeEnd: ByteString): Command => {
    const permission = { permType: PermissionType.WRITE, key, rangeEnd };
    return { kind: "roleGrantPermission", roleName: "writes", permission };
  };
  applyAll(machine, [
    { kind: "userAdd", name: "root", passwordHash: "", noPassword: true },
    { kind: "userGrantRole", userName: "root", roleName: "root" },
    { kind: "userAdd", name: somebody.userName, passwordHash: "", noPassword: true },
    { kind: "roleAdd", name: "writes" },
    { kind: "userGrantRole", userName: somebody.userName, roleName: "writes" },
    permit(byteStringFromText("bench/"), byteStringFromText("bench0")),
    ...Array.from({ length: 1000 }, (_, index) => permit(byteStringFromText(`other/${index}`), emptyByteString)),
    { kind: "authEnable" },
  ]);
  return machine;
}

function restored(chunks: readonly Uint8Array[]): StateMachine {
  const restorer = new Restorer();
  for (const chunk of chunks) restorer.push(chunk);
  return restorer.finish();
}

/** The chunks, and the longest time that one of them took. */
function snapshot(machine: StateMachine): { readonly chunks: Uint8Array[]; readonly longestMs: number } {
  const chunks: Uint8Array[] = [];
  const frozen = machine.freeze();
  let longestMs = 0;
  let last = performance.now();
  for (const chunk of frozen.chunks()) {
    chunks.push(chunk);
    const now = performance.now();
    longestMs = Math.max(longestMs, now - last);
    last = now;
  }
  frozen.release();
  return { chunks, longestMs };
}

function lockCommand(number: number): Command {
  const key = keyOf(number);
  const request = createTxnRequest({
    compare: [createCompare({ key, target: 1, createRevision: 0 })],
    success: [createRequestOp({ requestPut: createPutRequest({ key }) })],
    failure: [createRequestOp({ requestRange: createRangeRequest({ key }) })],
  });
  return { kind: "txn", request };
}

function benchWrites(): void {
  const count = 100_000;
  const commands = shuffledPuts(count);
  measure(
    "apply(put), new key, random order",
    count,
    () => new StateMachine(),
    (machine) => applyAll(machine, commands),
  );
  const ascending = Array.from({ length: count }, (_, index) => putOf(index));
  measure(
    "apply(put), new key, ascending",
    count,
    () => new StateMachine(),
    (machine) => applyAll(machine, ascending),
  );
  measure(
    "apply(put), existing key",
    count,
    () => filled(count),
    (machine) => applyAll(machine, commands),
  );
  const hot = Array.from({ length: count }, () => putOf(1));
  measure(
    "apply(put), one hot key",
    count,
    () => filled(count),
    (machine) => applyAll(machine, hot),
  );
  measure(
    "apply(put), existing key, by a user with 1000 grants",
    count,
    () => guarded(count),
    (machine) => applyAll(machine, commands, somebody),
  );
  const locks = Array.from({ length: count }, (_, index) => lockCommand(count + index));
  measure(
    "apply(txn), create if absent",
    count,
    () => filled(count),
    (machine) => applyAll(machine, locks),
  );
  const deletes = commands.map((_, index): Command => {
    return { kind: "deleteRange", request: createDeleteRangeRequest({ key: keyOf(index) }) };
  });
  measure(
    "apply(deleteRange), one key",
    count,
    () => filled(count),
    (machine) => applyAll(machine, deletes),
  );
  benchLargeDeletions(commands);
  const encoded = commands.map((command) => encodeCommand(command));
  measure(
    "decodeCommand(put)",
    count,
    () => encoded,
    (all) => all.forEach((bytes) => void decodeCommand(bytes)),
  );
}

/** What cannot be done in slices: one command that deletes very many keys. */
function benchLargeDeletions(puts: readonly Command[]): void {
  const everything = createDeleteRangeRequest({ key: keyOf(0), rangeEnd: "\0" as ByteString });
  measure(
    "apply(deleteRange), 100k keys, per key",
    puts.length,
    () => filled(puts.length),
    (machine) => void machine.apply({ kind: "deleteRange", request: everything }),
  );
  const leaseId = 1n;
  const withLease = puts.map((_, index): Command => {
    return { kind: "put", request: createPutRequest({ key: keyOf(index), lease: leaseId }) };
  });
  measure(
    "apply(leaseRevoke), 100k keys, per key",
    puts.length,
    () => {
      const machine = new StateMachine();
      applyAll(machine, [{ kind: "leaseGrant", leaseId, ttlSeconds: 60 }, ...withLease]);
      return machine;
    },
    (machine) => void machine.apply({ kind: "leaseRevoke", leaseId }),
  );
}

function benchReads(): void {
  const count = 100_000;
  const machine = filled(count);
  const keys = Array.from({ length: count }, (_, index) => keyOf((index * stride) % count));
  measure(
    "get",
    count,
    () => keys,
    (all) => all.forEach((key) => void machine.get(key)),
  );
  const single = keys.map((key) => createRangeRequest({ key }));
  measure(
    "range, one key",
    count,
    () => single,
    (all) => all.forEach((request) => void machine.range(request)),
  );
  const hundred = Array.from({ length: 1000 }, (_, index) =>
    createRangeRequest({ key: keyOf(index * 90), rangeEnd: keyOf(index * 90 + 100) }),
  );
  measure(
    "range, 100 keys",
    hundred.length,
    () => hundred,
    (all) => all.forEach((one) => void machine.range(one)),
  );
  const everything = createRangeRequest({ key: "\0" as ByteString, rangeEnd: "\0" as ByteString, limit: 100 });
  measure(
    "range, first 100 of 100k, with count",
    1000,
    () => everything,
    (request) => {
      for (let index = 0; index < 1000; index++) machine.range(request);
    },
  );
  const paged = { ...everything, revision: machine.revision - 1000 };
  measure(
    "range, as before, 1000 revisions ago",
    100,
    () => paged,
    (request) => {
      for (let index = 0; index < 100; index++) machine.range(request);
    },
  );
  const oldest = createRangeRequest({
    key: keyOf(0),
    rangeEnd: keyOf(1000),
    limit: 1,
    sortOrder: SortOrder.ASCEND,
    sortTarget: SortTarget.CREATE,
  });
  measure(
    "range, oldest of 1000 keys",
    1000,
    () => oldest,
    (request) => {
      for (let index = 0; index < 1000; index++) machine.range(request);
    },
  );
}

function benchSnapshots(count: number): void {
  const machine = filled(count);
  console.log(`-- ${count} keys: ${machine.approximateBytes} bytes by own reckoning`);
  const { chunks, longestMs } = snapshot(machine);
  const bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  console.log(`   snapshot: ${chunks.length} chunks, ${bytes} bytes, longest slice ${longestMs.toFixed(2)} ms`);
  measure("snapshot, per key", count, () => machine, snapshot);
  measure("restore from events, per key", count, () => chunks, restored);
  machine.apply({ kind: "compact", revision: machine.revision });
  const compacted = snapshot(machine).chunks;
  measure("restore from bases, per key", count, () => compacted, restored);
  measure(
    "sweep, per event",
    count,
    () => compactedTwice(count),
    (old) => {
      while (!old.sweep(1000));
    },
  );
}

function compactedTwice(count: number): StateMachine {
  const machine = filled(count);
  applyAll(machine, shuffledPuts(count));
  machine.apply({ kind: "compact", revision: count + 1 });
  return machine;
}

function benchMemory(count: number): void {
  const collect = globalThis.gc;
  if (collect === undefined) return;
  collect();
  collect();
  const before = process.memoryUsage();
  const machine = filled(count);
  collect();
  collect();
  const after = process.memoryUsage();
  const bytes = after.heapUsed + after.external - before.heapUsed - before.external;
  console.log(`memory per key (18-byte key, 32-byte value): ${(bytes / machine.keyCount).toFixed(0)} bytes`);
}

benchWrites();
benchReads();
benchSnapshots(100_000);
benchSnapshots(largeCount);
benchMemory(largeCount);
