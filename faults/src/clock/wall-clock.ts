/** A wall clock of a server's own that can be made to jump, without touching the machine's (`wall-clock.c`). */
import { open, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { missingProgram, mustRun } from "../processes.js";

const source = fileURLToPath(new URL("../../src/clock/wall-clock.c", import.meta.url));

/** Why no process can be shown another wall clock here. */
export async function cannotFakeWallClock(): Promise<string | undefined> {
  return process.platform === "linux" ? await missingProgram("cc") : "needs Linux";
}

export interface WallClock {
  /** For the server's process. */
  readonly env: Readonly<Record<string, string>>;
  /** From now on the server's wall clock is so many seconds ahead of the machine's; behind it if negative. */
  setOffset(seconds: number): Promise<void>;
}

/** Makes a wall clock that begins with the machine's time. Its files are in `folder`. */
export async function makeWallClock(folder: string): Promise<WallClock> {
  const library = join(folder, "wall-clock.so");
  const offsetFile = join(folder, "wall-offset");
  await mustRun("cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl");
  await writeFile(offsetFile, Buffer.alloc(8));
  return {
    env: { LD_PRELOAD: library, FAULTS_WALL_OFFSET: offsetFile },
    setOffset: async (seconds) => {
      const bytes = Buffer.alloc(8);
      bytes.writeBigInt64LE(BigInt(seconds));
      // In place: the server has this very file in its memory.
      const file = await open(offsetFile, "r+");
      await file.write(bytes, 0, bytes.length, 0);
      await file.close();
    },
  };
}
