/**
 * Snapshot files, as `holdfast snapshot` saves and restores them (fault model F5, F62): a file that was changed anywhere is
 * refused with a `SnapshotFileError`; one whose digest was made right again is refused, or holds a state that is sound.
 */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readSnapshotFile, SnapshotFileError } from "@holdfast/server";
import type { StateMachine } from "@holdfast/state-machine";
import type { FuzzTarget } from "../fuzz-target.js";
import { mutate } from "../mutate.js";
import { Random } from "../random.js";
import { assertRestorable, livedState } from "../state.js";
import { damagedRecords } from "../wire-records.js";

/** The layout of package server, `snapshot-file/format.ts`. */
const head = Buffer.from("HOLDFAST\x01\0\0\0", "latin1");
const blockBytes = 512;
const digestBytes = 32;
const statesKept = 16;
const commandsMax = 40;

/** An input: the file. */
export class SnapshotFilesTarget implements FuzzTarget {
  readonly name = "snapshot-files";
  readonly #path: string;
  readonly #states: readonly Buffer[] = Array.from({ length: statesKept }, (_, n) =>
    livedState(new Random(n), commandsMax),
  );
  readonly #whole: ReadonlySet<string>;
  #read = 0;
  #refused = 0;

  /** The file is written to `folder`. */
  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#path = join(folder, "snapshot");
    this.#whole = new Set(this.#states.map((state) => fileOf(state).toString("latin1")));
  }

  generate(random: Random): Buffer {
    const state = random.pick(this.#states);
    switch (random.below(4)) {
      case 0:
        return mutate(fileOf(state), random);
      case 1:
        return withDigest(mutate(fileOf(state).subarray(0, -digestBytes), random));
      case 2:
        return fileOf(mutate(state, random));
      default:
        return random.chance(20) ? fileOf(state) : fileOf(damagedRecords(state, random));
    }
  }

  async run(input: Buffer): Promise<void> {
    writeFileSync(this.#path, input);
    const machine = await readOrRefuse(this.#path);
    if (machine === undefined) {
      this.#refused++;
      if (this.#whole.has(input.toString("latin1"))) throw new Error("a file that is whole is refused");
      return;
    }
    this.#read++;
    if (!hasDigest(input)) throw new Error("a file is read though its digest does not match");
    assertRestorable(machine);
  }

  figures(): string {
    return `${this.#read} read, ${this.#refused} refused`;
  }
}

async function readOrRefuse(path: string): Promise<StateMachine | undefined> {
  try {
    return (await readSnapshotFile(path)).machine;
  } catch (error) {
    if (error instanceof SnapshotFileError) return undefined;
    throw error;
  }
}

function fileOf(state: Buffer): Buffer {
  const bytes = head.length + state.length;
  return withDigest(Buffer.concat([head, state, Buffer.alloc(blockBytes - (bytes % blockBytes))]));
}

function withDigest(content: Buffer): Buffer {
  return Buffer.concat([content, createHash("sha256").update(content).digest()]);
}

function hasDigest(file: Buffer): boolean {
  const content = file.subarray(0, Math.max(0, file.length - digestBytes));
  return withDigest(content).equals(file);
}
