/**
 * The contract of a log engine: numbered sentences, and for each the test that proves it. Whoever
 * writes an engine runs `testEngineContract` with a maker of places to keep a log in, and is told
 * which sentence does not hold.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { EngineListener, LogEngine, PutResult } from "../engine.js";
import { LogClosedError, LogDamagedError } from "../errors.js";

export const ENGINE_CONTRACT = {
  1: "a new engine holds nothing: bounds from 1 to 0, no snapshots",
  2: "what was put as stored is got back byte for byte",
  3: "a put at an index that is taken answers taken and changes nothing",
  4: "a put that would leave a gap is refused as gap",
  5: "an entry of entryBytesMax is stored; a longer one is refused as too-large and changes nothing",
  6: "done is called exactly once and never from within put; a second put in flight throws",
  7: "the engine keeps no reference to the bytes of a put, nor hands out its own",
  8: "what was stored is there after a crash, byte for byte",
  9: "an entry in flight during a crash is there wholly or not at all, and nothing before it is lost",
  10: "get outside the bounds answers undefined",
  11: "tail visits every entry from the one asked for, in order, and gives other work a turn",
  12: "what a visitor of tail throws ends the reading and reaches the caller",
  13: "open hands every entry held to verify, in order",
  14: "a reason from verify refuses the opening as damage and changes nothing",
  15: "trim keeps everything from keepFrom on, also after a crash; reading from before the bounds is a RangeError",
  16: "a snapshot comes back in the chunks in which it was written, also after a crash",
  17: "a snapshot whose chunks throw is never visible, and the one before it stays",
  18: "a crash while a snapshot is being written leaves it invisible or whole",
  19: "snapshots are listed newest first, and prune keeps the newest ones",
  20: "the identity stays the same across crashes and differs between logs",
  21: "close settles the put in flight; later puts are refused as closed, other calls throw LogClosedError",
  22: "entries discarded while they are being read are still handed over, or end the reading as a RangeError",
  23: "an exclusive engine refuses a second opener; of two shared ones exactly one stores at an index",
  24: "open hands the newest snapshot over, whole, before it verifies the first entry",
} as const;

type Sentence = keyof typeof ENGINE_CONTRACT;

/** Somewhere to keep one log. Survives its engines. */
export interface EnginePlace {
  /** A new engine on what is there. Not open yet. */
  engine(): LogEngine;
  /** Ends every engine that is open without a word to anybody; whatever was durable stays. */
  crash(): Promise<void>;
  dispose(): Promise<void>;
}

export const ACCEPT_ALL: EngineListener = { verify: () => undefined, failed: () => {} };

/** Runs every sentence as a test named `ENGINE-n (name): sentence`. */
export function testEngineContract(name: string, makePlace: () => Promise<EnginePlace>): void {
  for (const key of Object.keys(PROOFS)) {
    const sentence = Number(key) as Sentence;
    test(`ENGINE-${sentence} (${name}): ${ENGINE_CONTRACT[sentence]}`, async () => {
      const place = await makePlace();
      try {
        await PROOFS[sentence](place, makePlace);
      } finally {
        await place.dispose();
      }
    });
  }
}

const PROOFS: {
  readonly [sentence in Sentence]: (place: EnginePlace, makePlace: () => Promise<EnginePlace>) => Promise<void>;
} = {
  async 1(place) {
    const engine = await opened(place);
    assert.deepEqual(engine.bounds(), { first: 1, last: 0 });
    assert.deepEqual(engine.snapshots.list(), []);
    await engine.close();
  },

  async 2(place) {
    const engine = await opened(place);
    for (const index of [1, 2, 3]) assert.equal((await put(engine, index, bytesFor(index))).fate, "stored");
    for (const index of [1, 2, 3]) assert.deepEqual(await got(engine, index), bytesFor(index));
    assert.deepEqual(engine.bounds(), { first: 1, last: 3 });
    await engine.close();
  },

  async 3(place) {
    const engine = await filled(place, 3);
    assert.deepEqual(await put(engine, 2, bytesFor(99)), { fate: "taken" });
    assert.deepEqual(await put(engine, 3, bytesFor(99)), { fate: "taken" });
    assert.deepEqual(await allOf(engine), entriesUpTo(3));
    await engine.close();
  },

  async 4(place) {
    const engine = await filled(place, 2);
    assert.deepEqual(await put(engine, 4, bytesFor(4)), { fate: "refused", why: "gap" });
    assert.equal((await put(engine, 3, bytesFor(3))).fate, "stored");
    assert.deepEqual(await allOf(engine), entriesUpTo(3));
    await engine.close();
  },

  async 5(place) {
    const engine = await opened(place);
    const largest = Buffer.alloc(engine.entryBytesMax, 0xa5);
    assert.deepEqual(await put(engine, 1, Buffer.alloc(engine.entryBytesMax + 1)), {
      fate: "refused",
      why: "too-large",
    });
    assert.equal((await put(engine, 1, largest)).fate, "stored");
    assert.deepEqual(await got(engine, 1), largest);
    assert.equal((await put(engine, 2, Buffer.alloc(0))).fate, "stored");
    assert.deepEqual(await got(engine, 2), Buffer.alloc(0));
    await engine.close();
  },

  async 6(place) {
    const engine = await opened(place);
    let calls = 0;
    const answered = new Promise<void>((resolve) => {
      engine.put(1, bytesFor(1), () => {
        calls += 1;
        resolve();
      });
    });
    assert.equal(calls, 0);
    assert.throws(() => engine.put(2, bytesFor(2), () => {}));
    await answered;
    // A refusal keeps to the same rule.
    let refusals = 0;
    const refused = new Promise<void>((resolve) => {
      engine.put(9, bytesFor(9), () => {
        refusals += 1;
        resolve();
      });
    });
    assert.equal(refusals, 0);
    await refused;
    await engine.close();
    assert.deepEqual([calls, refusals], [1, 1]);
  },

  async 7(place) {
    const engine = await opened(place);
    const mine = bytesFor(1);
    await put(engine, 1, mine);
    mine.fill(0);
    const copy = await engine.get(1);
    copy?.fill(0xff);
    assert.deepEqual(await got(engine, 1), bytesFor(1));
    await engine.close();
  },

  async 8(place) {
    await filled(place, 20);
    await place.crash();
    const engine = await opened(place);
    assert.deepEqual(engine.bounds(), { first: 1, last: 20 });
    assert.deepEqual(await allOf(engine), entriesUpTo(20));
    assert.equal((await put(engine, 21, bytesFor(21))).fate, "stored");
    await place.crash();
    const again = await opened(place);
    assert.deepEqual(await allOf(again), entriesUpTo(21));
    await again.close();
  },

  async 9(place) {
    const engine = await filled(place, 5);
    engine.put(6, bytesFor(6), () => {});
    await place.crash();
    const reopened = await opened(place);
    const { last } = reopened.bounds();
    assert.ok(last === 5 || last === 6, `last is ${last}`);
    assert.deepEqual(await allOf(reopened), entriesUpTo(last));
    await reopened.close();
  },

  async 10(place) {
    const engine = await filled(place, 2);
    assert.equal(await engine.get(0), undefined);
    assert.equal(await engine.get(3), undefined);
    await engine.close();
  },

  async 11(place) {
    const count = 1000;
    const engine = await filled(place, count);
    let turns = 0;
    let reading = true;
    const countTurns = () => {
      turns += 1;
      if (reading) setImmediate(countTurns);
    };
    setImmediate(countTurns);
    const seen = await allOf(engine, 3);
    reading = false;
    assert.deepEqual(
      [...seen.keys()],
      Array.from({ length: count - 2 }, (_, i) => i + 3),
    );
    assert.ok(turns >= 2, `only ${turns} turns`);
    await engine.close();
  },

  async 12(place) {
    const engine = await filled(place, 5);
    const seen: number[] = [];
    const stop = new Error("enough");
    const reading = engine.tail(1, (index) => {
      seen.push(index);
      if (index === 3) throw stop;
    });
    await assert.rejects(reading, stop);
    assert.deepEqual(seen, [1, 2, 3]);
    assert.equal((await put(engine, 6, bytesFor(6))).fate, "stored");
    await engine.close();
  },

  async 13(place) {
    await filled(place, 12);
    await place.crash();
    const seen = new Map<number, Buffer>();
    const engine = place.engine();
    await engine.open({
      ...ACCEPT_ALL,
      verify(index, bytes) {
        seen.set(index, Buffer.from(bytes));
        return undefined;
      },
    });
    assert.deepEqual(seen, entriesUpTo(12));
    await engine.close();
  },

  async 14(place) {
    await filled(place, 12);
    await place.crash();
    const refusing: EngineListener = { ...ACCEPT_ALL, verify: (index) => (index === 7 ? "seven is wrong" : undefined) };
    await assert.rejects(place.engine().open(refusing), (error: unknown) => {
      assert.ok(error instanceof LogDamagedError);
      assert.equal(error.reason, "seven is wrong");
      return true;
    });
    const engine = await opened(place);
    assert.deepEqual(await allOf(engine), entriesUpTo(12));
    await engine.close();
  },

  async 15(place) {
    const engine = await filled(place, 300);
    await engine.snapshots.write(200, [bytesFor(200)]);
    await engine.trim(201);
    assertTrimmed(engine, await allOf(engine));
    await assert.rejects(
      engine.tail(engine.bounds().first - 1, () => {}),
      RangeError,
    );
    await place.crash();
    const reopened = await opened(place);
    assertTrimmed(reopened, await allOf(reopened));
    assert.equal((await put(reopened, 301, bytesFor(301))).fate, "stored");
    await reopened.close();
  },

  async 16(place) {
    const engine = await filled(place, 4);
    const chunks = [bytesFor(1), Buffer.alloc(0), bytesFor(50)];
    await engine.snapshots.write(3, passing(chunks));
    assert.deepEqual(await chunksOf(engine, 3), chunks);
    await place.crash();
    const reopened = await opened(place);
    assert.deepEqual(reopened.snapshots.list(), [3]);
    assert.deepEqual(await chunksOf(reopened, 3), chunks);
    await reopened.close();
  },

  async 17(place) {
    const engine = await filled(place, 5);
    await engine.snapshots.write(2, [bytesFor(2)]);
    const wrong = new Error("no more");
    function* chunks() {
      yield bytesFor(1);
      throw wrong;
    }
    await assert.rejects(engine.snapshots.write(4, chunks()), wrong);
    assert.deepEqual(engine.snapshots.list(), [2]);
    await engine.snapshots.write(5, [bytesFor(5)]);
    await place.crash();
    const reopened = await opened(place);
    assert.deepEqual(reopened.snapshots.list(), [5, 2]);
    assert.deepEqual(await chunksOf(reopened, 2), [bytesFor(2)]);
    await reopened.close();
  },

  async 18(place) {
    const engine = await filled(place, 5);
    await engine.snapshots.write(2, [bytesFor(2)]);
    let crash: Promise<void> | undefined;
    function* chunks() {
      yield bytesFor(1);
      crash = place.crash();
      yield bytesFor(2);
    }
    // The process that writes is dead from the crash on: its promise may settle either way, or never.
    engine.snapshots.write(4, chunks()).catch(() => {});
    while (crash === undefined) await new Promise((resolve) => setImmediate(resolve));
    await crash;
    const reopened = await opened(place);
    const list = reopened.snapshots.list();
    assert.ok(list.includes(2));
    if (list.includes(4)) assert.deepEqual(await chunksOf(reopened, 4), [bytesFor(1), bytesFor(2)]);
    await reopened.close();
  },

  async 19(place) {
    const engine = await filled(place, 6);
    for (const index of [1, 3, 4, 6]) await engine.snapshots.write(index, [bytesFor(index)]);
    assert.deepEqual(engine.snapshots.list(), [6, 4, 3, 1]);
    await engine.snapshots.prune(2);
    assert.deepEqual(engine.snapshots.list(), [6, 4]);
    await place.crash();
    const reopened = await opened(place);
    assert.deepEqual(reopened.snapshots.list(), [6, 4]);
    assert.deepEqual(await chunksOf(reopened, 4), [bytesFor(4)]);
    await reopened.close();
  },

  async 20(place, makePlace) {
    const engine = await filled(place, 1);
    const { identity } = engine;
    assert.match(identity, /^[0-9a-f]{32}$/);
    await place.crash();
    const reopened = await opened(place);
    assert.equal(reopened.identity, identity);
    await reopened.close();
    const elsewhere = await makePlace();
    const other = await opened(elsewhere);
    assert.notEqual(other.identity, identity);
    await other.close();
    await elsewhere.dispose();
  },

  async 21(place) {
    const engine = await filled(place, 1);
    const inFlight = put(engine, 2, bytesFor(2));
    await engine.close();
    assert.equal((await inFlight).fate, "stored");
    assert.deepEqual(await put(engine, 3, bytesFor(3)), { fate: "refused", why: "closed" });
    await assert.rejects(engine.get(1), LogClosedError);
    await assert.rejects(
      engine.tail(1, () => {}),
      LogClosedError,
    );
    await engine.close();
    const reopened = await opened(place);
    assert.deepEqual(await allOf(reopened), entriesUpTo(2));
    await reopened.close();
  },

  async 22(place) {
    const engine = place.engine();
    const failures: Error[] = [];
    await engine.open({ ...ACCEPT_ALL, failed: (error) => failures.push(error) });
    for (let index = 1; index <= 300; index++) await put(engine, index, bytesFor(index));
    await engine.snapshots.write(250, [bytesFor(250)]);
    let trimmed: Promise<void> | undefined;
    const reading = engine.tail(1, (index, bytes) => {
      assert.deepEqual(Buffer.from(bytes), bytesFor(index));
      trimmed ??= engine.trim(251);
    });
    await reading.catch((error: unknown) => assert.ok(error instanceof RangeError, String(error)));
    await trimmed;
    for (let index = 301; index <= 340; index++)
      assert.equal((await put(engine, index, bytesFor(index))).fate, "stored");
    assert.deepEqual(failures, []);
    await engine.close();
  },

  async 23(place) {
    const one = await filled(place, 1);
    const two = place.engine();
    if (one.exclusive) {
      await assert.rejects(two.open(ACCEPT_ALL));
      assert.equal((await put(one, 2, bytesFor(2))).fate, "stored");
      await one.close();
      return;
    }
    await two.open(ACCEPT_ALL);
    const fates = await Promise.all([put(one, 2, bytesFor(2)), put(two, 2, bytesFor(3))]);
    assert.deepEqual(fates.map((result) => result.fate).sort(), ["stored", "taken"]);
    assert.deepEqual(await got(two, 2), await got(one, 2));
    await one.close();
    await two.close();
  },

  async 24(place) {
    const engine = await filled(place, 12);
    await engine.snapshots.write(5, [bytesFor(5)]);
    await engine.snapshots.write(9, [bytesFor(9), bytesFor(8)]);
    await place.crash();
    const told: unknown[] = [];
    const again = place.engine();
    await again.open({
      ...ACCEPT_ALL,
      verify: (index) => void told.push(index),
      snapshot: { begin: (index) => told.push(["begin", index]), chunk: (bytes) => told.push(Buffer.from(bytes)) },
    });
    assert.deepEqual(told, [["begin", 9], bytesFor(9), bytesFor(8), ...entriesUpTo(12).keys()]);
    await again.close();
  },
};

function assertTrimmed(engine: LogEngine, entries: Map<number, Buffer>): void {
  const { first, last } = engine.bounds();
  assert.ok(first > 1 && first <= 201, `first is ${first}`);
  assert.equal(last, 300);
  for (let index = 201; index <= 300; index++) assert.deepEqual(entries.get(index), bytesFor(index));
}

async function opened(place: EnginePlace): Promise<LogEngine> {
  const engine = place.engine();
  await engine.open(ACCEPT_ALL);
  return engine;
}

async function filled(place: EnginePlace, count: number): Promise<LogEngine> {
  const engine = await opened(place);
  for (let index = 1; index <= count; index++) assert.equal((await put(engine, index, bytesFor(index))).fate, "stored");
  return engine;
}

export function put(engine: LogEngine, index: number, bytes: Uint8Array): Promise<PutResult> {
  return new Promise((resolve) => engine.put(index, bytes, resolve));
}

/** Each of them valid only until the next is asked for. */
function* passing(chunks: readonly Buffer[]): Iterable<Buffer> {
  for (const chunk of chunks) {
    const bytes = Buffer.from(chunk);
    yield bytes;
    bytes.fill(0xff);
  }
}

/** Different bytes, of different lengths, for each index. */
function bytesFor(index: number): Buffer {
  return Buffer.from(`entry ${index} `.repeat((index % 7) + 1));
}

function entriesUpTo(last: number): Map<number, Buffer> {
  return new Map(Array.from({ length: last }, (_, i) => [i + 1, bytesFor(i + 1)]));
}

async function got(engine: LogEngine, index: number): Promise<Buffer | undefined> {
  const bytes = await engine.get(index);
  return bytes === undefined ? undefined : Buffer.from(bytes);
}

async function allOf(engine: LogEngine, from = engine.bounds().first): Promise<Map<number, Buffer>> {
  const entries = new Map<number, Buffer>();
  await engine.tail(from, (index, bytes) => {
    assert.equal(entries.has(index), false);
    entries.set(index, Buffer.from(bytes));
  });
  return entries;
}

async function chunksOf(engine: LogEngine, index: number): Promise<Buffer[]> {
  const chunks = [];
  for await (const chunk of engine.snapshots.read(index)) chunks.push(Buffer.from(chunk));
  return chunks;
}
