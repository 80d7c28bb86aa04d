/**
 * Keeps a second log out of a folder, and lets go when its owner dies, however it dies. Node has no
 * flock, so on Linux the guard is a listening socket in the abstract namespace, which the kernel
 * removes with the process. It is named after the device and inode of the folder: the same folder
 * reached by another path, or mounted elsewhere, still collides.
 *
 * Abstract names are per network namespace, so two containers that share a folder do not see each
 * other's guard. `owner-file.ts` is the second line: it makes the older of the two stop.
 *
 * Elsewhere the guard is a file with the owner's process id and a check whether that process lives.
 */

import { open, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { LogFolderLockedError } from "../errors.js";
import { codeOf } from "./disk.js";

const LOCK_FILE = "lock";
const STALE_ATTEMPTS = 3;

/** @returns the function that lets go. @throws LogFolderLockedError if somebody else holds the folder. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  return process.platform === "linux" ? lockBySocket(folder) : lockByFile(folder);
}

async function lockBySocket(folder: string): Promise<() => Promise<void>> {
  const { dev, ino } = await stat(folder, { bigint: true });
  // Nobody has business with this socket; whoever connects is turned away.
  const server = createServer((connection) => connection.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(codeOf(error) === "EADDRINUSE" ? new LogFolderLockedError(folder) : error));
    // `exclusive`: a cluster worker would otherwise share its primary's socket and lock nothing.
    server.listen({ path: `\0holdfast-log-${dev}-${ino}`, exclusive: true }, resolve);
  });
  server.unref();
  return () => new Promise((resolve) => server.close(() => resolve()));
}

/** Exported for its test: it is the way on every platform but Linux. */
export async function lockByFile(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK_FILE);
  for (let attempt = 0; attempt < STALE_ATTEMPTS; attempt++) {
    if (await createLockFile(path)) return () => rm(path, { force: true });
    const holder = await readHolder(path);
    if (holder !== undefined && isAlive(holder)) {
      throw new LogFolderLockedError(folder, `process ${holder} has it open (if that is wrong, remove ${path})`);
    }
    await rm(path, { force: true });
  }
  throw new LogFolderLockedError(folder, `${path} keeps coming back`);
}

async function createLockFile(path: string): Promise<boolean> {
  try {
    const file = await open(path, "wx", 0o600);
    await file.writeFile(`${process.pid}\n`);
    await file.close();
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** The process id in the lock file; undefined if the file is gone or was never completed. */
async function readHolder(path: string): Promise<number | undefined> {
  try {
    const holder = Number.parseInt(await readFile(path, "latin1"), 10);
    return holder > 0 ? holder : undefined;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and belongs to somebody else.
    return codeOf(error) === "EPERM";
  }
}
