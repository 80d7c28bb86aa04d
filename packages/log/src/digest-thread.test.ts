import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import type { Worker } from "node:worker_threads";
import { DigestThread, startDigestWorker } from "./digest-thread.js";
import { sha256Of } from "./digests.js";

const MiB = 1024 * 1024;

/** A thread whose workers the test knows, and whose plans to end come true when the test says so. */
function observedThread() {
  const workers: Worker[] = [];
  const plans = new Set<() => void>();
  const start = () => {
    const worker = startDigestWorker();
    workers.push(worker);
    return worker;
  };
  const after = (_delayMs: number, task: () => void) => {
    plans.add(task);
    return () => plans.delete(task);
  };
  const thread = new DigestThread(after, start);
  const fire = () => {
    const due = [...plans];
    plans.clear();
    for (const task of due) task();
  };
  return { thread, workers, fire };
}

function digestOfWhole(thread: DigestThread, bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve) => thread.digestThen(bytes, resolve));
}

/** So much long data that the thread is started, and the thread once it answers. */
async function started() {
  const observed = observedThread();
  observed.thread.digestThen(Buffer.alloc(32 * MiB), () => {});
  await once(observed.workers[0]!, "online");
  return observed;
}

async function ended({ workers }: { workers: Worker[] }): Promise<void> {
  await once(workers[0]!, "exit");
}

function memory(thread: DigestThread, fill: number, bytes = 200_000): Buffer {
  return thread.allocate(bytes).fill(fill);
}

test("whole data is digested within the turn until so much of it has come that a thread is started", async () => {
  const observed = observedThread();
  const { thread, workers } = observed;
  let digest: Uint8Array | undefined;
  for (let i = 0; i < 31; i++) {
    const bytes = Buffer.alloc(MiB, i);
    thread.digestThen(bytes, (found) => (digest = found));
    assert.deepEqual(digest, sha256Of(bytes));
  }
  assert.equal(workers.length, 0);
  thread.digestThen(Buffer.alloc(MiB), (found) => (digest = found));
  assert.equal(workers.length, 1);
  await once(workers[0]!, "online");
  let isWithinTurn = true;
  const bytes = memory(thread, 7);
  const digested = new Promise((resolve) => {
    thread.digestThen(bytes, (found) => resolve({ found, isWithinTurn }));
  });
  isWithinTurn = false;
  assert.deepEqual(await digested, { found: new Uint8Array(sha256Of(bytes)), isWithinTurn: false });
  observed.fire();
  await ended(observed);
});

test("digests of whole data and of pieces, asked for by turns, do not get mixed up", async () => {
  const observed = await started();
  const { thread } = observed;
  const [first, second] = [thread.begin(0), thread.begin(0)];
  const pieces = [
    memory(thread, 1),
    memory(thread, 2).subarray(3, 50_000),
    Buffer.from("in other memory"),
    memory(thread, 3),
  ];
  for (const [n, piece] of pieces.entries()) {
    const asked = [first.update(piece), digestOfWhole(thread, piece), n === 1 ? second.update(piece) : undefined];
    assert.deepEqual((await Promise.all(asked))[1], new Uint8Array(sha256Of(piece)));
  }
  assert.deepEqual(await second.end(), new Uint8Array(sha256Of(pieces[1]!)));
  assert.deepEqual(await first.end(), new Uint8Array(sha256Of(Buffer.concat(pieces))));
  observed.fire();
  await ended(observed);
});

test("a digest of many bytes starts the thread, one of few is taken within the turn", async () => {
  const observed = observedThread();
  const { thread, workers } = observed;
  const few = thread.begin(16 * MiB - 1);
  assert.equal(workers.length, 0);
  const many = thread.begin(16 * MiB);
  assert.equal(workers.length, 1);
  for (const digest of [few, many]) await digest.update(Buffer.from("piece"));
  const expected = new Uint8Array(sha256Of(Buffer.from("piece")));
  assert.deepEqual([new Uint8Array(await few.end()), await many.end()], [expected, expected]);
  observed.fire();
  await ended(observed);
});

test("the thread ends when there has been nothing to do, and is started again when there is", async () => {
  const observed = await started();
  const { thread, workers, fire } = observed;
  const digest = thread.begin(0);
  await digest.update(Buffer.from("piece"));
  fire();
  assert.deepEqual(await digest.end(), new Uint8Array(sha256Of(Buffer.from("piece"))));
  const dropped = thread.begin(0);
  await dropped.update(Buffer.from("piece"));
  dropped.drop();
  await digestOfWhole(thread, memory(thread, 1));
  fire();
  // Its end takes a moment, in which nothing more is asked of it.
  assert.equal(thread.isRunning, false);
  assert.deepEqual(await digestOfWhole(thread, memory(thread, 2)), sha256Of(memory(thread, 2)));
  await ended(observed);
  thread.begin(16 * MiB).drop();
  assert.equal(workers.length, 2);
  await workers[1]!.terminate();
});

test("a thread that dies takes the digests of pieces with it, but not those of whole data", async () => {
  const observed = await started();
  const { thread, workers } = observed;
  const digest = thread.begin(0);
  await digest.update(Buffer.from("piece"));
  const bytes = memory(thread, 9, 8 * MiB);
  const whole = digestOfWhole(thread, bytes);
  const lost = assert.rejects(digest.update(bytes), /the thread that takes digests has ended/);
  await workers[0]!.terminate();
  await lost;
  assert.deepEqual(new Uint8Array(await whole), new Uint8Array(sha256Of(bytes)));
  await assert.rejects(digest.end(), /has ended/);
  digest.drop();
  assert.equal(thread.isRunning, false);
});

test("where no thread can be started, digests are taken within the turn, and no other is tried", async () => {
  let tries = 0;
  const start = () => {
    tries += 1;
    throw new Error("ERR_WORKER_INIT_FAILED");
  };
  const thread = new DigestThread(() => () => {}, start);
  const digest = thread.begin(16 * MiB);
  await digest.update(Buffer.from("piece"));
  assert.deepEqual(await digest.end(), sha256Of(Buffer.from("piece")));
  const bytes = Buffer.alloc(32 * MiB);
  for (let i = 0; i < 3; i++) assert.deepEqual(await digestOfWhole(thread, bytes), sha256Of(bytes));
  assert.equal(tries, 1);
});

/** A thread that says only what the test makes it say. */
class SilentWorker extends EventEmitter {
  postMessage(): void {}
  ref(): void {}
  unref(): void {}
}

function silentThread() {
  const workers: SilentWorker[] = [];
  const start = () => {
    const worker = new SilentWorker();
    workers.push(worker);
    return worker as unknown as Worker;
  };
  return { workers, thread: new DigestThread(() => () => {}, start) };
}

test("what a thread said before it failed, and is heard after that, counts for nothing", async () => {
  const { thread, workers } = silentThread();
  thread.digestThen(Buffer.alloc(32 * MiB), () => {});
  workers[0]!.emit("online");
  const bytes = Buffer.from("whole");
  const whole = digestOfWhole(thread, bytes);
  workers[0]!.emit("error", new Error("failed"));
  workers[0]!.emit("message", { number: 1, digest: new Uint8Array(32) });
  workers[0]!.emit("exit");
  assert.deepEqual(await whole, sha256Of(bytes));
});

test("once a thread has failed at its start, digests are taken within the turn", async () => {
  const { thread, workers } = silentThread();
  const lost = thread.begin(16 * MiB);
  const rejected = assert.rejects(lost.update(Buffer.from("piece")), /no memory for a thread/);
  workers[0]!.emit("error", new Error("no memory for a thread"));
  await rejected;
  const digest = thread.begin(16 * MiB);
  await digest.update(Buffer.from("piece"));
  assert.deepEqual(await digest.end(), sha256Of(Buffer.from("piece")));
  assert.equal(workers.length, 1);
});
