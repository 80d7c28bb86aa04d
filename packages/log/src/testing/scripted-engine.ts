/**
 * An engine between a log and a memory engine that answers some puts as a network would: not at all,
 * too late, or with doubt. Each put takes the next line of the script; when that has run out, puts go
 * straight through.
 */

import type { EngineListener, LogEngine, PutRefusal, PutResult } from "../engine.js";

export type Line =
  /** The entry is stored, the answer is lost. */
  | "stored, answer lost"
  /** The entry is lost, and nobody knows. */
  | "lost"
  /** The entry is stored only when `deliver` is called; the answer is doubtful at once. */
  | "on its way"
  /** Goes straight through, once what was on its way has arrived. */
  | "after delivery"
  /** Refused for this reason, whatever happened before. */
  | PutRefusal;

const DOUBT: PutResult = { fate: "ambiguous", cause: new Error("connection reset") };

export class ScriptedEngine implements LogEngine {
  readonly script: Line[] = [];
  /** As many of the next reads fail. */
  failingGets = 0;
  puts = 0;
  readonly #engine: LogEngine;
  #listener: EngineListener | undefined;
  readonly #onTheirWay: (() => Promise<void>)[] = [];

  constructor(engine: LogEngine) {
    this.#engine = engine;
  }

  get identity(): string {
    return this.#engine.identity;
  }

  get exclusive(): boolean {
    return this.#engine.exclusive;
  }

  get entryBytesMax(): number {
    return this.#engine.entryBytesMax;
  }

  get snapshots() {
    return this.#engine.snapshots;
  }

  open(listener: EngineListener): Promise<void> {
    this.#listener = listener;
    return this.#engine.open(listener);
  }

  /** The engine fails for good. */
  fail(error: Error): void {
    this.#listener!.failed(error);
  }

  /** What was on its way arrives. */
  async deliver(): Promise<void> {
    for (const entry of this.#onTheirWay.splice(0)) await entry();
  }

  put(index: number, bytes: Uint8Array, done: (result: PutResult) => void): void {
    this.puts += 1;
    const line = this.script.shift();
    const copy = Uint8Array.from(bytes);
    const store = () => new Promise<void>((resolve) => this.#engine.put(index, copy, () => resolve()));
    switch (line) {
      case undefined:
        this.#engine.put(index, bytes, done);
        return;
      case "stored, answer lost":
        store().then(() => done(DOUBT));
        return;
      case "on its way":
        this.#onTheirWay.push(store);
        setImmediate(() => done(DOUBT));
        return;
      case "after delivery":
        this.deliver().then(() => this.#engine.put(index, copy, done));
        return;
      case "lost":
        setImmediate(() => done(DOUBT));
        return;
      default:
        setImmediate(() => done({ fate: "refused", why: line }));
    }
  }

  separateNext(): void {
    this.#engine.separateNext();
  }

  async get(index: number): Promise<Uint8Array | undefined> {
    if (this.failingGets > 0) {
      this.failingGets -= 1;
      throw new Error("no connection");
    }
    return this.#engine.get(index);
  }

  tail(from: number, visit: (index: number, bytes: Uint8Array) => void): Promise<void> {
    return this.#engine.tail(from, visit);
  }

  bounds() {
    return this.#engine.bounds();
  }

  trim(keepFrom: number): Promise<void> {
    return this.#engine.trim(keepFrom);
  }

  usage() {
    return this.#engine.usage();
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}
