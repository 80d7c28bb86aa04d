/** A disk on which one call waits until a test lets it go on, as where the system is held up in it. */

import type { DiskOperation } from "../file/disk.js";
import { SimulatedDisk } from "./simulated-disk.js";

/** Holds the first call of one kind for one file. */
export class HoldingDisk {
  readonly disk: SimulatedDisk;
  /** Resolves once the call is held. */
  readonly held: Promise<void>;
  /** Lets it go on. */
  release: () => void = () => {};
  isHeld = false;
  /** False lets every call pass. */
  isArmed: boolean;
  #hold: () => void = () => {};

  /** @param path how the path of the file begins. */
  constructor(operation: DiskOperation, path: string, isArmed = true) {
    this.isArmed = isArmed;
    this.held = new Promise((resolve) => {
      this.#hold = resolve;
    });
    this.disk = new SimulatedDisk((called, at) => {
      if (!this.isArmed || this.isHeld || called !== operation || !at.startsWith(path)) return nextTurn();
      this.isHeld = true;
      this.#hold();
      return new Promise((resolve) => {
        this.release = resolve;
      });
    });
  }
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Resolves once nothing more is asked of the disk. */
export async function nextTurns(disk: SimulatedDisk): Promise<void> {
  for (let before = -1; disk.operations !== before; ) {
    before = disk.operations;
    for (let turn = 0; turn < 3; turn++) await nextTurn();
  }
}
