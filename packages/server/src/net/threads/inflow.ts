/**
 * What a socket thread has sent and the main thread has not read yet, of all connections. When it is much, sockets are read
 * no more until the main thread has caught up: a load that it cannot bear is held back in the system's buffers, not here.
 */

const UNREAD_BYTES_MAX = 4 * 1024 * 1024;
/** Read bytes are told to the thread by at least as many, so that it is not woken for each message. */
export const INFLOW_CREDIT_BYTES = 256 * 1024;

/** A connection that can be read on. */
export interface Held {
  readOn(): void;
}

/** One per thread. */
export class Inflow {
  #unreadBytes = 0;
  readonly #held = new Set<Held>();

  /** Whether nothing more should be read. */
  get isFull(): boolean {
    return this.#unreadBytes >= UNREAD_BYTES_MAX;
  }

  /** Has `connection` read on when there is room. */
  hold(connection: Held): void {
    this.#held.add(connection);
  }

  /** It is gone. */
  release(connection: Held): void {
    this.#held.delete(connection);
  }

  sent(byteCount: number): void {
    this.#unreadBytes += byteCount;
  }

  /** The main thread has read as many bytes. */
  read(byteCount: number): void {
    this.#unreadBytes -= byteCount;
    if (this.isFull || this.#held.size === 0) return;
    const held = [...this.#held];
    this.#held.clear();
    for (const connection of held) connection.readOn();
  }
}
