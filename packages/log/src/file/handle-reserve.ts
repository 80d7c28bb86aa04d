/**
 * File handles kept back for the log. Clients' connections use handles of the same process, and however many there are, the
 * log must be able to begin its next segment and to write a snapshot (fault model F25). Other calls of the disk need none.
 */
import * as fs from "node:fs";
import { devNull } from "node:os";
import { promisify } from "node:util";
import { HANDLES_RESERVED } from "../limits.js";
import { isOutOfHandles } from "./disk.js";

const closeFile = promisify(fs.close);

export class HandleReserve {
  /** Of a device that has nothing: they stand for the handles that can be had by closing them. */
  readonly #held: number[] = [];
  #released = false;

  constructor() {
    this.#fill();
  }

  /** How many are there to be given. */
  get left(): number {
    return this.#held.length;
  }

  /**
   * Calls `attempt`; if there are no handles left, gives one of the reserve and calls `again`, which must take it within this
   * turn of the event loop, before a connection can.
   */
  async use<T>(attempt: () => Promise<T>, again: () => T): Promise<T> {
    try {
      return await attempt();
    } catch (error) {
      const spare = isOutOfHandles(error) ? this.#held.pop() : undefined;
      if (spare === undefined) throw error;
      fs.closeSync(spare);
      return again();
    }
  }

  /** Closes a handle that is no longer needed; the reserve has its share of it first. */
  async close(handle: number): Promise<void> {
    await closeFile(handle);
    if (!this.#released) this.#fill();
  }

  /** Gives all of it up. */
  release(): void {
    this.#released = true;
    for (const handle of this.#held.splice(0)) fs.closeSync(handle);
  }

  #fill(): void {
    try {
      while (this.#held.length < HANDLES_RESERVED) this.#held.push(fs.openSync(devNull, "r"));
    } catch (error) {
      // As many as there are; the next handle that is closed fills it up.
      if (!isOutOfHandles(error)) throw error;
    }
  }
}
