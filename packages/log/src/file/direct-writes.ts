/**
 * Writes that go to the disk past the system's cache and are durable when they return (O_DIRECT with O_DSYNC): one call in
 * Node.js' pool instead of a write into the cache within the turn and a sync in the pool. Measured on a virtual disk (ext4),
 * one after another, with processor time: a record of 512 bytes 207 µs (124) instead of 217 (134), one of 11 KiB 181 (120)
 * instead of 206 (129), one of 1 MiB 565 (206) instead of 679 (419).
 *
 * They need whole sectors, from aligned memory (`aligned-memory.ts`). Not every system and file system has them, and some
 * take the file and refuse the first write. Where that happens, nothing has been written, and the log does without.
 */

import * as fs from "node:fs";
import { promisify } from "node:util";
import { grown } from "../bytes.js";
import { AlignedMemory } from "./aligned-memory.js";
import { codeOf } from "./disk.js";

const openFile = promisify(fs.open);

/** Undefined where the system has no such flags. */
const FLAGS = directFlags();

function directFlags(): number | undefined {
  const { O_RDWR, O_DIRECT, O_DSYNC } = fs.constants as Partial<typeof fs.constants>;
  return O_DIRECT === undefined || O_DSYNC === undefined ? undefined : (O_RDWR ?? 0) | O_DIRECT | O_DSYNC;
}

/** Told how many bytes are durable: fewer than were to be written, perhaps none, where the system takes no more in this way. */
export type DirectDone = (error: Error | undefined, count: number) => void;

/** Whether a log can have them is found out once, from the first file that is opened and from the first write. */
export class DirectWrites {
  #refused = FLAGS === undefined;
  #memory: AlignedMemory | undefined;
  #done: DirectDone | undefined;

  /** True once the system has refused them. */
  get areRefused(): boolean {
    return this.#refused;
  }

  /** Another handle of a file, for `write`; undefined if there is none to be had. */
  async open(path: string): Promise<number | undefined> {
    if (this.#refused || FLAGS === undefined) return undefined;
    try {
      return await openFile(path, FLAGS);
    } catch (error) {
      // Whatever else is wrong with the file, the calls that must not fail will say so.
      this.#noteRefusal(error);
      return undefined;
    }
  }

  /** A buffer of at least `bytes` to write from, in place of `current`, whose contents are not kept. */
  memory(current: Buffer, bytes: number): Buffer {
    if (!this.#refused) {
      this.#memory ??= AlignedMemory.make();
      const memory = this.#memory?.atLeast(bytes);
      if (memory !== undefined) return memory;
      this.#refused = true;
    }
    return grown(current, bytes);
  }

  /** Writes whole sectors to a handle of `open`, from `memory`. One at a time. `done` is called in a later turn. */
  write(handle: number, source: Buffer, from: number, length: number, position: number, done: DirectDone): void {
    if (this.#done !== undefined) throw new Error("direct write while another one is in flight");
    this.#done = done;
    fs.write(handle, source, from, length, position, this.#answered);
  }

  readonly #answered = (error: Error | null, count: number): void => {
    const done = this.#done;
    this.#done = undefined;
    if (error === null) done?.(undefined, count);
    else if (this.#noteRefusal(error)) done?.(undefined, 0);
    else done?.(error, 0);
  };

  #noteRefusal(error: unknown): boolean {
    const code = codeOf(error);
    const isRefusal = code === "EINVAL" || code === "EOPNOTSUPP" || code === "ENOTSUP";
    if (isRefusal) this.#refused = true;
    return isRefusal;
  }
}
