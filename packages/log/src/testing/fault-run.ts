/**
 * A scripted owner of a log that keeps book of what it was told, and checks after any number of
 * faults and restarts that the log kept its word: everything stored is there, nothing refused is,
 * what is unknown is there at most once, all in the order of the calls.
 */

import assert from "node:assert/strict";
import { openFileLog } from "../file/open-file-log.js";
import type { LogLimits } from "../limits.js";
import type { AppendResult, Log } from "../log.js";
import { payloadOf, RecordingReader, replayed, snapshotOf } from "./log-contract.js";
import { TestEnvironment } from "./seeded.js";
import type { SimulatedDisk } from "./simulated-disk.js";
import { FOLDER } from "./simulated-place.js";

/** Two or three records to a segment: every few appends open a new one. */
export const TIGHT_LIMITS: Partial<LogLimits> = {
  entryBytesMax: 900,
  segmentBytesFirst: 2048,
  segmentBytesMax: 2048,
  reservedBytes: 512,
  readSliceBytes: 1024,
  writeSliceBytes: 512,
  zeroSliceBytes: 1024,
  recycledSegments: 2,
};

type Told = "stored" | "refused" | "unknown" | "nothing";

export class FaultRun {
  readonly disk: SimulatedDisk;
  readonly failures: Error[] = [];
  readonly results: AppendResult[] = [];
  readonly #seed: number;
  readonly #limits: Partial<LogLimits>;
  /** Every append ever made, in order, and what was said of it. */
  readonly #calls: { readonly payload: string; told: Told }[] = [];
  /** What the last reader saw: from then on it must stay (I1). */
  #observed: readonly string[] = [];
  #lives = 0;
  #environment = new TestEnvironment();

  constructor(disk: SimulatedDisk, seed = 1, limits: Partial<LogLimits> = {}) {
    this.disk = disk;
    this.#seed = seed;
    this.#limits = { ...TIGHT_LIMITS, ...limits };
  }

  /** Opens the log and checks what it holds. Rejects as opening does. */
  async open(): Promise<Log> {
    this.#lives += 1;
    const environment = new TestEnvironment(this.#seed * 1000 + this.#lives);
    this.#environment = environment;
    const onFailure = (error: Error) => this.failures.push(error);
    const reader = new RecordingReader();
    const log = await openFileLog({
      folder: FOLDER,
      disk: this.disk.mount(),
      limits: this.#limits,
      environment,
      reader,
      onFailure,
    });
    await reader.assertSaw(log);
    this.#check(await stateOf(log));
    return log;
  }

  /** The script: an epoch, some appends of all sizes, two snapshots on the way. Ends early if the log has failed. */
  async work(log: Log, appends = 12): Promise<void> {
    const life = this.#lives;
    try {
      await log.acquire();
    } catch {
      return;
    }
    for (let i = 0; i < appends; i++) {
      // What a dead process still believes is of no interest, and it must not write into the next one's book.
      if (life !== this.#lives || this.disk.isDead) return;
      await this.append(log, `life ${life} call ${i} `.padEnd([20, 400, 800][i % 3]!, "."));
      if (i % 3 === 1) this.#environment.fireTimers();
      if (i % 5 !== 4 || this.failures.length > 0) continue;
      const chunks = this.#storedPayloads().map((payload) => Buffer.from(payload));
      await log.writeSnapshot(log.lastIndex, chunks).catch(() => undefined);
    }
  }

  async append(log: Log, payload: string, reserveShare = 0): Promise<AppendResult> {
    const call: { readonly payload: string; told: Told } = { payload, told: "nothing" };
    this.#calls.push(call);
    const result = await new Promise<AppendResult>((resolve) =>
      log.append(Buffer.from(payload), resolve, reserveShare),
    );
    if (this.disk.isDead) return result;
    call.told = result.fate;
    this.results.push(result);
    return result;
  }

  /** What a snapshot of this owner contains: everything it has applied. */
  #storedPayloads(): string[] {
    const known = new Set(this.#observed);
    return this.#calls.filter((call) => call.told === "stored" || known.has(call.payload)).map((call) => call.payload);
  }

  #check(state: readonly string[]): void {
    const place = new Map(state.map((payload, i) => [payload, i]));
    assert.equal(place.size, state.length, "a payload is there twice");
    let last = -1;
    for (const { payload, told } of this.#calls) {
      const at = place.get(payload);
      place.delete(payload);
      if (at === undefined) {
        assert.notEqual(told, "stored", `stored and lost: ${payload}`);
        assert.ok(!this.#observed.includes(payload), `seen and lost: ${payload}`);
        continue;
      }
      assert.notEqual(told, "refused", `refused and found: ${payload}`);
      assert.ok(at > last, `out of order: ${payload}`);
      last = at;
    }
    assert.deepEqual([...place.keys()], [], "never appended, but found");
    this.#observed = state;
  }
}

/** All payloads, out of the snapshot and behind it. */
async function stateOf(log: Log): Promise<string[]> {
  const fromSnapshot = await snapshotOf(log);
  return [...fromSnapshot, ...(await replayed(log, log.snapshot?.index ?? 0)).map(payloadOf)];
}

/** Waits for `work`, or for the death of the process that does it. @returns whether it died. */
export async function untilDeath(disk: SimulatedDisk, work: Promise<unknown>): Promise<boolean> {
  const died = disk.death.then(() => true);
  const outcome = await Promise.race([work.then(() => false), died]);
  // The dead may still see their last calls fail; nobody listens to them.
  if (outcome) work.catch(() => undefined);
  return outcome;
}
