/**
 * The contract of a log: numbered sentences, and for each the test that proves it, crash and
 * reopening included. Every way of opening a log runs it.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { AppendResult, Log, LogEntry, LogReader } from "../log.js";

export const LOG_CONTRACT = {
  1: "a new log is empty: last index 0, epoch 0, no snapshot",
  2: "an append before acquire is refused as not-owner",
  3: "each acquire starts a higher epoch, across crashes too",
  4: "indexes of stored appends are higher than all before, and lastIndex follows them",
  5: "what was reported as stored survives any later crash, byte for byte, at its index",
  6: "an append in flight during a crash is found once or not at all",
  7: "a refused append is never found later",
  8: "done is called exactly once and never from within append; a second append in flight throws",
  9: "the buffer of a payload may be reused as soon as append returns",
  10: "replay hands over payloads only, in order, each with its index and epoch, behind the index given",
  11: "replay yields to the event loop and passes on what the visitor throws",
  12: "a payload of payloadBytesMax is stored, a longer one is refused as too-large",
  13: "a snapshot comes back after a crash: same index, epoch and chunks",
  14: "a snapshot that fails leaves the one before it in place and the log usable",
  15: "the log reaches back to the older of two snapshots, and no further than needed",
  16: "replaying from a discarded index is a RangeError",
  17: "a snapshot for an index beyond the log or below the newest snapshot is a RangeError",
  18: "barrier resolves while the log is owned and rejects once it is closed",
  19: "close finishes what is in flight; later appends are refused as closed",
  20: "the identity is the same after reopening",
  21: "replay and snapshots go on while appends are in flight",
} as const;

type Sentence = keyof typeof LOG_CONTRACT;

/** What else a sentence proves: faults, invariants and limits of the fault model. */
const PROVEN: Partial<Record<Sentence, string>> = {
  5: "F1, I1, ",
  6: "F1, I1, I9, ",
  7: "I9, ",
  11: "F14, ",
  12: "LIMIT entryBytesMax, ",
  14: "F5, ",
  21: "F14, ",
};

/** Somewhere to keep one log. Survives the logs opened on it. */
export interface LogPlace {
  open(): Promise<Log>;
  /** Ends every log that is open without a word to anybody; whatever was durable stays. */
  crash(): Promise<void>;
  dispose(): Promise<void>;
}

/** Runs every sentence as a test named `LOG-n (name): sentence`, behind what of the fault model it proves. */
export function testLogContract(name: string, makePlace: () => Promise<LogPlace>): void {
  for (const key of Object.keys(PROOFS)) {
    const sentence = Number(key) as Sentence;
    test(`${PROVEN[sentence] ?? ""}LOG-${sentence} (${name}): ${LOG_CONTRACT[sentence]}`, async () => {
      const place = await makePlace();
      try {
        await PROOFS[sentence](place);
      } finally {
        await place.dispose();
      }
    });
  }
}

const PROOFS: { readonly [sentence in Sentence]: (place: LogPlace) => Promise<void> } = {
  async 1(place) {
    const log = await place.open();
    assert.deepEqual([log.lastIndex, log.epoch, log.snapshot], [0, 0, undefined]);
    assert.deepEqual(await replayed(log), []);
    await log.close();
  },

  async 2(place) {
    const log = await place.open();
    assert.deepEqual(await append(log, "early"), { fate: "refused", why: "not-owner" });
    await log.acquire();
    assert.equal((await append(log, "right")).fate, "stored");
    await log.close();
  },

  async 3(place) {
    let log = await place.open();
    let highest = 0;
    for (let round = 0; round < 4; round++) {
      const epoch = await log.acquire();
      assert.equal(log.epoch, epoch);
      assert.ok(epoch > highest, `${epoch} after ${highest}`);
      highest = epoch;
      if (round % 2 === 1) continue;
      await place.crash();
      log = await place.open();
      assert.equal(log.epoch, 0);
    }
    await log.close();
  },

  async 4(place) {
    const log = await owned(place);
    let before = log.lastIndex;
    for (let i = 0; i < 10; i++) {
      const index = await stored(log, `payload ${i}`);
      assert.equal(index, before + 1);
      assert.equal(log.lastIndex, index);
      before = index;
    }
    await log.close();
  },

  async 5(place) {
    const expected: string[] = [];
    for (let round = 0; round < 4; round++) {
      const log = await owned(place);
      assert.deepEqual(await replayed(log), expected);
      for (let i = 0; i < 15; i++) {
        const payload = `round ${round} payload ${i}`;
        expected.push(`${await stored(log, payload)}/${log.epoch}:${payload}`);
      }
      await place.crash();
    }
    const log = await place.open();
    assert.deepEqual(await replayed(log), expected);
    await log.close();
  },

  async 6(place) {
    const log = await owned(place);
    await stored(log, "before");
    log.append(Buffer.from("in flight"), () => {});
    await place.crash();
    const reopened = await place.open();
    const payloads = (await replayed(reopened)).map(payloadOf);
    assert.ok(payloads.length === 1 || payloads.length === 2, payloads.join());
    assert.deepEqual(payloads, ["before", "in flight"].slice(0, payloads.length));
    await reopened.close();
  },

  async 7(place) {
    const log = await owned(place);
    await stored(log, "kept");
    assert.equal((await append(log, "x".repeat(log.payloadBytesMax + 1))).fate, "refused");
    await stored(log, "kept too");
    await log.close();
    assert.equal((await append(log, "after close")).fate, "refused");
    const reopened = await place.open();
    assert.deepEqual((await replayed(reopened)).map(payloadOf), ["kept", "kept too"]);
    await reopened.close();
  },

  async 8(place) {
    const log = await owned(place);
    let calls = 0;
    const answered = new Promise<void>((resolve) => {
      log.append(Buffer.from("one"), () => {
        calls += 1;
        resolve();
      });
    });
    assert.equal(calls, 0);
    assert.throws(() => log.append(Buffer.from("two"), () => {}));
    await answered;
    // From within `done` the next append may start.
    await new Promise<void>((resolve) =>
      log.append(Buffer.from("three"), () => log.append(Buffer.from("four"), () => resolve())),
    );
    await log.close();
    assert.equal(calls, 1);
    const reopened = await place.open();
    assert.deepEqual((await replayed(reopened)).map(payloadOf), ["one", "three", "four"]);
    await reopened.close();
  },

  async 9(place) {
    const log = await owned(place);
    const buffer = Buffer.from("first");
    const result = new Promise<AppendResult>((resolve) => log.append(buffer, resolve));
    buffer.fill("x");
    assert.equal((await result).fate, "stored");
    assert.deepEqual((await replayed(log)).map(payloadOf), ["first"]);
    await log.close();
  },

  async 10(place) {
    const log = await owned(place);
    const first = await stored(log, "a");
    await log.acquire();
    const second = await stored(log, "b");
    const third = await stored(log, "c");
    assert.deepEqual(await replayed(log), [`${first}/1:a`, `${second}/2:b`, `${third}/2:c`]);
    assert.deepEqual(await replayed(log, second), [`${third}/2:c`]);
    assert.deepEqual(await replayed(log, third), []);
    await log.close();
  },

  async 11(place) {
    const log = await owned(place);
    for (let i = 0; i < 300; i++) await stored(log, `payload ${i}`);
    let turned = false;
    setImmediate(() => (turned = true));
    assert.equal((await replayed(log)).length, 300);
    assert.ok(turned, "replay kept the event loop to itself");
    const wrong = new Error("cannot apply");
    await assert.rejects(
      log.replay(0, () => {
        throw wrong;
      }),
      wrong,
    );
    await stored(log, "still usable");
    await log.close();
  },

  async 12(place) {
    const log = await owned(place);
    const largest = "y".repeat(log.payloadBytesMax);
    assert.deepEqual(await append(log, `${largest}y`), { fate: "refused", why: "too-large" });
    await stored(log, largest);
    await stored(log, "");
    assert.deepEqual((await replayed(log)).map(payloadOf), [largest, ""]);
    await log.close();
  },

  async 13(place) {
    const log = await owned(place);
    await stored(log, "a");
    await log.acquire();
    const covered = await stored(log, "b");
    await stored(log, "c");
    await log.writeSnapshot(
      covered,
      ["state", "", "of b"].map((text) => Buffer.from(text)),
    );
    await place.crash();
    const reopened = await place.open();
    assert.equal(reopened.snapshot?.index, covered);
    assert.equal(reopened.snapshot.epoch, 2);
    assert.deepEqual(await snapshotOf(reopened), ["state", "", "of b"]);
    assert.deepEqual((await replayed(reopened, covered)).map(payloadOf), ["c"]);
    await reopened.close();
  },

  async 14(place) {
    const log = await owned(place);
    const first = await stored(log, "a");
    await log.writeSnapshot(first, [Buffer.from("good")]);
    const second = await stored(log, "b");
    const wrong = new Error("state is not ready");
    function* failing() {
      yield Buffer.from("bad");
      throw wrong;
    }
    await assert.rejects(log.writeSnapshot(second, failing()), wrong);
    await stored(log, "c");
    await place.crash();
    const reopened = await place.open();
    assert.equal(reopened.snapshot?.index, first);
    assert.deepEqual(await snapshotOf(reopened), ["good"]);
    assert.deepEqual((await replayed(reopened, first)).map(payloadOf), ["b", "c"]);
    await reopened.close();
  },

  async 15(place) {
    const log = await owned(place);
    const payloads: string[] = [];
    const snapshots: number[] = [];
    for (let i = 1; i <= 240; i++) {
      payloads.push(`payload ${i}`);
      const index = await stored(log, payloads.at(-1)!);
      if (i % 80 !== 0) continue;
      await log.writeSnapshot(index, [Buffer.from(`up to ${i}`)]);
      snapshots.push(index);
    }
    const { firstIndex, lastIndex } = log.usage();
    assert.equal(lastIndex, log.lastIndex);
    assert.ok(firstIndex > 1, "nothing was discarded");
    assert.ok(firstIndex <= snapshots[1]! + 1, "an entry behind the older snapshot was discarded");
    await place.crash();
    const reopened = await place.open();
    assert.equal(reopened.snapshot?.index, snapshots[2]);
    assert.deepEqual((await replayed(reopened, snapshots[1]!)).map(payloadOf), payloads.slice(160));
    await reopened.close();
  },

  async 16(place) {
    const log = await owned(place);
    for (let i = 1; i <= 240; i++) {
      const index = await stored(log, `payload ${i}`);
      if (i % 80 === 0) await log.writeSnapshot(index, []);
    }
    await assert.rejects(
      log.replay(0, () => {}),
      RangeError,
    );
    await log.close();
  },

  async 17(place) {
    const log = await owned(place);
    const first = await stored(log, "a");
    const second = await stored(log, "b");
    await assert.rejects(log.writeSnapshot(second + 1, []), RangeError);
    await assert.rejects(log.writeSnapshot(0, []), RangeError);
    await log.writeSnapshot(second, [Buffer.from("two")]);
    await assert.rejects(log.writeSnapshot(first, []), RangeError);
    // The newest one once more: it is there already, nothing to do.
    await log.writeSnapshot(second, [Buffer.from("never read")]);
    await log.close();
    const reopened = await place.open();
    assert.deepEqual(await snapshotOf(reopened), ["two"]);
    await reopened.close();
  },

  async 18(place) {
    const log = await owned(place);
    await log.barrier();
    const [result] = await Promise.all([append(log, "beside"), log.barrier(), log.barrier()]);
    assert.equal(result.fate, "stored");
    await log.close();
    await assert.rejects(log.barrier());
  },

  async 19(place) {
    const log = await owned(place);
    const inFlight = append(log, "in flight");
    await Promise.all([log.close(), log.close()]);
    assert.equal((await inFlight).fate, "stored");
    assert.deepEqual(await append(log, "late"), { fate: "refused", why: "closed" });
    await assert.rejects(log.acquire());
    const reopened = await place.open();
    assert.deepEqual((await replayed(reopened)).map(payloadOf), ["in flight"]);
    await reopened.close();
  },

  async 20(place) {
    const log = await place.open();
    const { identity } = log;
    assert.match(identity, /^[0-9a-f]{32}$/);
    await log.close();
    const reopened = await place.open();
    assert.equal(reopened.identity, identity);
    await reopened.close();
  },

  async 21(place) {
    const log = await owned(place);
    for (let i = 0; i < 100; i++) await stored(log, `payload ${i}`);
    const covered = log.lastIndex;
    const work = Promise.all([replayed(log), log.writeSnapshot(covered, chunksOfCount(20))]);
    for (let i = 100; i < 150; i++) await stored(log, `payload ${i}`);
    const [seen] = await work;
    assert.equal(seen.length, 100);
    await place.crash();
    const reopened = await place.open();
    assert.equal((await snapshotOf(reopened)).length, 20);
    assert.equal((await replayed(reopened, covered)).length, 50);
    await reopened.close();
  },
};

function* chunksOfCount(count: number): Iterable<Uint8Array> {
  for (let i = 0; i < count; i++) yield Buffer.from(`chunk ${i}`);
}

async function owned(place: LogPlace): Promise<Log> {
  const log = await place.open();
  await log.acquire();
  return log;
}

/** Appends a text. */
export function append(log: Log, payload: string): Promise<AppendResult> {
  return new Promise((resolve) => log.append(Buffer.from(payload), resolve));
}

/** Appends a text that must be stored. @returns its index. */
export async function stored(log: Log, payload: string): Promise<number> {
  const result = await append(log, payload);
  assert.equal(result.fate, "stored", JSON.stringify(result));
  return result.fate === "stored" ? result.index : 0;
}

/** All payloads behind `afterIndex` as texts `index/epoch:payload`. */
export async function replayed(log: Log, afterIndex = 0): Promise<string[]> {
  const seen: string[] = [];
  await log.replay(afterIndex, (entry: LogEntry) => {
    seen.push(textOf(entry));
  });
  return seen;
}

function textOf({ index, epoch, payload }: LogEntry): string {
  return `${index}/${epoch}:${Buffer.from(payload).toString()}`;
}

/** Writes down what a log hands over while it is opened. */
export class RecordingReader implements LogReader {
  #index: number | undefined;
  #chunks: string[] = [];
  #entries: string[] = [];

  begin(index: number): void {
    this.#index = index;
    this.#chunks = [];
    this.#entries = [];
  }

  chunk(bytes: Uint8Array): void {
    this.#chunks.push(Buffer.from(bytes).toString());
  }

  entry(entry: LogEntry): void {
    this.#entries.push(textOf(entry));
  }

  /** What was handed over must be what `log`, just opened, has to tell. */
  async assertSaw(log: Log): Promise<void> {
    const index = log.snapshot?.index ?? 0;
    assert.deepEqual(this.#entries, await replayed(log, index));
    assert.deepEqual([this.#index, this.#chunks], [index, await snapshotOf(log)]);
  }
}

export function payloadOf(replayed: string): string {
  return replayed.slice(replayed.indexOf(":") + 1);
}

/** The chunks of the log's snapshot, as texts. */
export async function snapshotOf(log: Log): Promise<string[]> {
  const chunks: string[] = [];
  for await (const chunk of log.snapshot?.chunks() ?? []) chunks.push(Buffer.from(chunk).toString());
  return chunks;
}
