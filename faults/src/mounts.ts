/** File systems of our own to break: in memory, and ext4 in an image file. Needs root; the scenario's end unmounts them. */
import { mkdir, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { missingProgram, mustRun, notRoot, runCommand } from "./processes.js";
import type { ScenarioContext } from "./scenario.js";

type Ground = Pick<ScenarioContext, "cleanUp" | "folder">;

/** Why no file system can be mounted here. */
export async function cannotMountTmpfs(): Promise<string | undefined> {
  const reason = notRoot();
  if (reason !== undefined) return reason;
  // In a namespace of its own, so that nothing is left of it.
  const { exitCode } = await runCommand("unshare", ["-m", "mount", "-t", "tmpfs", "none", "/mnt"]);
  return exitCode === 0 ? undefined : "mounting is not permitted here";
}

/** Why no image can be mounted here. */
export async function cannotMountImages(): Promise<string | undefined> {
  const reason = (await cannotMountTmpfs()) ?? (await missingProgram("mkfs.ext4", "losetup", "umount"));
  if (reason !== undefined) return reason;
  const { exitCode } = await runCommand("losetup", ["-f"]);
  return exitCode === 0 ? undefined : "there is no loop device";
}

/** Mounts a file system in memory. @returns where. */
export async function mountTmpfs(ground: Ground, mebibytes: number): Promise<string> {
  const at = join(ground.folder, "tmpfs");
  await mkdir(at);
  await mustRun("mount", "-t", "tmpfs", "-o", `size=${mebibytes}m,mode=700`, "none", at);
  ground.cleanUp(() => unmount(at));
  return at;
}

/** An ext4 file system in an image file, and where it is mounted. */
export interface Image {
  readonly at: string;
  /** The folder for data; it stays over `mount` and `unmount`. */
  readonly dataDir: string;
  mount(options?: string): Promise<void>;
  unmount(): Promise<void>;
}

/** Makes an image with an ext4 file system and mounts it. @param name of the image and of where it is mounted, in the folder. */
export async function mountImage(ground: Ground, mebibytes: number, name = "image"): Promise<Image> {
  const file = join(ground.folder, name);
  const at = join(ground.folder, `${name}-mount`);
  await mkdir(at);
  await writeFile(file, "");
  await truncate(file, mebibytes * 1024 * 1024);
  await mustRun("mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", file);
  const image: Image = {
    at,
    dataDir: join(at, "data"),
    mount: async (options = "defaults") => {
      await mustRun("mount", "-o", `loop,${options}`, file, at);
    },
    unmount: () => unmount(at),
  };
  await image.mount();
  ground.cleanUp(() => unmount(at));
  return image;
}

/** Does nothing if nothing is mounted there. A process that is just ending may hold it a moment longer. */
async function unmount(at: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const { exitCode } = await runCommand("mountpoint", ["-q", at]);
    if (exitCode !== 0) return;
    await runCommand("umount", [at]);
  }
  await mustRun("umount", "--lazy", at);
}
