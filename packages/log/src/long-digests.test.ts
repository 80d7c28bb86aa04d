/** What waits for the digest of a long entry or of a snapshot, wherever it is taken. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Digests, digestsWithinTurn, sha256Of } from "./digests.js";
import { openFileLog } from "./file/open-file-log.js";
import { HoldingDisk } from "./testing/holding-disk.js";
import { append, payloadOf, replayed } from "./testing/log-contract.js";
import { TestEnvironment } from "./testing/seeded.js";
import { SimulatedDisk } from "./testing/simulated-disk.js";
import { FOLDER } from "./testing/simulated-place.js";

const long = (text: string) => text.padEnd(200_000, ".");

/** Digests that are there once they are released. */
class HeldDigests implements Digests {
  readonly allocate = Buffer.allocUnsafeSlow;
  readonly begin = digestsWithinTurn.begin;
  readonly held: (() => void)[] = [];
  #asked: () => void = () => {};

  digestThen(bytes: Uint8Array, done: (digest: Uint8Array) => void): void {
    this.held.push(() => done(sha256Of(bytes)));
    this.#asked();
  }

  /** Resolves with the next one that is asked for. */
  async next(): Promise<() => void> {
    if (this.held.length === 0) await new Promise<void>((resolve) => (this.#asked = resolve));
    return this.held.shift()!;
  }
}

function openOn(disk: SimulatedDisk, digests: Digests = digestsWithinTurn) {
  return openFileLog({ folder: FOLDER, disk: disk.mount(), environment: new TestEnvironment(1, digests) });
}

/** Lets everything happen that waits for nothing but later turns. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("a long entry is answered once its digest is known, and the next one continues it", async () => {
  const disk = new SimulatedDisk();
  const digests = new HeldDigests();
  const log = await openOn(disk, digests);
  await log.acquire();
  for (const text of ["first", "second"]) {
    let answer: string | undefined;
    const stored = append(log, long(text)).then(({ fate }) => (answer = fate));
    const release = await digests.next();
    await turns();
    assert.equal(answer, undefined);
    release();
    assert.equal(await stored, "stored");
  }
  assert.equal((await append(log, "short")).fate, "stored");
  await log.close();
  const reopened = await openOn(disk);
  assert.deepEqual((await replayed(reopened)).map(payloadOf), [long("first"), long("second"), "short"]);
  await reopened.close();
});

test("a log that is closed waits for the digest of its last entry", async () => {
  const disk = new SimulatedDisk();
  const digests = new HeldDigests();
  const log = await openOn(disk, digests);
  await log.acquire();
  const stored = append(log, long("last"));
  const release = await digests.next();
  let isClosed = false;
  const closed = log.close().then(() => (isClosed = true));
  await turns();
  assert.equal(isClosed, false);
  release();
  assert.equal((await stored).fate, "stored");
  await closed;
});

test("F5: a snapshot whose digest is lost is not stored, and the next one is", async () => {
  const disk = new SimulatedDisk();
  let isLost = true;
  const digests: Digests = {
    ...digestsWithinTurn,
    begin(bytesExpected) {
      const digest = digestsWithinTurn.begin(bytesExpected);
      const end = () => (isLost ? Promise.reject(new Error("the thread has ended")) : digest.end());
      return { ...digest, end };
    },
  };
  const log = await openOn(disk, digests);
  await log.acquire();
  await append(log, "entry");
  const chunks = [Buffer.from("state"), Buffer.alloc(300_000, 1)];
  await assert.rejects(log.writeSnapshot(log.lastIndex, chunks), /the thread has ended/);
  assert.equal((await append(log, "another")).fate, "stored");
  isLost = false;
  await log.writeSnapshot(log.lastIndex, chunks);
  await log.close();
  const reopened = await openOn(disk);
  const found: Buffer[] = [];
  for await (const chunk of reopened.snapshot!.chunks()) found.push(Buffer.from(chunk));
  assert.deepEqual(Buffer.concat(found), Buffer.concat(chunks));
  await reopened.close();
});

test("F5: the file of a snapshot whose digest is lost is not closed while it is written to", async () => {
  const holding = new HoldingDisk("snapshot.write", FOLDER);
  const lost = async () => {
    throw new Error("the thread has ended");
  };
  const digests: Digests = { ...digestsWithinTurn, begin: () => ({ update: lost, end: lost, drop() {} }) };
  const log = await openOn(holding.disk, digests);
  await log.acquire();
  let isOver = false;
  const snapshot = log.writeSnapshot(log.lastIndex, [Buffer.from("state")]).finally(() => (isOver = true));
  const rejected = assert.rejects(snapshot, /the thread has ended/);
  await holding.held;
  await turns();
  assert.equal(isOver, false);
  holding.release();
  await rejected;
  await log.close();
});
