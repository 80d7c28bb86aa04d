import assert from "node:assert/strict";
import { test } from "node:test";
import { createDeleteRangeRequest, createPutRequest } from "@holdfast/protocol";
import { type Command, type KeyVersion, StateMachine } from "@holdfast/state-machine";
import fc from "fast-check";
import { defaultReplicaLimits } from "../limits.js";
import { byteString } from "../testing/harness.js";
import { ManualEnvironment } from "../testing/manual-environment.js";
import { LockQueues } from "./lock-queues.js";
import { prefixEnd } from "./prefix-end.js";

const prefix = byteString("n/");
/** Keys a piece; with `ordinaryKeys`, filling a queue takes many. */
const lockFillingKeys = 2;
const ordinaryKeys = 10;

/** An environment that does one deferred thing at a time. */
class StepwiseEnvironment extends ManualEnvironment {
  readonly #deferred: (() => void)[] = [];

  override defer(task: () => void): void {
    this.#deferred.push(task);
  }

  /** False when there was nothing to do. */
  step(): boolean {
    const task = this.#deferred.shift();
    task?.();
    return task !== undefined;
  }
}

/** Lock queues on a machine with ordinary keys, made in an order that is not theirs. */
class Crowd {
  readonly machine = new StateMachine();
  readonly environment = new StepwiseEnvironment();
  readonly locks: LockQueues;
  readonly told: string[] = [];

  constructor(keysAPiece = lockFillingKeys) {
    this.locks = new LockQueues(this.machine, this.environment, {
      ...defaultReplicaLimits,
      lockFillingKeys: keysAPiece,
    });
    for (let i = 0; i < ordinaryKeys; i++) this.put(`${(i * 7) % ordinaryKeys}`);
  }

  put(name: string): void {
    const request = createPutRequest({ key: byteString(`n/${name}`), value: new Uint8Array(0) });
    this.#apply({ kind: "put", request });
  }

  delete(name: string): void {
    this.#apply({ kind: "deleteRange", request: createDeleteRangeRequest({ key: byteString(`n/${name}`) }) });
  }

  /** Waits for a key that is there; says who waited in what life of the key, or nothing if there is no such key. */
  wait(name: string): { leave(): void } {
    const key = byteString(`n/${name}`);
    const createRevision = this.machine.get(key)?.createRevision ?? 0;
    const who = `${name} of ${createRevision}`;
    const waiter = { granted: () => this.told.push(`${who} granted`), lost: () => this.told.push(`${who} lost`) };
    const result = this.locks.wait(prefix, key, createRevision, waiter);
    if (result !== "waiting") this.told.push(`${who} ${result === "held" ? "granted" : "lost"}`);
    return { leave: () => this.locks.leave(prefix, key, waiter) };
  }

  askOldest(): void {
    this.locks.askOldest(prefix, (oldest) => this.told.push(`oldest ${oldest?.key}`));
  }

  finish(): void {
    while (this.environment.step());
  }

  #apply(command: Command): void {
    const outcome = this.machine.apply(command, undefined);
    this.locks.observe(this.machine.changes, command, outcome);
  }
}

test("F14, LOCK-5, LIMIT lockFillingKeys: a prefix with very many keys is put in order in pieces that look at a few keys each", () => {
  const crowd = new Crowd();
  const { machine, told } = crowd;
  let visited = 0;
  let longest = 0;
  const forEachLive = machine.forEachLive.bind(machine);
  machine.forEachLive = (key, rangeEnd, visit) => {
    const before = visited;
    forEachLive(key, rangeEnd, (version) => {
      visited++;
      return visit(version);
    });
    longest = Math.max(longest, visited - before);
  };
  crowd.askOldest();
  crowd.wait("9");
  assert.deepEqual(told, []);
  crowd.finish();
  assert.deepEqual(told, ["oldest n/0"]);
  assert.equal(longest, lockFillingKeys + 1);
  const visitedByThen = visited;
  crowd.askOldest();
  crowd.put("late");
  crowd.wait("late");
  assert.deepEqual(told, ["oldest n/0", "oldest n/0"]);
  assert.equal(visited, visitedByThen);
});

test("LOCK-3: a prefix with a few keys is put in order at once", () => {
  const crowd = new Crowd(ordinaryKeys);
  crowd.askOldest();
  crowd.wait("0");
  assert.deepEqual(crowd.told, ["oldest n/0", "0 of 2 granted"]);
  assert.equal(crowd.environment.step(), false);
});

test("LOCK-3: who holds, and who waits, is told when the queue is filled", () => {
  const crowd = new Crowd();
  const { told, locks } = crowd;
  crowd.wait("7");
  crowd.wait("0");
  crowd.put("new");
  crowd.wait("new");
  crowd.wait("0");
  assert.deepEqual([told, locks.waiterCount], [[], 4]);
  crowd.finish();
  assert.deepEqual([told, locks.waiterCount, locks.meter.handOvers], [["0 of 2 granted", "0 of 2 granted"], 2, 0]);
  crowd.delete("0");
  for (let i = 1; i < ordinaryKeys; i++) crowd.delete(`${(i * 7) % ordinaryKeys}`);
  assert.deepEqual(told.slice(2), ["7 of 3 granted", `new of ${ordinaryKeys + 2} granted`]);
  assert.equal(locks.waiterCount, 0);
});

test("LOCK-16: a waiter whose key is deleted while the queue is filled is told at once", () => {
  const crowd = new Crowd();
  crowd.wait("7");
  crowd.put("new");
  crowd.wait("new");
  crowd.environment.step();
  crowd.delete("7");
  crowd.delete("new");
  assert.deepEqual(crowd.told, ["7 of 3 lost", `new of ${ordinaryKeys + 2} lost`]);
  crowd.finish();
  assert.deepEqual([crowd.told.length, crowd.locks.waiterCount], [2, 0]);
});

test("a caller that stops waiting while the queue is filled hears no more", () => {
  const crowd = new Crowd();
  const { leave } = crowd.wait("0");
  leave();
  crowd.finish();
  assert.deepEqual([crowd.told, crowd.locks.waiterCount], [[], 0]);
});

test("the oldest key can be had at once while the queue is filled", () => {
  const crowd = new Crowd();
  crowd.wait("0");
  assert.equal(crowd.locks.oldest(prefix)?.key, "n/0");
  assert.deepEqual(crowd.told, ["0 of 2 granted"]);
  crowd.finish();
  assert.equal(crowd.told.length, 1);
});

type Step = readonly ["put" | "delete" | "wait" | "step", string];

/** Does these things while the queue is filled as far as they say, then fills it. Two waiters keep it until its last key. */
function play(crowd: Crowd, steps: readonly Step[]): Crowd {
  crowd.put("keeper");
  crowd.wait("keeper");
  for (const [what, name] of steps) {
    if (what === "step") crowd.environment.step();
    else if (what !== "wait") crowd[what](name);
    else if (crowd.machine.get(byteString(`n/${name}`)) !== undefined) crowd.wait(name);
  }
  crowd.finish();
  crowd.put("last");
  crowd.wait("last");
  return crowd;
}

/** What was told; of keys that have gone not how, because it may be that nobody knew yet who had become the oldest. */
function lastingNews({ told, machine }: Crowd): readonly string[] {
  const lasting = told.map((line) => {
    const [name, , createRevision] = line.split(" ");
    const lives = machine.get(byteString(`n/${name}`))?.createRevision === Number(createRevision);
    return lives ? line : line.replace(/granted|lost/, "gone");
  });
  return lasting.sort();
}

/** Names of the living keys, in the order of their creation. */
function livingNames({ machine }: Crowd): readonly string[] {
  const living: KeyVersion[] = [];
  machine.forEachLive(prefix, prefixEnd(prefix), (version) => living.push(version));
  return living.sort((a, b) => a.createRevision - b.createRevision).map(({ key }) => key.slice(prefix.length));
}

test("I4a: whatever happens while a queue is filled, it ends as if it had been filled at once", () => {
  const name = fc.integer({ min: 0, max: ordinaryKeys + 5 }).map(String);
  const what = fc.constantFrom("put", "delete", "wait", "wait", "step" as const);
  fc.assert(
    fc.property(fc.array(fc.tuple(what, name) as fc.Arbitrary<Step>, { maxLength: 80 }), (steps) => {
      const [pieces, whole] = [play(new Crowd(), steps), play(new Crowd(1_000), steps)];
      assert.deepEqual(lastingNews(pieces), lastingNews(whole));
      assert.equal(pieces.locks.waiterCount, whole.locks.waiterCount);
      // From now on hand-overs are those of any queue, to the last key.
      for (const crowd of [pieces, whole]) crowd.told.length = 0;
      for (const oldest of livingNames(whole)) {
        for (const crowd of [pieces, whole]) crowd.delete(oldest);
        assert.deepEqual(pieces.told, whole.told);
      }
      assert.match(whole.told.at(-1) ?? "", /^last of \d+ granted$/);
    }),
    { numRuns: 500 },
  );
});
