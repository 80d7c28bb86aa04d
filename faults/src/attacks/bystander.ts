/** A well-behaved client beside an attack (I12): started, asked for its figures, stopped. Its work is in `bystander-thread.ts`. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";

/** `begin` forgets what was measured so far; `report` sends it, and forgets it. */
export type BystanderOrder = "begin" | "report";

export interface BystanderFigures {
  /** How long renewals took; those still without an answer count with how long they have waited. */
  readonly keepAlivesMs: readonly number[];
  /** The same of puts and reads that were answered. */
  readonly callsMs: readonly number[];
  /** What did not end well. */
  readonly failures: readonly string[];
}

export class Bystander {
  readonly #worker: Worker;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Resolves once it has a lease. Calls with `token`, if there is one. */
  static async start(endpoint: string, token?: string): Promise<Bystander> {
    const workerData = { endpoint, token };
    const worker = new Worker(new URL("./bystander-thread.js", import.meta.url), { workerData });
    await once(worker, "message");
    return new Bystander(worker);
  }

  begin(): void {
    this.#worker.postMessage("begin" satisfies BystanderOrder);
  }

  async report(): Promise<BystanderFigures> {
    this.#worker.postMessage("report" satisfies BystanderOrder);
    const [figures] = await once(this.#worker, "message");
    return figures as BystanderFigures;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

/** The value that this share (0 … 1) stays below; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
