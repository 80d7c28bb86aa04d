/**
 * Ownership and doubt: what the log makes of ambiguous answers, of another owner, of an engine that
 * fails (F53–F55, F59, I9), on a shared memory engine behind a script.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { BOOT_ID_BYTES, digestOf, FRAME_HEADER_BYTES, FRAME_KIND, firstDigest, sealFrame } from "./entry-frame.js";
import { LogClosedError, LogDamagedError, LogDivergedError, LogFullError, LogNotOwnerError } from "./errors.js";
import type { AppendResult, Log } from "./log.js";
import { MemoryEngine } from "./memory/memory-engine.js";
import { MemoryStore } from "./memory/memory-store.js";
import { openLog } from "./owned-log.js";
import { append, payloadOf, replayed, stored } from "./testing/log-contract.js";
import { type Line, ScriptedEngine } from "./testing/scripted-engine.js";
import { TestEnvironment } from "./testing/seeded.js";

class Node {
  readonly engine: ScriptedEngine;
  readonly environment: TestEnvironment;
  readonly failures: Error[] = [];
  log!: Log;

  constructor(store: MemoryStore, seed: number) {
    this.engine = new ScriptedEngine(new MemoryEngine(store));
    this.environment = new TestEnvironment(seed);
  }

  static async open(store: MemoryStore, seed = 1): Promise<Node> {
    const node = new Node(store, seed);
    const onFailure = (error: Error) => node.failures.push(error);
    node.log = await openLog(node.engine, { environment: node.environment, onFailure });
    return node;
  }

  /** Appends under a script, letting pauses between attempts pass at once. */
  async appendUnder(script: Line[], payload: string): Promise<AppendResult> {
    this.engine.script.push(...script);
    let result: AppendResult | undefined;
    this.log.append(Buffer.from(payload), (answer) => (result = answer));
    await until(
      () => result !== undefined,
      () => this.passTime(),
    );
    return result!;
  }

  async passTime(): Promise<void> {
    await nextTurn();
    this.environment.fireTimers();
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Lets turns of the event loop pass until `reached`, and fails if that takes more than any sound log needs. */
async function until(reached: () => boolean, pass: () => Promise<void> = nextTurn): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (reached()) return;
    await pass();
  }
  assert.fail("not reached in 10 000 turns");
}

async function ownedNode(seed?: number): Promise<{ store: MemoryStore; node: Node }> {
  const store = new MemoryStore({ shared: true });
  const node = await Node.open(store, seed);
  await node.log.acquire();
  return { store, node };
}

async function payloadsIn(store: MemoryStore): Promise<string[]> {
  const { log } = await Node.open(store, 77);
  const payloads = (await replayed(log)).map(payloadOf);
  await log.close();
  return payloads;
}

const DECIDED: { readonly [what: string]: Line[] } = {
  "stored although the answer was lost": ["stored, answer lost"],
  "lost, then stored at the second attempt": ["lost"],
  "lost many times": ["lost", "lost", "lost", "lost"],
  "lost, then stored with a lost answer": ["lost", "stored, answer lost"],
  "in doubt, and the second attempt is refused for lack of space": ["lost", "full", "full"],
  "stored in doubt, then refused": ["on its way", "full"],
};

for (const [what, script] of Object.entries(DECIDED)) {
  test(`I9, F53: an append that was ${what}: stored, and there once`, async () => {
    const { store, node } = await ownedNode();
    await stored(node.log, "before");
    const result = await node.appendUnder(script, "doubtful");
    assert.deepEqual(result, { fate: "stored", index: 3 });
    await node.engine.deliver();
    assert.equal(await stored(node.log, "after"), 4);
    assert.deepEqual(await payloadsIn(store), ["before", "doubtful", "after"]);
    await node.log.close();
  });
}

test("I9, F54: an append that arrives late, between two attempts, is recognised and not stored twice", async () => {
  const { store, node } = await ownedNode();
  const result = await node.appendUnder(["on its way", "after delivery"], "late");
  assert.deepEqual(result, { fate: "stored", index: 2 });
  assert.deepEqual(await payloadsIn(store), ["late"]);
  await node.log.close();
});

test("F53: a reading that fails is tried again until the fate is known", async () => {
  const { store, node } = await ownedNode();
  node.engine.failingGets = 3;
  assert.equal((await node.appendUnder(["stored, answer lost"], "doubtful")).fate, "stored");
  assert.deepEqual(await payloadsIn(store), ["doubtful"]);
  await node.log.close();
});

test("F53: a first attempt refused for lack of space is refused: nothing can be on its way", async () => {
  const { store, node } = await ownedNode();
  assert.deepEqual(await node.appendUnder(["full"], "no room"), { fate: "refused", why: "full" });
  assert.deepEqual(await payloadsIn(store), []);
  await node.log.close();
});

test("F55: an append whose place another owner took is refused as not-owner and never appears", async () => {
  const { store, node } = await ownedNode(1);
  const other = await Node.open(store, 2);
  assert.equal(await other.log.acquire(), 2);
  assert.deepEqual(await append(node.log, "stale"), { fate: "refused", why: "not-owner" });
  assert.deepEqual(await append(node.log, "stale again"), { fate: "refused", why: "not-owner" });
  await stored(other.log, "fresh");
  assert.deepEqual(await payloadsIn(store), ["fresh"]);
  await node.log.close();
  await other.log.close();
});

test("F53, F55: in doubt, and then another owner's entry is found there: refused, nothing on its way can land", async () => {
  const { store, node } = await ownedNode(1);
  const other = await Node.open(store, 2);
  node.engine.script.push("on its way");
  const result = append(node.log, "stale");
  // The doubtful answer comes in a later turn; by then the other one has taken the place.
  await other.log.acquire();
  await until(
    () => node.environment.timersSet === 0,
    () => node.passTime(),
  );
  assert.deepEqual(await result, { fate: "refused", why: "not-owner" });
  await node.engine.deliver();
  assert.deepEqual(await payloadsIn(store), []);
  await node.log.close();
  await other.log.close();
});

test("F55: a former owner that acquires again catches up first and continues the chain", async () => {
  const { store, node } = await ownedNode(1);
  const other = await Node.open(store, 2);
  await stored(node.log, "one");
  await other.log.acquire();
  await stored(other.log, "two");
  assert.equal(await node.log.acquire(), 3);
  assert.equal(node.log.lastIndex, 5);
  await stored(node.log, "three");
  assert.deepEqual(await replayed(node.log), ["2/1:one", "4/2:two", "6/3:three"]);
  assert.deepEqual(await payloadsIn(store), ["one", "two", "three"]);
  await node.log.close();
  await other.log.close();
});

test("F55: two that acquire at the same time get different epochs, and the later one owns", async () => {
  const store = new MemoryStore({ shared: true });
  const one = await Node.open(store, 1);
  const two = await Node.open(store, 2);
  const epochs = await Promise.all([one.log.acquire(), two.log.acquire()]);
  assert.deepEqual([...epochs].sort(), [1, 2]);
  const results = [(await append(one.log, "one")).fate, (await append(two.log, "two")).fate];
  assert.deepEqual(results.sort(), ["refused", "stored"]);
  await one.log.close();
  await two.log.close();
});

test("F55: an acquire whose answer was lost is settled like an append", async () => {
  const { node } = await ownedNode();
  node.engine.script.push("stored, answer lost");
  assert.equal(await node.log.acquire(), 2);
  node.engine.script.push("full");
  await assert.rejects(node.log.acquire(), LogFullError);
  assert.deepEqual(await append(node.log, "unowned"), { fate: "refused", why: "not-owner" });
  assert.equal(await node.log.acquire(), 3);
  await node.log.close();
});

test("F55: a barrier is passed by a put that starts after it, and fails for a former owner", async () => {
  const { store, node } = await ownedNode(1);
  const before = node.engine.puts;
  await Promise.all([node.log.barrier(), node.log.barrier(), node.log.barrier()]);
  assert.ok(node.engine.puts - before <= 2, "barriers did not share a put");
  const appended = append(node.log, "in flight");
  const barrier = node.log.barrier();
  assert.equal((await appended).fate, "stored");
  const afterAppend = node.engine.puts;
  await barrier;
  assert.equal(node.engine.puts, afterAppend, "the put after the append had started already");
  const other = await Node.open(store, 2);
  await other.log.acquire();
  await assert.rejects(node.log.barrier(), LogNotOwnerError);
  await assert.rejects(node.log.barrier(), LogNotOwnerError);
  await node.log.close();
  await other.log.close();
});

test("F55: an acquire made while a barrier's no-op is in flight waits for it", async () => {
  const { node } = await ownedNode();
  const barrier = node.log.barrier();
  assert.equal(await node.log.acquire(), 2);
  await barrier;
  assert.equal(node.log.lastIndex, 3);
  await node.log.close();
});

test("F55: an append made while a barrier's no-op is in flight waits for it, and its buffer may be reused", async () => {
  const { store, node } = await ownedNode();
  const barrier = node.log.barrier();
  const buffer = Buffer.from("staged");
  const result = new Promise<AppendResult>((resolve) => node.log.append(buffer, resolve));
  buffer.fill(0);
  await barrier;
  assert.deepEqual(await result, { fate: "stored", index: 3 });
  assert.deepEqual(await payloadsIn(store), ["staged"]);
  await node.log.close();
});

test("F6: a mark waits for an append in flight, goes before the next, and is refused where it cannot be had", async () => {
  const { store, node } = await ownedNode();
  await stored(node.log, "one");
  await node.log.writeSnapshot(2, [Buffer.from("state")]);
  const answers: AppendResult[] = [];
  node.log.append(Buffer.from("two"), (result) => {
    answers.push(result);
    node.log.append(Buffer.from("three"), (next) => answers.push(next));
  });
  const mark = node.log.markForSnapshot();
  await assert.rejects(node.log.markForSnapshot(), /in flight/);
  assert.equal(await mark, 5);
  await until(() => answers.length === 2);
  assert.deepEqual(
    answers.map((answer) => answer.fate === "stored" && answer.index),
    [3, 4],
  );
  node.engine.script.push("full");
  await assert.rejects(node.log.markForSnapshot(), LogFullError);
  const lost = node.log.markForSnapshot();
  await node.log.close();
  assert.equal(await lost.catch((error: Error) => error.name), 6);
  assert.deepEqual(await payloadsIn(store), ["one", "two", "three"]);
  await assert.rejects(node.log.markForSnapshot(), LogClosedError);
});

test("F7: an engine that fails turns the append in flight into unknown and closes the log", async () => {
  const { node } = await ownedNode();
  node.engine.script.push("lost");
  const inFlight = append(node.log, "in flight");
  const cause = new Error("disk gone");
  node.engine.fail(cause);
  node.engine.fail(new Error("again"));
  const result = await inFlight;
  assert.equal(result.fate, "unknown");
  assert.deepEqual(node.failures, [cause]);
  assert.deepEqual(await append(node.log, "later"), { fate: "refused", why: "closed" });
  await assert.rejects(
    node.log.acquire(),
    (error: unknown) => error instanceof LogClosedError && error.cause === cause,
  );
  await node.log.close();
});

test("F7: success that comes in after the failure is not reported as success", async () => {
  const { node } = await ownedNode();
  const inFlight = append(node.log, "in flight");
  node.engine.fail(new Error("disk gone"));
  assert.equal((await inFlight).fate, "unknown");
  await node.log.close();
});

test("F53: closing with the fate undecided answers unknown", async () => {
  const { node } = await ownedNode();
  node.engine.script.push("on its way");
  const inFlight = append(node.log, "undecided");
  await until(() => node.environment.timersSet > 0);
  await node.log.close();
  assert.equal((await inFlight).fate, "unknown");
});

test("F59: an engine that holds fewer entries than were seen is a diverged log", async () => {
  const { store, node } = await ownedNode();
  await stored(node.log, "one");
  await stored(node.log, "two");
  store.entries.pop();
  assert.deepEqual(await append(node.log, "three"), { fate: "refused", why: "closed" });
  assert.ok(node.failures[0] instanceof LogDivergedError);
  await node.log.close();
});

/** A frame made by hand. */
function frame(index: number, epoch: number, kind: 1 | 2 | 3, previous: Uint8Array, payload = ""): Buffer {
  const bytes = Buffer.alloc(FRAME_HEADER_BYTES + payload.length);
  bytes.write(payload, FRAME_HEADER_BYTES);
  sealFrame(bytes, payload.length, kind, epoch, index, Buffer.alloc(BOOT_ID_BYTES, 7), index, previous);
  return bytes;
}

function storeOf(make: (identity: string) => Buffer[]): MemoryStore {
  const store = new MemoryStore({ shared: true });
  store.entries.push(...make(store.identity));
  return store;
}

test("F55: an entry of an older epoch behind a newer one keeps its place and has no effect", async () => {
  const store = storeOf((identity) => {
    const one = frame(1, 1, FRAME_KIND.own, firstDigest(identity));
    const two = frame(2, 2, FRAME_KIND.own, digestOf(one));
    const stale = frame(3, 1, FRAME_KIND.batch, digestOf(two), "stale");
    return [one, two, stale, frame(4, 2, FRAME_KIND.batch, digestOf(stale), "fresh")];
  });
  const { log } = await Node.open(store);
  assert.equal(log.lastIndex, 4);
  assert.deepEqual(await replayed(log), ["4/2:fresh"]);
  assert.equal(await log.acquire(), 3);
  await log.close();
});

const WRONG: { readonly [what: string]: (identity: string) => Buffer[] } = {
  "another log's first entry": () => [frame(1, 1, FRAME_KIND.own, firstDigest("00"))],
  "an entry that does not continue the one before": (identity) => {
    const one = frame(1, 1, FRAME_KIND.own, firstDigest(identity));
    return [one, frame(2, 1, FRAME_KIND.batch, digestOf(Buffer.from("?")))];
  },
  "an entry at the wrong index": (identity) => [frame(2, 1, FRAME_KIND.own, firstDigest(identity))],
  "an epoch that never started": (identity) => {
    const one = frame(1, 1, FRAME_KIND.own, firstDigest(identity));
    return [one, frame(2, 2, FRAME_KIND.batch, digestOf(one))];
  },
  "an epoch that starts twice": (identity) => {
    const one = frame(1, 1, FRAME_KIND.own, firstDigest(identity));
    return [one, frame(2, 1, FRAME_KIND.own, digestOf(one))];
  },
  "something that is no frame": () => [Buffer.from("hello")],
};

for (const [what, make] of Object.entries(WRONG)) {
  test(`F59, F60: ${what} refuses to open`, async () => {
    await assert.rejects(Node.open(storeOf(make)), LogDamagedError);
  });
}

test("F59: another history found while catching up ends the log", async () => {
  const { store, node } = await ownedNode();
  await stored(node.log, "one");
  store.entries.push(frame(3, 2, FRAME_KIND.own, digestOf(Buffer.from("another history"))));
  await assert.rejects(node.log.acquire(), LogDivergedError);
  assert.equal(node.failures.length, 1);
  await node.log.close();
});

test("I11: every bit of a frame counts", async () => {
  const store = storeOf((identity) => [frame(1, 1, FRAME_KIND.own, firstDigest(identity))]);
  const whole = store.entries[0]!;
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    store.entries[0] = flipped;
    await assert.rejects(Node.open(store), LogDamagedError, `bit ${bit}`);
  }
});
