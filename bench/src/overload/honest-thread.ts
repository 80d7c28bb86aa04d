/** The thread of the honest client, seen from outside. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { HonestClientData, HonestReport } from "./honest-client.js";

export class HonestThread {
  readonly #worker: Worker;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Resolves when it keeps its leases alive. */
  static async start(port: number): Promise<HonestThread> {
    const workerData: HonestClientData = { port };
    const worker = new Worker(new URL("./honest-client.js", import.meta.url), { workerData });
    await once(worker, "message");
    return new HonestThread(worker);
  }

  /** What happened since the last report. Rejects when the client failed. */
  async report(): Promise<HonestReport> {
    const answered = once(this.#worker, "message");
    this.#worker.postMessage("report");
    return (await answered)[0] as HonestReport;
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
