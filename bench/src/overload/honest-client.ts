/**
 * The client that asks for little while others ask for too much, in a thread of its own, so that its times are the
 * server's and not the crowd's: keeps some leases alive, and compacts the history now and then, as operators do.
 *
 * At any message it says what happened since the last report. Anything unexpected ends the thread with an error.
 */
import { parentPort, workerData } from "node:worker_threads";
import { createLeaseKeepAliveRequest, kvService, leaseService } from "@holdfast/protocol";
import { callOnce } from "../driver/calls.js";
import { DriverConnection, type DriverStream } from "../driver/driver-connection.js";
import { Latencies } from "../latencies.js";

/** What it is started with. */
export interface HonestClientData {
  readonly port: number;
}

/** What it answers. */
export interface HonestReport {
  readonly keepAlives: number;
  /** Keepalives that have no answer yet, and for how long the oldest of them has waited. */
  readonly unanswered: number;
  readonly oldestWaitMs: number;
  /** Leases that were found expired. */
  readonly leasesLost: number;
  readonly compactions: number;
  readonly compactionsRefused: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

const leases = 10;
const ttlSeconds = 10;
const keepAliveEveryMs = 20;
const compactEveryMs = 1000;
const { path, request, response } = leaseService.methods.leaseKeepAlive;

class HonestClient {
  readonly #connection: DriverConnection;
  readonly #messages: readonly Uint8Array[];
  readonly #stream: DriverStream;
  readonly #sentAtMs: number[] = [];
  #sent = 0;
  #revision = 0;
  #isCompacting = false;
  #compactedRevision = 0;
  #latencies = new Latencies();
  #leasesLost = 0;
  #compactions = 0;
  #compactionsRefused = 0;

  constructor(connection: DriverConnection, ids: readonly bigint[]) {
    this.#connection = connection;
    this.#messages = ids.map((id) => request.encode(createLeaseKeepAliveRequest({ id })));
    this.#stream = connection.open(path, {
      message: (chunk, from, to) => this.#answered(chunk, from, to),
      end: (status, text) => {
        throw new Error(`the keepalive stream ended with status ${status}: ${text}`);
      },
    });
  }

  run(): void {
    setInterval(() => this.#keepAlive(), keepAliveEveryMs);
    setInterval(() => this.#compact(), compactEveryMs);
  }

  /** What happened since the last report. */
  report(): HonestReport {
    const latencies = this.#latencies;
    const report = {
      keepAlives: latencies.total,
      unanswered: this.#sentAtMs.length,
      oldestWaitMs: performance.now() - (this.#sentAtMs[0] ?? performance.now()),
      leasesLost: this.#leasesLost,
      compactions: this.#compactions,
      compactionsRefused: this.#compactionsRefused,
      p50Ms: latencies.percentileMs(0.5),
      p99Ms: latencies.percentileMs(0.99),
      longestMs: latencies.percentileMs(1),
    };
    this.#latencies = new Latencies();
    this.#leasesLost = 0;
    this.#compactions = 0;
    this.#compactionsRefused = 0;
    return report;
  }

  #keepAlive(): void {
    const message = this.#messages[this.#sent++ % this.#messages.length];
    if (message === undefined) return;
    this.#sentAtMs.push(performance.now());
    this.#stream.send(message);
  }

  /** Answers of one stream come in the order of its requests. */
  #answered(chunk: Uint8Array, from: number, to: number): void {
    const sentAtMs = this.#sentAtMs.shift();
    if (sentAtMs === undefined) throw new Error("an answer that nobody asked for");
    this.#latencies.add(performance.now() - sentAtMs);
    const { ttl, header } = response.decode(chunk, from, to);
    this.#revision = header?.revision ?? this.#revision;
    if (ttl <= 0) this.#leasesLost += 1;
  }

  /** Whether it is done or refused, the next one is due in a second. */
  #compact(): void {
    if (this.#isCompacting || this.#revision <= this.#compactedRevision) return;
    this.#isCompacting = true;
    const revision = this.#revision;
    const { compact } = kvService.methods;
    const call = this.#connection.open(compact.path, {
      message: () => {},
      end: (status) => {
        this.#isCompacting = false;
        if (status === 0) this.#compactions += 1;
        else this.#compactionsRefused += 1;
        if (status === 0) this.#compactedRevision = revision;
      },
    });
    call.send(compact.request.encode(compact.request.create({ revision })));
    call.halfClose();
  }
}

async function start({ port }: HonestClientData): Promise<void> {
  const connection = await DriverConnection.connect({ port }, (error) => {
    throw error;
  });
  const { leaseGrant } = leaseService.methods;
  const ids: bigint[] = [];
  for (let number = 0; number < leases; number += 1) {
    ids.push((await callOnce(connection, leaseGrant, leaseGrant.request.create({ ttl: ttlSeconds }))).id);
  }
  const client = new HonestClient(connection, ids);
  client.run();
  parentPort?.on("message", () => parentPort?.postMessage(client.report()));
  parentPort?.postMessage("ready");
}

await start(workerData as HonestClientData);
