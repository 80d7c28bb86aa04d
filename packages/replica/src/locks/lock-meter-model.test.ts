/**
 * The lock meter against a plain one that looks at all keys of all leases before and after each command.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ByteString,
  createDeleteRangeRequest,
  createPutRequest,
  createRequestOp,
  createTxnRequest,
} from "@holdfast/protocol";
import { type Command, PutIfAbsent, StateMachine } from "@holdfast/state-machine";
import fc from "fast-check";
import { byteString } from "../testing/harness.js";
import { ManualEnvironment } from "../testing/manual-environment.js";
import { LockMeter } from "./lock-meter.js";
import { placePrefix } from "./place-line.js";
import { prefixEnd } from "./prefix-end.js";

const leaseIds = [0xan, 0xbn, 0xcn];
const names = ["a", "b", "a/b"];
const noBytes = new Uint8Array(0);

interface Measured {
  readonly held: number;
  readonly waiting: number;
  readonly handOvers: number;
  /** How many there were, and their seconds. */
  readonly holds: readonly number[];
  readonly waits: readonly number[];
}

interface PlainPlace {
  readonly prefix: ByteString;
  readonly createRevision: number;
  /** Since when it is first or waits; undefined if that was not seen. */
  sinceMs: number | undefined;
}

class PlainMeter {
  #places = new Map<string, PlainPlace>();
  #handOvers = 0;
  readonly #holds = [0, 0];
  readonly #waits = [0, 0];

  observe(machine: StateMachine, nowMs: number): void {
    const before = this.#places;
    this.#places = placesOf(machine, before, nowMs);
    const prefixes = new Set([...before.values(), ...this.#places.values()].map(({ prefix }) => prefix));
    for (const prefix of prefixes) this.#settle(oldest(before, prefix), oldest(this.#places, prefix), nowMs);
  }

  #settle(holder: PlainPlace | undefined, next: PlainPlace | undefined, nowMs: number): void {
    if (holder === next) return;
    const lives = holder !== undefined && [...this.#places.values()].includes(holder);
    if (holder?.sinceMs !== undefined && !lives) count(this.#holds, nowMs - holder.sinceMs);
    if (next === undefined) return;
    if (next.sinceMs !== undefined) count(this.#waits, nowMs - next.sinceMs);
    next.sinceMs = nowMs;
    if (lives) holder.sinceMs = undefined;
    else if (holder !== undefined) this.#handOvers += 1;
  }

  get measured(): Measured {
    const held = new Set([...this.#places.values()].map(({ prefix }) => prefix)).size;
    const waiting = this.#places.size - held;
    return { held, waiting, handOvers: this.#handOvers, holds: this.#holds, waits: this.#waits };
  }
}

/** The places there are now, those that were there `before` as they were. */
function placesOf(
  machine: StateMachine,
  before: ReadonlyMap<string, PlainPlace>,
  nowMs: number,
): Map<string, PlainPlace> {
  const places = new Map<string, PlainPlace>();
  for (const { leaseId, keys } of machine.leases()) {
    for (const key of keys) {
      const prefix = placePrefix(key, leaseId);
      if (prefix === undefined) continue;
      const { createRevision } = machine.get(key)!;
      const known = before.get(key);
      const isSame = known?.createRevision === createRevision;
      places.set(key, isSame ? known : { prefix, createRevision, sinceMs: nowMs });
    }
  }
  return places;
}

function oldest(places: ReadonlyMap<string, PlainPlace>, prefix: ByteString): PlainPlace | undefined {
  const line = [...places.values()].filter((place) => place.prefix === prefix);
  return line.sort((one, other) => one.createRevision - other.createRevision)[0];
}

function count(sums: number[], ms: number): void {
  sums[0]! += 1;
  sums[1]! += ms / 1_000;
}

function measuredBy({ heldCount, waitingCount, handOvers, holdSeconds, waitSeconds }: LockMeter): Measured {
  const holds = [holdSeconds.count, holdSeconds.sum];
  const waits = [waitSeconds.count, waitSeconds.sum];
  return { held: heldCount, waiting: waitingCount, handOvers, holds, waits };
}

const keys = fc
  .record({ name: fc.constantFrom(...names), lease: fc.constantFrom(...leaseIds) })
  .map(({ name, lease }) => ({ key: byteString(`${name}/${lease.toString(16)}`), lease }));

function deletion(key: ByteString, rangeEnd = byteString("")): Command {
  return { kind: "deleteRange", request: createDeleteRangeRequest({ key, rangeEnd }) };
}

/** Undefined: what is deleted is forgotten, so that other keys get its numbers. */
const steps: fc.Arbitrary<Command | undefined> = fc.oneof(
  {
    weight: 6,
    arbitrary: keys.map(({ key, lease }): Command => ({ kind: "txn", request: new PutIfAbsent(key, lease, noBytes) })),
  },
  { weight: 5, arbitrary: keys.map(({ key }) => deletion(key)) },
  {
    weight: 1,
    arbitrary: keys.map(({ key }): Command => {
      const requestDeleteRange = createDeleteRangeRequest({ key });
      return { kind: "txn", request: createTxnRequest({ success: [createRequestOp({ requestDeleteRange })] }) };
    }),
  },
  // Services refuse it, and it is another place.
  {
    weight: 1,
    arbitrary: keys.map(({ key, lease }): Command => {
      const operations = [
        { requestDeleteRange: createDeleteRangeRequest({ key }) },
        { requestPut: createPutRequest({ key, lease }) },
      ];
      return { kind: "txn", request: createTxnRequest({ success: operations.map((each) => createRequestOp(each)) }) };
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(keys, fc.constantFrom(0n, ...leaseIds))
      .map(([{ key }, lease]): Command => ({ kind: "put", request: createPutRequest({ key, lease }) })),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...names.map((name) => byteString(`${name}/`)))
      .map((from) => deletion(from, prefixEnd(from))),
  },
  { weight: 1, arbitrary: fc.constantFrom(...leaseIds).map((leaseId): Command => ({ kind: "leaseRevoke", leaseId })) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(...leaseIds)
      .map((leaseId): Command => ({ kind: "leaseGrant", leaseId, ttlSeconds: 60 })),
  },
  { weight: 2, arbitrary: fc.constant(undefined) },
);

function forget(machine: StateMachine): void {
  machine.apply({ kind: "compact", revision: machine.revision });
  while (!machine.sweep(1_000));
}

test("what is measured is right after every command, whichever keys come back and whatever numbers they have", () => {
  let holds = 0;
  fc.assert(
    fc.property(fc.array(steps, { maxLength: 80, size: "max" }), (list) => {
      const environment = new ManualEnvironment();
      const machine = new StateMachine();
      const meter = new LockMeter(machine, environment);
      const plain = new PlainMeter();
      const grants = leaseIds.map((leaseId): Command => ({ kind: "leaseGrant", leaseId, ttlSeconds: 60 }));
      for (const command of [...grants, ...list]) {
        environment.advance(1_000);
        if (command === undefined) forget(machine);
        else {
          const outcome = machine.apply(command);
          if (machine.changes.length > 0) meter.observe(machine.changes, command, outcome);
        }
        plain.observe(machine, environment.nowMs());
        assert.deepEqual(measuredBy(meter), plain.measured);
      }
      holds += meter.holdSeconds.count;
    }),
    { numRuns: 300 },
  );
  assert.ok(holds > 1_000, `only ${holds} holds ended`);
});

test("a name that was forgotten while its last place is remembered is one name for all who come back", () => {
  const machine = new StateMachine();
  const meter = new LockMeter(machine, new ManualEnvironment());
  const run = (command: Command): void => {
    const outcome = machine.apply(command);
    if (machine.changes.length > 0) meter.observe(machine.changes, command, outcome);
  };
  const keyOf = (name: string, lease: bigint): ByteString => byteString(`${name}/${lease.toString(16)}`);
  const lock = (name: string, lease: bigint): void =>
    run({ kind: "txn", request: new PutIfAbsent(keyOf(name, lease), lease, noBytes) });
  for (const leaseId of leaseIds) run({ kind: "leaseGrant", leaseId, ttlSeconds: 60 });
  // One after the other is free, the last but one is `n`; so many free names are not kept.
  const free = [...Array.from({ length: 9_998 }, (_, at) => `free${at}`), "n", "last"];
  for (const name of free) {
    lock(name, 0xan);
    run(deletion(keyOf(name, 0xan)));
  }
  assert.equal(meter.nameCount, 0);
  lock("n", 0xan);
  lock("n", 0xbn);
  assert.deepEqual([meter.heldCount, meter.waitingCount, meter.nameCount], [1, 1, 1]);
});
