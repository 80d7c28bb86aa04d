/**
 * How fast a new segment is filled with zeros: in small slices with pauses while there is time, in large ones without
 * once the segment in use fills up so fast that the new one might come too late.
 *
 * Zeros into new blocks go through the file system's journal, and an append that syncs at the same time waits for
 * them. Measured with 512-byte appends one after another while 16 MiB were filled (4 cores, ext4, virtual disk):
 *
 * | slices | append, mean | 99th percentile | filled in |
 * |---|---|---|---|
 * | 1 MiB, no pause | 0.62 ms | 5.8 ms | 83 ms |
 * | 256 KiB, 2 ms | 0.25 ms | 2.5 ms | 217 ms |
 * | 128 KiB, 2 ms (chosen while there is time) | 0.14 ms | 0.4 ms | 348 ms |
 * | 64 KiB, 1 ms | 0.17 ms | 1.0 ms | 453 ms |
 */

import type { LogEnvironment } from "../environment.js";
import type { LogLimits } from "../limits.js";

/** There is time while the new segment fills this many times as fast as the one in use. */
const LEAD = 2;

export class ZeroPace {
  readonly #environment: LogEnvironment;
  readonly #limits: LogLimits;
  readonly #usedShare: () => number;
  #isUrgent = false;
  /** Ends the pause that there is. */
  #goOn: (() => void) | undefined;

  /** @param usedShare how full the segment in use is, from 0 to 1. */
  constructor(environment: LogEnvironment, limits: LogLimits, usedShare: () => number) {
    this.#environment = environment;
    this.#limits = limits;
    this.#usedShare = usedShare;
  }

  /** A new segment is begun, for which nobody waits yet. */
  restart(): void {
    this.#isUrgent = false;
  }

  /** Somebody waits for the segment: no more pauses for this one. */
  hurry(): void {
    this.#isUrgent = true;
    this.#goOn?.();
  }

  /** Bytes of the next slice, after a pause if there is time; `doneShare` of the segment is filled, from 0 to 1. */
  readonly next = async (doneShare: number): Promise<number> => {
    if (doneShare > 0 && this.#hasTime(doneShare)) await this.#pause();
    const { zeroSliceBytes, zeroSliceUnhurriedBytes } = this.#limits;
    return this.#hasTime(doneShare) ? Math.min(zeroSliceUnhurriedBytes, zeroSliceBytes) : zeroSliceBytes;
  };

  #hasTime(doneShare: number): boolean {
    return !this.#isUrgent && doneShare >= LEAD * this.#usedShare();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#environment.after(this.#limits.zeroPauseMs, () => this.#goOn?.());
      this.#goOn = () => {
        this.#goOn = undefined;
        cancel();
        resolve();
      };
    });
  }
}
