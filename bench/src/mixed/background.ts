/**
 * What goes on beside the measured operations, as in any cluster in use: history is compacted, somebody takes a backup,
 * leases with a key each are granted and run out.
 */

import {
  byteStringFromText,
  createCompactionRequest,
  createLeaseGrantRequest,
  createPutRequest,
  kvService,
  leaseService,
} from "@holdfast/protocol";
import type { DriverConnection } from "../driver/driver-connection.js";
import { endOfPrefix } from "../referee/requests.js";
import { WatcherStream } from "../watch/watcher-stream.js";
import type { BackupReader } from "./backup-reader.js";

const keyPrefix = "mixed-expiring-";
/** The shortest that both servers grant. */
const ttlSeconds = 2;
const leaseEveryMs = 20;
const compactEveryMs = 2_000;
const backupEveryMs = 4_000;

const { put, compact } = kvService.methods;
const { leaseGrant } = leaseService.methods;

/** How much of it there was. */
export interface BackgroundCounts {
  readonly compactions: number;
  readonly backups: number;
  readonly leases: number;
}

export class Background {
  readonly #connection: DriverConnection;
  readonly #backups: BackupReader;
  readonly #compactTo: () => number;
  readonly #failed: (error: Error) => void;
  #isBackingUp = false;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #counts = { compactions: 0, backups: 0, leases: 0 };
  #begun = 0;
  #ended = 0;
  #events = 0;
  #compacted = 0;
  #settled: (() => void) | undefined;

  /** `compactTo` tells the revision before which history is to be dropped; `failed` hears when a backup fails. */
  constructor(
    connection: DriverConnection,
    backups: BackupReader,
    { compactTo, failed }: { compactTo: () => number; failed: (error: Error) => void },
  ) {
    this.#connection = connection;
    this.#backups = backups;
    this.#failed = failed;
    this.#compactTo = compactTo;
  }

  /** Begins; resolves when the watcher that counts the events of leases stands. */
  start(): Promise<void> {
    return new Promise((resolve) => {
      const created = (): void => {
        this.#timers.push(
          setInterval(() => this.#grant(), leaseEveryMs),
          setInterval(() => this.#compact(), compactEveryMs),
          setInterval(() => this.#backUp(), backupEveryMs),
        );
        resolve();
      };
      const events = (_watcher: number, count: number): void => {
        this.#events += count;
        this.#settleIfOver();
      };
      const watched = { key: keyPrefix, rangeEnd: endOfPrefix(keyPrefix) };
      new WatcherStream(this.#connection, [watched], { created, events, sample: () => {} });
    });
  }

  /** Begins nothing more; resolves when everything begun is over, and every lease has run out. */
  stop(): Promise<BackgroundCounts> {
    for (const timer of this.#timers) clearInterval(timer);
    return new Promise((resolve) => {
      this.#settled = () => resolve(this.#counts);
      this.#settleIfOver();
    });
  }

  /** Each lease brings two events: its key is put, and deleted when it runs out. */
  #settleIfOver(): void {
    if (this.#ended === this.#begun && this.#events === 2 * this.#counts.leases) this.#settled?.();
  }

  readonly #end = (): void => {
    this.#ended += 1;
    this.#settleIfOver();
  };

  #grant(): void {
    this.#begun += 1;
    const message = (chunk: Uint8Array, from: number, to: number): void => {
      const { id } = leaseGrant.response.decode(chunk, from, to);
      this.#counts.leases += 1;
      this.#putKey(id);
    };
    const request = leaseGrant.request.encode(createLeaseGrantRequest({ ttl: ttlSeconds }));
    this.#connection.unary(leaseGrant.path, request, { message, end: this.#end });
  }

  #putKey(lease: bigint): void {
    this.#begun += 1;
    const key = byteStringFromText(`${keyPrefix}${lease.toString(16)}`);
    const request = put.request.encode(createPutRequest({ key, lease }));
    this.#connection.unary(put.path, request, { message: () => {}, end: this.#end });
  }

  #compact(): void {
    const revision = this.#compactTo();
    if (revision <= this.#compacted) return;
    this.#begun += 1;
    this.#compacted = revision;
    this.#counts.compactions += 1;
    const request = compact.request.encode(createCompactionRequest({ revision }));
    this.#connection.unary(compact.path, request, { message: () => {}, end: this.#end });
  }

  /** One at a time: where it takes longer than the interval, the next one is left out. */
  #backUp(): void {
    if (this.#isBackingUp) return;
    this.#isBackingUp = true;
    this.#begun += 1;
    this.#counts.backups += 1;
    this.#backups.read().then(() => {
      this.#isBackingUp = false;
      this.#end();
    }, this.#failed);
  }
}
