/** A file system that forgets what was not synced, as if the power had gone: ext4's own emergency shutdown. */
import { missingProgram, mustRun } from "../processes.js";

/**
 * EXT4_IOC_SHUTDOWN, `_IOR('X', 125, __u32)`, with EXT4_GOING_FLAGS_NOLOGFLUSH: not even the journal is written out any more.
 * Node.js has no ioctl.
 */
const shutdownScript = `
import fcntl, os, struct, sys
folder = os.open(sys.argv[1], os.O_RDONLY)
fcntl.ioctl(folder, 0x8004587D, struct.pack("I", 2))
`;

/** Why the power of a file system cannot be cut here. */
export function cannotCutPower(): Promise<string | undefined> {
  return missingProgram("python3");
}

/** From now on nothing reaches the disk that holds the file system mounted there; what was synced is on it. */
export async function cutPower(mountPoint: string): Promise<void> {
  await mustRun("python3", "-c", shutdownScript, mountPoint);
}
