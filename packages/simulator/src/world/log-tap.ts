/** Listens to a server's log: takes down every entry when it is first known to be stored, and notes contradictions. */
import type { AppendResult, Log, LogEntry, LogReader } from "@holdfast/log";
import { ForwardingLog } from "@holdfast/server";
import type { StoredEntry } from "../history/history.js";
import type { Moment } from "../history/moment.js";

/** All entries that any life of the server knew to be stored. */
export class EntryBook {
  readonly contradictions: string[] = [];
  readonly #moment: () => Moment;
  readonly #byIndex = new Map<number, StoredEntry>();

  constructor(moment: () => Moment) {
    this.#moment = moment;
  }

  /** Ascending by index. */
  entries(): StoredEntry[] {
    return [...this.#byIndex.values()].sort((a, b) => a.index - b.index);
  }

  get size(): number {
    return this.#byIndex.size;
  }

  add({ index, epoch, payload }: LogEntry, how: string): void {
    const known = this.#byIndex.get(index);
    if (known === undefined) {
      this.#byIndex.set(index, { index, epoch, payload: Uint8Array.from(payload), at: this.#moment() });
    } else if (known.epoch !== epoch || Buffer.compare(known.payload, payload) !== 0) {
      this.contradictions.push(`entry ${index} of epoch ${epoch} was ${how} with other bytes than before`);
    }
  }
}

/** Listens to what a log hands over while it is opened, which counts once it is open. */
export class TappedReader implements LogReader {
  readonly #reader: LogReader;
  #entries: LogEntry[] = [];

  constructor(reader: LogReader) {
    this.#reader = reader;
  }

  begin(index: number): void {
    this.#entries = [];
    this.#reader.begin(index);
  }

  chunk(bytes: Uint8Array): void {
    this.#reader.chunk(bytes);
  }

  entry(entry: LogEntry): void {
    this.#entries.push({ ...entry, payload: Uint8Array.from(entry.payload) });
    this.#reader.entry(entry);
  }

  /** The log is open: takes down what was handed over. */
  opened(book: EntryBook): void {
    for (const entry of this.#entries) book.add(entry, "read");
    this.#entries = [];
  }
}

/** What a life's log has to tell. */
export interface TapListener {
  /** The entry at this index is stored; it is applied in this turn. */
  appended(result: AppendResult): void;
  snapshotWritten(index: number, error: unknown): void;
}

export class TappedLog extends ForwardingLog {
  readonly #book: EntryBook;
  readonly #isAlive: () => boolean;
  readonly #listener: TapListener;

  constructor(log: Log, book: EntryBook, isAlive: () => boolean, listener: TapListener) {
    super(log);
    this.#book = book;
    this.#isAlive = isAlive;
    this.#listener = listener;
  }

  override replay(afterIndex: number, visit: (entry: LogEntry) => void): Promise<void> {
    return this.log.replay(afterIndex, (entry) => {
      if (this.#isAlive()) this.#book.add(entry, "read");
      visit(entry);
    });
  }

  override append(payload: Uint8Array, done: (result: AppendResult) => void): void {
    const copy = Uint8Array.from(payload);
    this.log.append(payload, (result) => {
      if (!this.#isAlive()) return;
      if (result.fate === "stored")
        this.#book.add({ index: result.index, epoch: this.log.epoch, payload: copy }, "stored");
      this.#listener.appended(result);
      done(result);
    });
  }

  override async writeSnapshot(index: number, chunks: Iterable<Uint8Array>): Promise<void> {
    try {
      await this.log.writeSnapshot(index, chunks);
      this.#listener.snapshotWritten(index, undefined);
    } catch (error) {
      this.#listener.snapshotWritten(index, error);
      throw error;
    }
  }
}
