/**
 * A file system that forgets what was not synced, as if the power had gone, on a disk that forgets what it was not told to
 * flush: an image on a file system which lies in an image itself. What a process writes directly has left the system's
 * cache, as far as the upper one is concerned, and is in the cache of the lower one, unless it was flushed.
 */
import { type Image, mountImage } from "../mounts.js";
import { missingProgram, mustRun } from "../processes.js";
import type { ScenarioContext } from "../scenario.js";

/**
 * EXT4_IOC_SHUTDOWN, `_IOR('X', 125, __u32)`, with EXT4_GOING_FLAGS_NOLOGFLUSH: not even the journal is written out any more.
 * Node.js has no ioctl.
 */
const shutdownScript = `
import fcntl, os, struct, sys
folder = os.open(sys.argv[1], os.O_RDONLY)
fcntl.ioctl(folder, 0x8004587D, struct.pack("I", 2))
`;

/** Of the lower file system; the upper one leaves it room for its own records. */
const diskMebibytes = 512;
const imageMebibytes = 448;

/** Why the power of a file system cannot be cut here. */
export function cannotCutPower(): Promise<string | undefined> {
  return missingProgram("python3");
}

/** A disk with a file system on it, and a switch. */
export class PoweredDisk {
  readonly #disk: Image;
  readonly #image: Image;

  private constructor(disk: Image, image: Image) {
    this.#disk = disk;
    this.#image = image;
  }

  /** The scenario's end unmounts it. */
  static async mount(ground: Pick<ScenarioContext, "cleanUp" | "folder">): Promise<PoweredDisk> {
    const disk = await mountImage(ground, diskMebibytes, "disk");
    const image = await mountImage(
      { ...ground, folder: disk.at, cleanUp: (undo) => ground.cleanUp(undo) },
      imageMebibytes,
    );
    // The file system itself was there before any power cut.
    await mustRun("sync", "--file-system", disk.at);
    return new PoweredDisk(disk, image);
  }

  get dataDir(): string {
    return this.#image.dataDir;
  }

  /**
   * From now on nothing reaches the disk; what was flushed is on it. The upper file system is told nothing: it would write a
   * last record, and flush with it what was not.
   */
  async cutPower(): Promise<void> {
    await mustRun("python3", "-c", shutdownScript, this.#disk.at);
  }

  /** The power is back. No process may use the disk meanwhile. */
  async restart(): Promise<void> {
    await this.#image.unmount();
    await this.#disk.unmount();
    await this.#disk.mount();
    await this.#image.mount();
  }
}
