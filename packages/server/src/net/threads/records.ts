/**
 * What the main thread and a socket thread say to each other: records, many of them in one message. A message between
 * threads costs as much as a small call, so all records of one turn of the event loop leave together.
 *
 * One record: connection (4 octets), kind (1), length (4), and as many octets; numbers little-endian.
 */

/** Thread to main: a client has connected. Its address and port, as JSON. */
export const OPENED = 1;
/** Both ways: bytes of the connection. */
export const BYTES = 2;
/**
 * Both ways: as many bytes (a number of 4 octets) have been taken, so that as many more may come. To the thread, connection
 * 0: as many bytes of messages have been read.
 */
export const CREDIT = 3;
/** To the thread: no bytes follow, half-close. From it: the client has half-closed. */
export const ENDED = 4;
/** Thread to main: all that came before `ENDED` has left. */
export const FINISHED = 5;
/** Both ways: the connection is gone, or must go at once. */
export const CLOSED = 6;
/** Thread to main, connection 0: it listens. */
export const LISTENING = 7;
/** To the thread, connection 0: accept no more. */
export const STOP = 8;
/** Thread to main, connection 0: a connection could not be accepted; the reason as text. */
export const ACCEPT_FAILED = 9;

const HEAD_BYTES = 9;
const FIRST_BYTES = 64 * 1024;
const NOTHING = new Uint8Array(0);

/** Takes the records of a message. The bytes are the message's own: nobody changes them afterwards. */
export interface RecordTarget {
  record(kind: number, connection: number, bytes: Buffer): void;
}

/**
 * Collects records until `flush`, which `later` was asked for with the first of them, and no more than fit into the buffer,
 * or one. So neither the sum of a turn's bytes lies here, nor does a record that somebody keeps keep many others.
 */
export class RecordWriter {
  readonly #send: (message: ArrayBuffer) => void;
  readonly #later: (flush: () => void) => void;
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;
  #asked = false;

  constructor(send: (message: ArrayBuffer) => void, later: (flush: () => void) => void) {
    this.#send = send;
    this.#later = later;
  }

  /** Adds a record; `bytes` are copied. */
  add(kind: number, connection: number, bytes: Uint8Array = NOTHING): void {
    const at = this.#reserve(HEAD_BYTES + bytes.length);
    this.#bytes.writeUInt32LE(connection, at);
    this.#bytes[at + 4] = kind;
    this.#bytes.writeUInt32LE(bytes.length, at + 5);
    this.#bytes.set(bytes, at + HEAD_BYTES);
  }

  /** Adds a `CREDIT`. */
  addCredit(connection: number, byteCount: number): void {
    const at = this.#reserve(HEAD_BYTES + 4);
    this.#bytes.writeUInt32LE(connection, at);
    this.#bytes[at + 4] = CREDIT;
    this.#bytes.writeUInt32LE(4, at + 5);
    this.#bytes.writeUInt32LE(byteCount, at + HEAD_BYTES);
  }

  #reserve(count: number): number {
    if (this.#length > 0 && this.#length + count > FIRST_BYTES) this.#flush();
    if (this.#length === 0 && !this.#asked) this.#later(this.#flushLate);
    this.#asked = true;
    const at = this.#length;
    this.#length = at + count;
    if (this.#length > this.#bytes.length) this.#grow(at);
    return at;
  }

  #grow(used: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#length, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, used);
    this.#bytes = larger;
  }

  #flush(): void {
    // A copy of just its size is given away: the other side keeps views of it for as long as it likes.
    const message = new ArrayBuffer(this.#length);
    new Uint8Array(message).set(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    if (this.#bytes.length > 2 * FIRST_BYTES) this.#bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.#send(message);
  }

  readonly #flushLate = (): void => {
    this.#asked = false;
    if (this.#length > 0) this.#flush();
  };
}

/** Hands the records of `message` to `target`, in order. */
export function readRecords(message: ArrayBuffer, target: RecordTarget): void {
  const bytes = Buffer.from(message);
  for (let at = 0; at < bytes.length; ) {
    const start = at + HEAD_BYTES;
    const end = start + bytes.readUInt32LE(at + 5);
    target.record(bytes[at + 4] as number, bytes.readUInt32LE(at), bytes.subarray(start, end));
    at = end;
  }
}
