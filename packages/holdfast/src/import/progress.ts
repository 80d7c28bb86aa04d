/** Says how far an import is: one line that changes on a terminal, else a line now and then. */
import { importLimits } from "./limits.js";

export interface ProgressOutput {
  write(text: string): void;
  readonly isTTY?: boolean;
}

export class Progress {
  readonly #output: ProgressOutput;
  readonly #nowMs: () => number;
  readonly #isTerminal: boolean;
  #lastMs: number;
  #drawn = false;

  constructor(output: ProgressOutput, nowMs: () => number) {
    this.#output = output;
    this.#nowMs = nowMs;
    this.#isTerminal = output.isTTY === true;
    this.#lastMs = nowMs();
  }

  /** Shows `text` if the last one has been there long enough; it is only made if it is shown. */
  show(text: () => string): void {
    const now = this.#nowMs();
    const intervalMs = this.#isTerminal ? importLimits.progressDrawMs : importLimits.progressLineMs;
    if (now - this.#lastMs < intervalMs) return;
    this.#lastMs = now;
    if (this.#isTerminal) {
      this.#output.write(`\r${text()}\x1b[K`);
      this.#drawn = true;
    } else this.#output.write(`${text()}\n`);
  }

  /** A line that stays. */
  line(text: string): void {
    this.clear();
    this.#output.write(`${text}\n`);
  }

  /** Takes the changing line away. */
  clear(): void {
    if (this.#drawn) this.#output.write("\r\x1b[K");
    this.#drawn = false;
  }
}

/** 12,345. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** "1 key", "12,345 keys". */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${noun}${count === 1 ? "" : "s"}`;
}
