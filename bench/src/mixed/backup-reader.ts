/**
 * Reads whole snapshots, as `etcdctl snapshot save` does, in a thread of its own: a hundred megabytes on the thread that
 * takes the times would be measured as the server's.
 */

import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { createSnapshotRequest, maintenanceService } from "@holdfast/protocol";
import { DriverConnection } from "../driver/driver-connection.js";
import { Failures } from "../driver/failures.js";
import type { DriverTarget } from "../driver/socket.js";
import type { Server } from "../servers/server.js";

const { path, request } = maintenanceService.methods.snapshot;

/** What the thread answers: how long the snapshot was, or why it failed. */
type Answer = { readonly bytes: number } | { readonly failed: string };

/** The side of whoever wants backups. */
export class BackupReader {
  readonly #thread: Worker;

  constructor(server: Server) {
    const target: DriverTarget = { port: server.port, certificate: server.tls?.certificate };
    this.#thread = new Worker(new URL(import.meta.url), { workerData: target });
    // Whoever waits for a snapshot hears of it.
    this.#thread.on("error", () => {});
  }

  /** Reads one to its end; not two at a time. Resolves with its length in bytes; rejects when it fails. */
  async read(): Promise<number> {
    this.#thread.postMessage("read");
    const [answer] = (await once(this.#thread, "message")) as [Answer];
    if ("failed" in answer) throw new Error(`a backup failed: ${answer.failed}`);
    return answer.bytes;
  }

  async close(): Promise<void> {
    await this.#thread.terminate();
  }
}

/** The side of the thread: one snapshot, over a connection of its own. */
async function readOne(target: DriverTarget): Promise<number> {
  const failures = new Failures();
  const connection = await DriverConnection.connect(target, failures.report);
  let bytes = 0;
  const ended = new Promise<void>((resolve, reject) => {
    const stream = connection.open(path, {
      message: (_chunk, from, to) => {
        bytes += to - from;
      },
      end: (status, text) => (status === 0 ? resolve() : reject(new Error(`status ${status}: ${text}`))),
    });
    stream.send(request.encode(createSnapshotRequest()));
    stream.halfClose();
  });
  await failures.during(ended);
  connection.close();
  return bytes;
}

if (!isMainThread) {
  parentPort?.on("message", () => {
    readOne(workerData as DriverTarget)
      .then((bytes): Answer => ({ bytes }))
      .catch((error: unknown): Answer => ({ failed: String(error) }))
      .then((answer) => parentPort?.postMessage(answer));
  });
}
