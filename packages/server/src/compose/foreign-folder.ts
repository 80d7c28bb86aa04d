/**
 * Keeps the server out of folders that hold something else. An empty store behind the address of a full one is the worst
 * that can be served: its clients would believe that everything was deleted.
 */
import { readdirSync } from "node:fs";

/** Thrown when the data folder holds no data of this program, but something else. */
export class ForeignFolderError extends Error {
  readonly folder: string;

  constructor(folder: string, what: string) {
    super(`data folder ${folder} ${what}`);
    this.name = "ForeignFolderError";
    this.folder = folder;
  }
}

/** What the log calls its files; a first start that was cut off leaves at least one of them. */
const ownFile = /^(?:meta|owner|log-\d+|snapshot-\d+|cut-\d+)(?:\.new)?$/;
/** Hidden files, what a fresh file system brings along, and the certificates of `autoTls`. */
const harmless = /^(?:\..*|lost\+found|fixtures)$/;

/** Throws `ForeignFolderError`. A folder that cannot be listed is for the log to complain about. */
export function refuseForeignFolder(folder: string): void {
  const names = namesIn(folder);
  if (names.some((name) => ownFile.test(name))) return;
  if (names.includes("member")) {
    const way = "start in another folder and copy it with `holdfast import`";
    throw new ForeignFolderError(folder, `holds a database of etcd, which is not read: ${way}`);
  }
  const foreign = names.find((name) => !harmless.test(name));
  if (foreign !== undefined)
    throw new ForeignFolderError(folder, `is not empty and holds no data of Holdfast ("${foreign}")`);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
