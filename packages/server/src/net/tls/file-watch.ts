/**
 * Notices that files have changed, by looking at them now and then, one at a time: where their file system hangs, a look takes
 * one of the few threads that also sync the log (fault model F8), and no more. Watching their folders instead would miss the way
 * in which Kubernetes swaps mounted secrets: the link to the folder that holds them is replaced.
 */
import { type BigIntStats, statSync } from "node:fs";
import { stat } from "node:fs/promises";

export class FileWatch {
  readonly #files: readonly string[];
  readonly #onChange: () => void;
  #seen: string;
  #looking = false;

  /**
   * Remembers how the files are now; to be made before they are read. `onChange` is called, at a `look`, after one or
   * more of them have changed, appeared or gone since the last.
   */
  constructor(files: readonly string[], onChange: () => void) {
    this.#files = files;
    this.#onChange = onChange;
    this.#seen = files.map((file) => fingerprint(statSync(file, { bigint: true, throwIfNoEntry: false }))).join();
  }

  /** Does nothing while another look is under way. */
  async look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    const prints: string[] = [];
    for (const file of this.#files) prints.push(fingerprint(await stat(file, { bigint: true }).catch(() => undefined)));
    const now = prints.join();
    this.#looking = false;
    const changed = this.#seen !== now;
    this.#seen = now;
    if (changed) this.#onChange();
  }
}

/** What tells one content of a file from another without reading it. */
function fingerprint(stats: BigIntStats | undefined): string {
  if (stats === undefined) return "gone";
  return `${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`;
}
