// Starts and steers a lock holder (lock-holder.ts) from a test.

import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** What the holder says, one JSON object a line. */
export type HolderLine =
  | { readonly kind: "held"; readonly key: string; readonly token: string }
  | { readonly kind: "renewed"; readonly sentAtNs: string }
  | { readonly kind: "wrote"; readonly succeeded: boolean }
  | { readonly kind: "lost" };

type LineOf<K extends HolderLine["kind"]> = Extract<HolderLine, { kind: K }>;

const program = fileURLToPath(new URL("./lock-holder.js", import.meta.url));

/** One holder process. Lines nobody waits for are kept. */
export class HolderProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: HolderLine[] = [];
  readonly #ended: Promise<void>;
  #notify: () => void = () => undefined;
  #hasEnded = false;

  constructor(endpoint: string, name: string, ttlSeconds: number) {
    const args = ["--enable-source-maps", program, endpoint, name, String(ttlSeconds)];
    this.#child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    const killOnExit = (): void => {
      this.#child.kill("SIGKILL");
    };
    process.once("exit", killOnExit);
    this.#ended = new Promise((resolve) => {
      this.#child.once("close", () => {
        process.removeListener("exit", killOnExit);
        this.#hasEnded = true;
        this.#notify();
        resolve();
      });
    });
    createInterface({ input: this.#child.stdout }).on("line", (line) => {
      this.#lines.push(JSON.parse(line) as HolderLine);
      this.#notify();
    });
  }

  /** Takes the next line of this kind; earlier lines of other kinds stay. Rejects when the process ends first. */
  async line<K extends HolderLine["kind"]>(kind: K): Promise<LineOf<K>> {
    for (;;) {
      const index = this.#lines.findIndex((line) => line.kind === kind);
      if (index >= 0) {
        return this.#lines.splice(index, 1)[0] as LineOf<K>;
      }
      if (this.#hasEnded) {
        throw new Error(`the holder ended while "${kind}" was awaited`);
      }
      await new Promise<void>((resolve) => {
        this.#notify = resolve;
      });
    }
  }

  /** When the last keepalive that was answered had been sent, in nanoseconds of the monotonic clock. */
  lastRenewalSentAtNs(): bigint {
    const renewals = this.#lines.filter((line): line is LineOf<"renewed"> => line.kind === "renewed");
    return BigInt(renewals.at(-1)?.sentAtNs ?? 0);
  }

  /** Makes the holder try a write guarded by its lock; resolves with whether it went through. */
  async tryWrite(key: string, value: string): Promise<boolean> {
    this.#child.stdin.write(`write ${key} ${value}\n`);
    return (await this.line("wrote")).succeeded;
  }

  /** Freezes the process (SIGSTOP): nothing it would do happens until `resume`. */
  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  /** Kills the process and waits for its end, so that everything it had said is known. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#ended;
  }
}
