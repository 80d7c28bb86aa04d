/** A lock holder in a process of its own (`holder.ts`), to be stopped, continued and killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ScenarioContext } from "../scenario.js";
import type { HolderReport } from "./holder.js";

const program = fileURLToPath(new URL("./holder.js", import.meta.url));

export class HolderProcess {
  readonly #child: ChildProcess;
  readonly #reports: HolderReport[] = [];
  readonly #listeners = new Set<() => void>();

  constructor(
    context: Pick<ScenarioContext, "cleanUp">,
    endpoint: string,
    name: string,
    ttlSeconds: number,
    wrapper: readonly string[] = [],
  ) {
    const [command = "", ...args] = [...wrapper, process.execPath, program, endpoint, name, String(ttlSeconds)];
    this.#child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
    const { stdout } = this.#child;
    if (stdout !== null)
      createInterface({ input: stdout }).on("line", (line) => {
        this.#reports.push(JSON.parse(line) as HolderReport);
        for (const listener of [...this.#listeners]) listener();
      });
    context.cleanUp(() => {
      this.#child.kill("SIGKILL");
    });
  }

  /** Resolves with the first report of this kind, made already or to come. */
  reported(event: HolderReport["event"]): Promise<HolderReport> {
    return new Promise((resolve) => {
      const look = (): void => {
        const report = this.#reports.find((made) => made.event === event);
        if (report === undefined) return;
        this.#listeners.delete(look);
        resolve(report);
      };
      this.#listeners.add(look);
      look();
    });
  }

  /** Whether it has reported this. */
  has(event: HolderReport["event"]): boolean {
    return this.#reports.some((made) => made.event === event);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}
