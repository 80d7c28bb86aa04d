/**
 * Hands the collected output of one connection to its socket, one write at a time. While the socket is busy, further
 * output collects behind it, so that a peer that does not read holds two buffers here at most.
 */
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { BufferPool } from "./buffer-pool.js";
import { Output } from "./output.js";

/** What the transport needs of a socket: a `net.Socket`, a `tls.TLSSocket`, or any duplex stream of bytes. */
export type TransportSocket = Duplex & {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  setNoDelay?(noDelay?: boolean): unknown;
  setKeepAlive?(enable?: boolean, initialDelayMs?: number): unknown;
  /**
   * Of a stream that is no `net.Socket`: it gives each chunk to its own `push`, and is done with a buffer once it has
   * written it.
   */
  readonly behavesAsSocket?: boolean | undefined;
  /** Writes and returns true, or does nothing and returns false if the bytes would have to wait. */
  writeAtOnce?(bytes: Buffer): boolean;
};

const NOTHING = Buffer.alloc(0);

/** One per connection. */
export class SocketWriter {
  /** What the next `flush` will write. */
  readonly output: Output;
  /** Bytes given to the socket that it has not taken yet. */
  inFlightBytes = 0;
  readonly #socket: TransportSocket;
  readonly #pool: BufferPool;
  readonly #onFree: () => void;
  /** A plain socket is done with a buffer once it has written it; other streams may keep it, so they get a copy. */
  readonly #buffersComeBack: boolean;
  #inFlight: Buffer | undefined = undefined;
  #issuedWrites = 0;
  #finishedWrites = 0;
  /** What `hasStalled` saw, and when it saw it first. */
  #seenWrites = 0;
  #seenWritesMs = 0;

  /** `onFree` is called when a write that had to wait is done and the next may follow. */
  constructor(socket: TransportSocket, pool: BufferPool, onFree: () => void) {
    this.output = new Output(pool);
    this.#socket = socket;
    this.#pool = pool;
    this.#onFree = onFree;
    this.#buffersComeBack =
      (socket instanceof Socket && !(socket instanceof TLSSocket)) || socket.behavesAsSocket === true;
  }

  /** True while a write waits for the peer. */
  get busy(): boolean {
    return this.inFlightBytes > 0;
  }

  /** True if the same write has waited for `limitMs`, as far as the calls of this method, at `nowMs` and before, can tell. */
  hasStalled(nowMs: number, limitMs: number): boolean {
    if (this.busy && this.#issuedWrites === this.#seenWrites) return nowMs - this.#seenWritesMs >= limitMs;
    this.#seenWrites = this.#issuedWrites;
    this.#seenWritesMs = nowMs;
    return false;
  }

  /** Bytes that the socket has not taken: waiting in it and behind it. */
  get backlogBytes(): number {
    return this.output.length + this.inFlightBytes;
  }

  /** Writes what was collected, unless an earlier write still waits. Output for a closed socket is dropped. */
  flush(): void {
    const length = this.output.length;
    if (length === 0 || this.inFlightBytes > 0) return;
    if (!this.#socket.writable) {
      this.output.clear();
      return;
    }
    this.#issuedWrites++;
    if (this.#buffersComeBack) this.#writeInPlace(length);
    else this.#writeCopy(length);
  }

  /** The end of our side: everything written so far goes out, then the socket is half-closed. */
  end(): void {
    this.flush();
    if (this.output.length > 0 && this.#socket.writable) this.#socket.write(this.#copyOfOutput(this.output.length));
    this.#socket.end();
  }

  #writeInPlace(length: number): void {
    const buffer = this.output.detach();
    // Without a callback: nearly always the kernel takes it all during the call, and the buffer is ours again at once.
    const bytes = buffer.subarray(0, length);
    if (this.#socket.writeAtOnce?.(bytes) !== true) this.#socket.write(bytes);
    if (this.#socket.writableLength === 0) {
      this.#pool.release(buffer);
      return;
    }
    this.#inFlight = buffer;
    this.inFlightBytes = length;
    // Adds nothing, but has its turn behind the other.
    this.#socket.write(NOTHING, this.#taken);
  }

  #writeCopy(length: number): void {
    this.#socket.write(this.#copyOfOutput(length), this.#copyWritten);
    if (this.#socket.writableLength > 0) this.inFlightBytes = length;
  }

  #copyOfOutput(length: number): Buffer {
    const copy = Buffer.from(this.output.bytes.subarray(0, length));
    this.output.clear();
    return copy;
  }

  // Functions for the life of the connection instead of a closure per write.
  readonly #taken = (): void => {
    this.inFlightBytes = 0;
    if (this.#inFlight !== undefined) this.#pool.release(this.#inFlight);
    this.#inFlight = undefined;
    this.#onFree();
  };

  // It also runs, later, for writes that were done at once; only the newest one can be the one that waits.
  readonly #copyWritten = (): void => {
    this.#finishedWrites++;
    if (this.inFlightBytes > 0 && this.#finishedWrites === this.#issuedWrites) this.#taken();
  };
}
