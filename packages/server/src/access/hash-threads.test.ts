import assert from "node:assert/strict";
import { scryptSync } from "node:crypto";
import { test } from "node:test";
import { BlockedPool } from "@holdfast/log/testing";
import { temporaryFolder } from "../testing/temporary-folder.js";
import { type HashRequest, HashThreads, startHashWorker } from "./hash-threads.js";
import { passwordCostMin } from "./password-hash.js";
import { Passwords } from "./passwords.js";
import { secretsOn } from "./secrets.js";

const request: HashRequest = {
  password: "pleaseletmein",
  salt: Buffer.from("SodiumChloride"),
  keyBytes: 64,
  options: { N: 16, r: 1, p: 1 },
};

function derived(threads: HashThreads, asked: HashRequest = request): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    threads.derive(asked, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

test("a thread derives the key that scrypt does", async (t) => {
  const threads = new HashThreads();
  t.after(() => threads.end());
  const { password, salt, keyBytes, options } = request;
  assert.deepEqual(await derived(threads), scryptSync(password, salt, keyBytes, options));
});

test("as many threads as there are hashes at once, each used again", async (t) => {
  const threads = new HashThreads();
  t.after(() => threads.end());
  await Promise.all([derived(threads), derived(threads)]);
  assert.equal(threads.count, 2);
  await derived(threads);
  await Promise.all([derived(threads), derived(threads)]);
  assert.equal(threads.count, 2);
});

test("a hash that cannot be made fails with the reason, and the thread stays", async (t) => {
  const threads = new HashThreads();
  t.after(() => threads.end());
  await assert.rejects(derived(threads, { ...request, options: { N: 2 ** 14, maxmem: 1 } }), /memory limit exceeded/);
  assert.equal((await derived(threads)).length, 64);
  assert.equal(threads.count, 1);
});

test("a thread with nothing to do ends after a while, one that is needed again does not", async (t) => {
  const plans: { task: () => void; isOff: boolean }[] = [];
  const threads = new HashThreads((_delayMs, task) => {
    const plan = { task, isOff: false };
    plans.push(plan);
    return () => {
      plan.isOff = true;
    };
  });
  t.after(() => threads.end());
  await derived(threads);
  await derived(threads);
  assert.deepEqual(
    plans.map(({ isOff }) => isOff),
    [true, false],
  );
  plans[1]?.task();
  assert.equal(threads.count, 0);
  assert.equal((await derived(threads)).length, 64);
});

test("who waits for a thread that is ended is told", async () => {
  const threads = new HashThreads();
  const waiting = assert.rejects(derived(threads, { ...request, options: { N: 2 ** 14 } }), /has ended/);
  await threads.end();
  await waiting;
  assert.equal(threads.count, 0);
});

test("a thread that cannot be started fails one hash, later, and the next is made", async (t) => {
  let starts = 0;
  const threads = new HashThreads(undefined, () => {
    starts += 1;
    if (starts < 3) throw new Error("EAGAIN");
    return startHashWorker();
  });
  t.after(() => threads.end());
  const limits = { passwordHashesAtOnce: 1, passwordHashesWaiting: 5, passwordHashBytes: 2 ** 25, passwordHashWork: 1 };
  const passwords = new Passwords(passwordCostMin, limits, secretsOn(threads));
  const hashes = Array.from({ length: 3 }, () => passwords.hash("x", () => true));
  const ends = await Promise.allSettled(hashes);
  assert.deepEqual(
    ends.map(({ status }) => status),
    ["rejected", "rejected", "fulfilled"],
  );
  assert.equal(passwords.underWay, 0);
});

test("once they have ended no thread is started for those who wait", async () => {
  const threads = new HashThreads();
  const long = { ...request, options: { N: 2 ** 14 } };
  const next: Promise<unknown>[] = [];
  const first = derived(threads, long).catch(() => next.push(assert.rejects(derived(threads), /not hashed any more/)));
  await threads.end();
  await first;
  await Promise.all(next);
  assert.deepEqual([next.length, threads.count], [1, 0]);
});

test("F8, F49: a password is hashed while all threads of the pool are busy", {
  skip: process.platform === "linux" ? false : "needs named pipes",
}, async (t) => {
  const threads = new HashThreads();
  t.after(() => threads.end());
  const poolThreads = 4;
  const blocked = BlockedPool.with(temporaryFolder(), poolThreads);
  assert.equal((await derived(threads)).length, 64);
  await blocked.release();
});
