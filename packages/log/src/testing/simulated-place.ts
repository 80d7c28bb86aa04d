/**
 * A place for file logs on a simulated disk, with segments so small that every test crosses from one
 * to the next.
 */

import { FileEngine } from "../file/file-engine.js";
import { openFileLog } from "../file/open-file-log.js";
import type { LogLimits } from "../limits.js";
import type { Log } from "../log.js";
import type { EnginePlace } from "./engine-contract.js";
import type { LogPlace } from "./log-contract.js";
import { seededRandom, TestEnvironment } from "./seeded.js";
import { type CrashMode, SimulatedDisk } from "./simulated-disk.js";

export const SMALL_LIMITS: Partial<LogLimits> = {
  entryBytesMax: 2000,
  segmentBytesFirst: 8192,
  segmentBytesMax: 16384,
  reservedBytes: 512,
  readSliceBytes: 4096,
  writeSliceBytes: 1024,
  zeroSliceBytes: 8192,
};

export const FOLDER = "/data";

export class SimulatedPlace implements EnginePlace, LogPlace {
  readonly disk: SimulatedDisk;
  readonly #mode: CrashMode;
  readonly #random: () => number;
  readonly #environment: TestEnvironment;

  constructor(mode: CrashMode, seed: number, disk = new SimulatedDisk()) {
    this.disk = disk;
    this.#mode = mode;
    this.#random = seededRandom(seed);
    this.#environment = new TestEnvironment(seed);
  }

  engine(): FileEngine {
    return new FileEngine({
      folder: FOLDER,
      disk: this.disk.mount(),
      limits: SMALL_LIMITS,
      environment: this.#environment,
    });
  }

  open(): Promise<Log> {
    return openFileLog({
      folder: FOLDER,
      disk: this.disk.mount(),
      limits: SMALL_LIMITS,
      environment: this.#environment,
    });
  }

  async crash(): Promise<void> {
    this.disk.kill();
    this.disk.restart(this.#mode, this.#random);
  }

  async dispose(): Promise<void> {
    this.disk.kill();
  }
}
