/**
 * A log engine in memory: see `memory-store.ts` for what it promises. Answers come in a later turn
 * of the event loop, so that callers batch as they would in front of a disk.
 */

import type {
  EngineBounds,
  EngineListener,
  EngineUsage,
  LogEngine,
  PutResult,
  SnapshotReader,
  SnapshotStore,
} from "../engine.js";
import { REFUSED, STORED, TAKEN } from "../engine.js";
import { FRAME_HEADER_BYTES } from "../entry-frame.js";
import { type LogEnvironment, realEnvironment } from "../environment.js";
import { LogClosedError, LogDamagedError, LogFolderLockedError } from "../errors.js";
import { checkedLimits, type LogLimits } from "../limits.js";
import type { MemoryStore } from "./memory-store.js";

/** How many entries are handed out in one turn of the event loop. */
const ENTRIES_PER_TURN = 64;
const NAME = "memory";

export interface MemoryEngineOptions {
  readonly limits?: Partial<LogLimits>;
  readonly environment?: LogEnvironment;
}

type State = "new" | "open" | "closed";

export class MemoryEngine implements LogEngine {
  readonly exclusive: boolean;
  readonly entryBytesMax: number;
  readonly snapshots: SnapshotStore;
  readonly #store: MemoryStore;
  readonly #environment: LogEnvironment;
  #life = 0;
  #state: State = "new";
  #done: ((result: PutResult) => void) | undefined;
  #idle: (() => void) | undefined;

  constructor(store: MemoryStore, options: MemoryEngineOptions = {}) {
    this.#store = store;
    this.#environment = options.environment ?? realEnvironment;
    this.exclusive = !store.shared;
    this.entryBytesMax = checkedLimits(options.limits).entryBytesMax + FRAME_HEADER_BYTES;
    this.snapshots = new MemorySnapshots(store, this.#environment);
  }

  get identity(): string {
    return this.#store.identity;
  }

  async open(listener: EngineListener): Promise<void> {
    if (!this.#store.attach()) throw new LogFolderLockedError(NAME, "another engine has it open");
    this.#life = this.#store.life;
    this.#state = "open";
    try {
      if (listener.snapshot !== undefined) await this.#handOver(listener.snapshot);
      await this.tail(this.#store.firstIndex, (index, bytes) => {
        const reason = listener.verify(index, bytes);
        if (reason !== undefined) throw new LogDamagedError(NAME, index, reason);
      });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  put(index: number, bytes: Uint8Array, done: (result: PutResult) => void): void {
    if (this.#done !== undefined) throw new Error("put while another one is in flight");
    this.#done = done;
    const { lastIndex } = this.#store;
    if (this.#state !== "open") this.#answerLater(REFUSED.closed);
    else if (bytes.length > this.entryBytesMax) this.#answerLater(REFUSED["too-large"]);
    else if (index > lastIndex + 1) this.#answerLater(REFUSED.gap);
    else if (index <= lastIndex) this.#answerLater(TAKEN);
    else this.#receive(index, bytes);
  }

  separateNext(): void {
    // Every entry can be discarded by itself.
  }

  async get(index: number): Promise<Uint8Array | undefined> {
    this.#assertOpen();
    const entry = this.#store.get(index);
    return entry === undefined ? undefined : Uint8Array.from(entry);
  }

  async tail(from: number, visit: (index: number, bytes: Uint8Array) => void): Promise<void> {
    this.#assertOpen();
    if (from < this.#store.firstIndex) throw new RangeError(`entry ${from} has been discarded`);
    const last = this.#store.lastIndex;
    for (let index = from; index <= last; index++) {
      const entry = this.#store.get(index);
      if (entry === undefined) throw new RangeError(`entry ${index} was discarded while it was being read`);
      visit(index, entry);
      if ((index - from) % ENTRIES_PER_TURN === ENTRIES_PER_TURN - 1) await this.#turn();
    }
  }

  bounds(): EngineBounds {
    return { first: this.#store.firstIndex, last: this.#store.lastIndex };
  }

  async trim(keepFrom: number): Promise<void> {
    this.#assertOpen();
    this.#store.discardBefore(keepFrom);
  }

  usage(): EngineUsage {
    return { bytesOnDisk: this.#store.bytesHeld, bytesReserved: 0, appendWay: "memory" };
  }

  async close(): Promise<void> {
    if (this.#state !== "open") return;
    this.#state = "closed";
    if (this.#done !== undefined && this.#alive) await new Promise<void>((resolve) => (this.#idle = resolve));
    if (this.#alive) this.#store.detach();
  }

  get #alive(): boolean {
    return this.#life === this.#store.life;
  }

  async #handOver(reader: SnapshotReader): Promise<void> {
    const [newest] = this.snapshots.list();
    if (newest === undefined) return;
    reader.begin(newest);
    for await (const chunk of this.snapshots.read(newest)) reader.chunk(chunk);
  }

  #receive(index: number, bytes: Uint8Array): void {
    const entry = this.#store.receive(index, bytes);
    this.#environment.defer(() => {
      if (this.#alive) this.#answer(this.#store.land(entry) ? STORED : TAKEN);
    });
  }

  #answerLater(result: PutResult): void {
    this.#environment.defer(() => {
      if (this.#alive || this.#state !== "open") this.#answer(result);
    });
  }

  #answer(result: PutResult): void {
    const done = this.#done!;
    this.#done = undefined;
    done(result);
    this.#idle?.();
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#environment.defer(resolve));
  }

  #assertOpen(): void {
    if (this.#state !== "open") throw new LogClosedError();
  }
}

class MemorySnapshots implements SnapshotStore {
  readonly #store: MemoryStore;
  readonly #environment: LogEnvironment;

  constructor(store: MemoryStore, environment: LogEnvironment) {
    this.#store = store;
    this.#environment = environment;
  }

  list(): readonly number[] {
    return [...this.#store.snapshots.keys()].sort((a, b) => b - a);
  }

  nameOf(index: number): string {
    return `${NAME} snapshot ${index}`;
  }

  async write(index: number, chunks: Iterable<Uint8Array>): Promise<void> {
    const { life } = this.#store;
    const kept: Uint8Array[] = [];
    for (const chunk of chunks) {
      kept.push(Uint8Array.from(chunk));
      await new Promise<void>((resolve) => this.#environment.defer(resolve));
      if (life !== this.#store.life) throw new LogClosedError();
    }
    this.#store.snapshots.set(index, kept);
  }

  async *read(index: number): AsyncIterable<Uint8Array> {
    const chunks = this.#store.snapshots.get(index);
    if (chunks === undefined) throw new RangeError(`there is no snapshot ${index}`);
    for (const chunk of chunks) yield Uint8Array.from(chunk);
  }

  async prune(keep: number): Promise<void> {
    for (const index of this.list().slice(keep)) this.#store.snapshots.delete(index);
  }
}
