/**
 * Calls that stay in Node.js' pool of threads until they are let go, each on a thread of its own: a pipe with a name cannot be
 * opened for reading before somebody opens it for writing. For Linux.
 */

import { spawnSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";

export class BlockedPool {
  readonly #pipes: string[];
  readonly #calls: Promise<unknown>[];

  private constructor(pipes: string[], calls: Promise<unknown>[]) {
    this.#pipes = pipes;
    this.#calls = calls;
  }

  /** Makes `count` pipes in `folder` and calls `openAndClose` with each, which is to open it for reading in the pool. */
  static with(folder: string, count: number, openAndClose = openFile): BlockedPool {
    const pipes = Array.from({ length: count }, (_, number) => join(folder, `pipe-${number}`));
    const { status } = spawnSync("mkfifo", pipes);
    if (status !== 0) throw new Error("pipes could not be made");
    return new BlockedPool(pipes, pipes.map(openAndClose));
  }

  /** Lets all go, and waits until they have ended. */
  async release(): Promise<void> {
    // For reading and writing a pipe opens at once, whether or not anybody else has opened it by now.
    const handles = this.#pipes.map((pipe) => openSync(pipe, "r+"));
    await Promise.all(this.#calls);
    for (const handle of handles) closeSync(handle);
  }
}

async function openFile(path: string): Promise<void> {
  await (await open(path)).close();
}
