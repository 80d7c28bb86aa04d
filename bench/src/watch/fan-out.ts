/**
 * Watchers that stand and writes that they must hear of: counts every event of every watcher, and times each from the
 * moment its write was sent, all on the clock of one thread.
 *
 * A write counts as in flight until the last of its events has come, so that no backlog grows which would be measured as
 * latency.
 */

import { byteStringFromText, kvService, type WatchResponse } from "@holdfast/protocol";
import type { CallListener } from "../driver/driver-connection.js";
import { Latencies } from "../latencies.js";
import type { Connections } from "../load/connections.js";
import { keyOf } from "../load/keys.js";
import type { RoundDone } from "../load/round-done.js";
import { WatcherStream, type WatchListener } from "./watcher-stream.js";

/** Who watches what, and how it is written to. */
export interface FanOutPlan {
  readonly watchers: number;
  readonly watchersPerStream: number;
  /** One key that all watch, or one for each. */
  readonly keys: "shared" | "own";
  readonly writesInFlight: number;
}

const { path, request } = kvService.methods.put;
const valueBytes = 128;
/** More than are ever in flight; a power of two. */
const writesRemembered = 2 ** 16;
const createdWithinMs = 60_000;
const deliveredWithinMs = 60_000;

export class FanOut implements CallListener {
  readonly #plan: FanOutPlan;
  readonly #connections: Connections;
  readonly #streams: WatcherStream[] = [];
  /** The write of each key, encoded. */
  readonly #writes: readonly Uint8Array[];
  /** Of each watcher. */
  readonly #seen: Uint32Array;
  readonly #lastRevisions: Float64Array;
  /** Of each write, by its number modulo `writesRemembered`. */
  readonly #sentAtMs = new Float64Array(writesRemembered);
  readonly #outstanding = new Int32Array(writesRemembered);
  #written = 0;
  #inFlight = 0;
  #events = 0;
  #latencies = new Latencies();
  #stopAtMs = 0;
  #done: (() => void) | undefined;

  /** The last connection writes, the others watch. */
  constructor(connections: Connections, plan: FanOutPlan) {
    this.#plan = plan;
    this.#connections = connections;
    const value = new Uint8Array(valueBytes).fill("v".charCodeAt(0));
    this.#writes = Array.from({ length: plan.keys === "shared" ? 1 : plan.watchers }, (_, number) =>
      request.encode(request.create({ key: byteStringFromText(keyOf(number)), value })),
    );
    this.#seen = new Uint32Array(plan.watchers);
    this.#lastRevisions = new Float64Array(plan.watchers);
  }

  /** Opens all streams; resolves when every watcher stands. */
  async watch(): Promise<void> {
    const { watchers, watchersPerStream } = this.#plan;
    const created: Promise<void>[] = [];
    for (let first = 0; first < watchers; first += watchersPerStream) {
      created.push(new Promise((resolve) => this.#openStream(first, resolve)));
    }
    await this.#connections.during("creating the watchers", createdWithinMs, Promise.all(created));
  }

  #openStream(first: number, created: () => void): void {
    const { watchers, watchersPerStream, keys } = this.#plan;
    const count = Math.min(watchersPerStream, watchers - first);
    const watched = Array.from({ length: count }, (_, index) => ({
      key: keyOf(keys === "shared" ? 0 : first + index),
    }));
    const listener: WatchListener = {
      created,
      events: (watcher, count) => this.#delivered(first + watcher, count),
      sample: (watcher, response) => this.#check(first + watcher, response),
    };
    const number = this.#streams.length % (this.#connections.all.length - 1);
    this.#streams.push(new WatcherStream(this.#connections.at(number), watched, listener));
  }

  /**
   * Writes for so long, then waits for what is outstanding. The operations are events, their durations counted from sending
   * the write. @throws Error (rejects) when any event is missing.
   */
  async run(seconds: number): Promise<RoundDone> {
    this.#latencies = new Latencies();
    this.#events = 0;
    const startMs = performance.now();
    this.#stopAtMs = startMs + seconds * 1000;
    const done = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    for (let number = 0; number < this.#plan.writesInFlight; number += 1) this.#write();
    await this.#connections.during("delivering all events", seconds * 1000 + deliveredWithinMs, done);
    const elapsedSeconds = (performance.now() - startMs) / 1000;
    this.#checkCounts();
    return { operations: this.#events, seconds: elapsedSeconds, latencies: this.#latencies };
  }

  close(): void {
    for (const stream of this.#streams) stream.cancel();
  }

  #write(): void {
    const number = this.#written++;
    const slot = number % writesRemembered;
    this.#inFlight += 1;
    this.#outstanding[slot] = this.#plan.keys === "shared" ? this.#plan.watchers : 1;
    this.#sentAtMs[slot] = performance.now();
    const write = this.#writes[number % this.#writes.length];
    if (write !== undefined) this.#connections.at(this.#connections.all.length - 1).unary(path, write, this);
  }

  /** The answers of writes; that their status is OK the connection has seen. */
  message(): void {}
  end(): void {}

  #delivered(watcher: number, count: number): void {
    const nowMs = performance.now();
    for (let event = 0; event < count; event += 1) this.#deliveredOne(watcher, nowMs);
  }

  #deliveredOne(watcher: number, nowMs: number): void {
    const seen = this.#seen[watcher]!++;
    // A key's writes are numbered like its watcher's events: by turns where each has its own.
    const number = this.#plan.keys === "shared" ? seen : seen * this.#plan.watchers + watcher;
    const slot = number % writesRemembered;
    if (number >= this.#written || this.#outstanding[slot] === 0) throw new Error("an event of no write");
    this.#events += 1;
    this.#latencies.add(nowMs - this.#sentAtMs[slot]!);
    if (--this.#outstanding[slot]! > 0) return;
    this.#inFlight -= 1;
    if (nowMs < this.#stopAtMs) this.#write();
    else if (this.#inFlight === 0) this.#done?.();
  }

  /** A key's version counts its writes: it shows that none was left out or told twice; revisions, that they are in order. */
  #check(watcher: number, { events }: WatchResponse): void {
    let version = this.#seen[watcher] ?? 0;
    for (const { kv } of events) {
      version += 1;
      const last = this.#lastRevisions[watcher] ?? 0;
      if (kv?.version !== version || kv.modRevision <= last) {
        throw new Error(`watcher ${watcher} was told version ${kv?.version} at ${kv?.modRevision}, not ${version}`);
      }
      this.#lastRevisions[watcher] = kv.modRevision;
    }
  }

  /** Every watcher has seen exactly the writes of its key. */
  #checkCounts(): void {
    const { keys, watchers } = this.#plan;
    this.#seen.forEach((seen, watcher) => {
      const due = keys === "shared" ? this.#written : Math.floor((this.#written + watchers - 1 - watcher) / watchers);
      if (seen !== due) throw new Error(`watcher ${watcher} saw ${seen} events of ${due}`);
    });
  }
}
