/**
 * The open streams of one connection by id. Ids are given out in sequence and most streams are short, so a small array
 * indexed by the low bits nearly always has the one that is asked for; a `Map` alone costs three times as much, because
 * its inserting and deleting makes it rebuild itself all the time.
 */

const SLOTS_MIN = 16;
/** Room for four times as many streams as are open keeps neighbours apart. */
const SLOTS_PER_STREAM = 4;

/** What the table needs to know of a stream. */
interface Identified {
  readonly id: number;
}

export class StreamTable<Stream extends Identified> {
  #slots: (Stream | undefined)[] = emptySlots(SLOTS_MIN);
  /** Streams whose slot was taken by an older one; usually there are none. */
  #others: Map<number, Stream> | undefined = undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: number): Stream | undefined {
    const stream = this.#slots[(id >>> 1) & (this.#slots.length - 1)];
    if (stream !== undefined && stream.id === id) return stream;
    return this.#others?.get(id);
  }

  /** Adds a stream whose id is not in the table. */
  add(stream: Stream): void {
    this.#size++;
    if (this.#place(stream)) return;
    if (this.#size * SLOTS_PER_STREAM > this.#slots.length) this.#enlarge();
    if (!this.#place(stream)) this.#addOther(stream);
  }

  /** True if the stream was there. */
  delete(stream: Stream): boolean {
    const slot = (stream.id >>> 1) & (this.#slots.length - 1);
    if (this.#slots[slot] === stream) this.#slots[slot] = undefined;
    else if (!this.#deleteOther(stream.id)) return false;
    this.#size--;
    return true;
  }

  /** The streams open now, in no particular order; a list of its own, which further changes leave alone. */
  list(): Stream[] {
    if (this.#size === 0) return [];
    const inSlots = this.#slots.filter((stream) => stream !== undefined);
    return this.#others === undefined ? inSlots : [...inSlots, ...this.#others.values()];
  }

  clear(): void {
    this.#slots = emptySlots(SLOTS_MIN);
    this.#others = undefined;
    this.#size = 0;
  }

  #place(stream: Stream): boolean {
    const slot = (stream.id >>> 1) & (this.#slots.length - 1);
    if (this.#slots[slot] !== undefined) return false;
    this.#slots[slot] = stream;
    return true;
  }

  #enlarge(): void {
    const streams = this.list();
    this.#slots = emptySlots(this.#slots.length * 2);
    this.#others = undefined;
    for (const stream of streams) if (!this.#place(stream)) this.#addOther(stream);
  }

  #addOther(stream: Stream): void {
    this.#others ??= new Map();
    this.#others.set(stream.id, stream);
  }

  #deleteOther(id: number): boolean {
    const isThere = this.#others?.delete(id) ?? false;
    if (this.#others?.size === 0) this.#others = undefined;
    return isThere;
  }
}

function emptySlots<Stream>(count: number): (Stream | undefined)[] {
  return new Array<Stream | undefined>(count).fill(undefined);
}
