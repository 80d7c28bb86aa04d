/** The files of small logs, made by the log itself on a disk in memory, for the fuzzer that damages them. */
import { type Log, type LogEnvironment, type LogLimits, openFileLog } from "@holdfast/log";
import { SimulatedDisk } from "@holdfast/log/testing";
import { Random } from "./random.js";

export const logFolder = "/data";

/** Files by path. */
export type Files = ReadonlyMap<string, Buffer>;

export interface LogImage {
  readonly files: Files;
  /** The same files at an earlier time of the same log. */
  readonly olderFiles: Files;
  readonly limits: Partial<LogLimits>;
  /** What was stored, by index. */
  readonly payloads: ReadonlyMap<number, string>;
  readonly lastIndex: number;
}

/** Killed; killed after it was noted how far the log was durable; closed. */
type Ending = "killed" | "noted" | "closed";

/** Two to four records in a segment, so that few bytes make several segments. */
const limitsOf = (segmentBytes: number): Partial<LogLimits> => ({
  entryBytesMax: 200,
  segmentBytesFirst: segmentBytes,
  segmentBytesMax: segmentBytes,
  reservedBytes: 512,
});

/** Enough entries for several segments and for old ones to be discarded. */
const payloadCount = 9;
const endings: readonly Ending[] = ["killed", "noted", "closed"];

/** Logs of all kinds: with and without snapshots, ended in every way. The last one is another log with the same contents. */
export async function buildLogImages(): Promise<readonly LogImage[]> {
  const images: LogImage[] = [];
  for (const ending of endings) {
    for (const segmentBytes of [1_536, 2_560]) {
      for (const snapshotsAfter of [[], [2, 6]]) images.push(await build(1, ending, segmentBytes, snapshotsAfter));
    }
  }
  images.push(await build(2, "closed", 1_536, []));
  return images;
}

/** What the snapshot of an index holds. */
export function snapshotText(index: number): string {
  return `the state after entry ${index}`;
}

/** Opens the log in `files`, as they are on `disk`. Refuses a folder without one. */
export function openImage(disk: SimulatedDisk, limits: Partial<LogLimits>): Promise<Log> {
  const environment = new SeededEnvironment(7);
  return openFileLog({ folder: logFolder, disk: disk.mount(), limits, environment, mustExist: true });
}

/** Stores one payload and returns its index. Rejects if it is refused. */
export function store(log: Log, payload: string): Promise<number> {
  return new Promise((resolve, reject) => {
    log.append(Buffer.from(payload), (result) => {
      if (result.fate === "stored") resolve(result.index);
      else reject(new Error(`an append to a sound log is ${result.fate}`));
    });
  });
}

async function build(
  seed: number,
  ending: Ending,
  segmentBytes: number,
  snapshotsAfter: readonly number[],
): Promise<LogImage> {
  const disk = new SimulatedDisk();
  const environment = new SeededEnvironment(seed);
  const limits = limitsOf(segmentBytes);
  const log = await openFileLog({ folder: logFolder, disk: disk.mount(), limits, environment });
  await log.acquire();
  const payloads = new Map<number, string>();
  let olderFiles: Files = new Map();
  for (let n = 1; n <= payloadCount; n++) {
    const payload = `payload ${n} ${"x".repeat((n * 37) % 150)}`;
    payloads.set(await store(log, payload), payload);
    if (snapshotsAfter.includes(n)) await log.writeSnapshot(log.lastIndex, [Buffer.from(snapshotText(log.lastIndex))]);
    if (n === payloadCount - 2) olderFiles = disk.image();
  }
  await untilIdle(disk);
  if (ending === "noted") environment.fireTimers();
  await untilIdle(disk);
  const { lastIndex } = log;
  if (ending === "closed") await log.close();
  disk.kill();
  return { files: disk.image(), olderFiles, limits, payloads, lastIndex };
}

/** Until the segment ahead has been made, or the note written, so that the same seed always makes the same files. */
async function untilIdle(disk: SimulatedDisk): Promise<void> {
  for (let before = -1; disk.operations !== before; ) {
    before = disk.operations;
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Chance from a seed; timers that wait to be told. */
class SeededEnvironment implements LogEnvironment {
  readonly #random: Random;
  readonly #timers = new Set<() => void>();

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  fillRandom(target: Uint8Array): void {
    target.set(this.#random.bytes(target.length));
  }

  defer(callback: () => void): void {
    setImmediate(callback);
  }

  after(_delayMs: number, callback: () => void): () => void {
    this.#timers.add(callback);
    return () => this.#timers.delete(callback);
  }

  fireTimers(): void {
    for (const timer of [...this.#timers]) {
      this.#timers.delete(timer);
      timer();
    }
  }
}
