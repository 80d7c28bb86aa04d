/**
 * Damaged log folders (fault model F3, F4, F5): a log opens with exactly a beginning of what was stored, one that holds all
 * that its files still prove to have been durable; or it refuses, and leaves every file as it was (I11). Never anything else.
 */
import { type Log, LogDamagedError, LogMissingError, LogVersionError } from "@holdfast/log";
import { SimulatedDisk } from "@holdfast/log/testing";
import type { FuzzTarget } from "../fuzz-target.js";
import { damagedFiles, damageProgram, provenIndex } from "../log-damage.js";
import { buildLogImages, type Files, type LogImage, logFolder, openImage, snapshotText, store } from "../log-images.js";
import type { Random } from "../random.js";

/** An input: the number of a log, then what is done to its files. */
export class LogFilesTarget implements FuzzTarget {
  readonly name = "log-files";
  readonly #images: readonly LogImage[];
  readonly #foreign: Files;
  #whole = 0;
  #cut = 0;
  #refused = 0;

  static async create(): Promise<LogFilesTarget> {
    return new LogFilesTarget(await buildLogImages());
  }

  private constructor(images: readonly LogImage[]) {
    this.#images = images;
    this.#foreign = (images.at(-1) as LogImage).files;
  }

  generate(random: Random): Buffer {
    return damageProgram(random, this.#images.length);
  }

  async run(input: Buffer): Promise<void> {
    if (input.length === 0) return;
    const image = this.#images[(input[0] as number) % this.#images.length] as LogImage;
    const { files, isForged } = damagedFiles(image, input, this.#foreign);
    const disk = SimulatedDisk.holding(files, "microtasks");
    try {
      await this.#open(image, files, disk, isForged);
    } finally {
      disk.kill();
    }
  }

  figures(): string {
    return `${this.#whole} whole, ${this.#cut} cut, ${this.#refused} refused`;
  }

  async #open(image: LogImage, files: Files, disk: SimulatedDisk, isForged: boolean): Promise<void> {
    let log: Log;
    try {
      log = await openImage(disk, image.limits);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#refused++;
      assertUntouched(files, disk.image());
      return;
    }
    // A log whose checksums were made right again is beyond telling; it must only not break anything.
    if (isForged) return;
    await assertBeginning(log, image, provenIndex(files));
    if (log.lastIndex === image.lastIndex) this.#whole++;
    else this.#cut++;
    await assertGoesOn(log, image, disk);
  }
}

function isRefusal(error: unknown): boolean {
  return error instanceof LogDamagedError || error instanceof LogMissingError || error instanceof LogVersionError;
}

async function assertBeginning(log: Log, image: LogImage, proven: number): Promise<void> {
  if (log.lastIndex > image.lastIndex)
    throw new Error(`it ends at ${log.lastIndex}, but ${image.lastIndex} was the last`);
  if (log.lastIndex < proven) throw new Error(`it ends at ${log.lastIndex}, but ${proven} was proven to be durable`);
  const { snapshot } = log;
  let start = 0;
  if (snapshot !== undefined) {
    start = snapshot.index;
    const chunks: Uint8Array[] = [];
    for await (const chunk of snapshot.chunks()) chunks.push(Uint8Array.from(chunk));
    if (Buffer.concat(chunks).toString() !== snapshotText(start)) throw new Error(`snapshot ${start} is another one`);
  }
  const expected = [...image.payloads].filter(([index]) => index > start && index <= log.lastIndex);
  assertSame(await entriesOf(log, start), expected);
}

/** It can be written to, and opened again with what it held and what was added. */
async function assertGoesOn(log: Log, image: LogImage, disk: SimulatedDisk): Promise<void> {
  const start = log.snapshot?.index ?? 0;
  const before = await entriesOf(log, start);
  await log.acquire();
  const added: [number, string] = [await store(log, "added"), "added"];
  disk.kill();
  disk.restart("strict", () => 0);
  const again = await openImage(disk, image.limits);
  assertSame(await entriesOf(again, start), [...before, added]);
}

async function entriesOf(log: Log, afterIndex: number): Promise<[number, string][]> {
  const entries: [number, string][] = [];
  await log.replay(afterIndex, ({ index, payload }) => entries.push([index, Buffer.from(payload).toString()]));
  return entries;
}

function assertSame(
  found: readonly (readonly [number, string])[],
  expected: readonly (readonly [number, string])[],
): void {
  const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
  if (one !== other) throw new Error(`it holds ${one} instead of ${other}`);
}

/** The owner file names who opened it last; nothing else may change. */
function assertUntouched(before: Files, after: Files): void {
  const owner = `${logFolder}/owner`;
  for (const [path, bytes] of before) {
    if (path !== owner && after.get(path)?.equals(bytes) !== true)
      throw new Error(`it was refused, but ${path} was changed`);
  }
  for (const path of after.keys()) {
    if (path !== owner && !before.has(path)) throw new Error(`it was refused, but ${path} was created`);
  }
}
