/** Walks the keys of a store in key order, page by page. */
import { type ByteString, byteStringFromText, type Connection, type KeyValue, kvService } from "@holdfast/client";
import { importLimits } from "./limits.js";

/** An interval of keys, as in a RangeRequest. */
export interface KeyRange {
  readonly key: ByteString;
  readonly rangeEnd: ByteString;
}

const zero = "\0" as ByteString;

/** All keys that begin with `prefix`, which is text; all keys there are if it is empty. */
export function rangeOfPrefix(prefix: string): KeyRange {
  const key = byteStringFromText(prefix);
  // UTF-8 has no byte 0xff, so the last one can always be raised.
  const last = key.length - 1;
  if (last < 0) return { key: zero, rangeEnd: zero };
  return { key, rangeEnd: (key.slice(0, last) + String.fromCharCode(key.charCodeAt(last) + 1)) as ByteString };
}

export interface CursorOptions {
  readonly range: KeyRange;
  /** Leaves the values away. Default false. */
  readonly keysOnly?: boolean;
  /** The revision to read; 0 is the one of the first page (`pinned`) or of each page (otherwise). */
  readonly revision?: number;
  /** Whether all pages show one revision. */
  readonly pinned: boolean;
}

export class KeyCursor {
  readonly #connection: Connection;
  readonly #options: CursorOptions;
  #page: readonly KeyValue[] = [];
  #at = 0;
  #from: ByteString;
  #more = true;
  #limit: number = importLimits.pageKeysFirst;
  #revision: number;
  #clusterId = 0n;
  #count = 0;

  constructor(connection: Connection, options: CursorOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#from = options.range.key;
    this.#revision = options.revision ?? 0;
  }

  /** The key it stands on; undefined if `load` has to be called, or behind the last. */
  get current(): KeyValue | undefined {
    return this.#page[this.#at];
  }

  /** The revision that is read, once a page was; meaningful if it is pinned. */
  get revision(): number {
    return this.#revision;
  }

  /** Of whoever gave the first page. */
  get clusterId(): bigint {
    return this.#clusterId;
  }

  /** How many keys there were in the range at the first page. */
  get count(): number {
    return this.#count;
  }

  next(): void {
    this.#at += 1;
  }

  /** Makes `current` the next key if there is one. Throws `EtcdError`. */
  async load(): Promise<void> {
    if (!this.#more || this.current !== undefined) return;
    const { range, keysOnly = false, pinned } = this.#options;
    const { kvs, more, header, count } = await this.#connection.call(kvService.methods.range, {
      key: this.#from,
      rangeEnd: range.rangeEnd,
      limit: this.#limit,
      keysOnly,
      revision: this.#revision,
    });
    if (this.#from === range.key) this.#count = count;
    if (pinned && this.#revision === 0) this.#revision = header?.revision ?? 0;
    this.#clusterId = header?.clusterId ?? 0n;
    this.#page = kvs;
    this.#at = 0;
    const last = kvs.at(-1);
    this.#more = more && last !== undefined;
    if (last === undefined) return;
    this.#from = (last.key + zero) as ByteString;
    this.#limit = nextLimit(kvs);
  }
}

/** As many keys as should fill the next page, but not many more than this one had: the next values may be longer. */
function nextLimit(kvs: readonly KeyValue[]): number {
  const bytes = kvs.reduce((sum, { key, value }) => sum + key.length + value.length, 1);
  const fitting = Math.floor((kvs.length * importLimits.pageBytes) / bytes);
  return Math.max(1, Math.min(fitting, 4 * kvs.length, importLimits.pageKeysMax));
}

/** Called with a key of the source, of the target, or the same key of both. */
export type PairVisitor = (source: KeyValue | undefined, target: KeyValue | undefined) => Promise<void> | undefined;

/** Walks both ends side by side. */
export async function mergeKeys(source: KeyCursor, target: KeyCursor, visit: PairVisitor): Promise<void> {
  for (;;) {
    if (source.current === undefined) await source.load();
    if (target.current === undefined) await target.load();
    const here = source.current;
    const there = target.current;
    if (here === undefined && there === undefined) return;
    const takeSource = here !== undefined && (there === undefined || here.key <= there.key);
    const takeTarget = there !== undefined && (here === undefined || there.key <= here.key);
    if (takeSource) source.next();
    if (takeTarget) target.next();
    const done = visit(takeSource ? here : undefined, takeTarget ? there : undefined);
    if (done !== undefined) await done;
  }
}
