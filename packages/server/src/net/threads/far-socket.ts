/**
 * A client's connection as the main thread sees it when a socket thread owns it: a stream of bytes like the socket itself.
 *
 * Either side may have so many bytes under way to the other, and is given credit for more as they are taken. So who does
 * not read holds back who writes, as on a socket.
 */
import { Duplex } from "node:stream";
import { BYTES, CLOSED, ENDED, type RecordWriter } from "./records.js";

/** Bytes under way to a thread for one connection; of what its client does not read, no more waits in the thread. */
const TO_THREAD_BYTES_MAX = 32 * 1024;
/** Taken bytes are credited by at least as many, since a credit costs nearly as much as a small call. */
export const CREDIT_STEP_BYTES = 8 * 1024;

/** Whose connection it is. */
export interface FarPeer {
  readonly address: string;
  readonly port: number;
}

export class FarSocket extends Duplex {
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** What is written is copied, and what comes is pushed: the transport's short ways hold. */
  readonly behavesAsSocket = true;
  bytesRead = 0;
  readonly #connection: number;
  readonly #out: RecordWriter;
  #sentBytes = 0;
  #underWayBytes = 0;
  /** What waits for credit, and who is told when it has left. */
  #waiting: Buffer | undefined = undefined;
  #onTaken: ((error?: Error) => void) | undefined = undefined;
  #onFinished: (() => void) | undefined = undefined;
  #uncreditedBytes = 0;
  #isGone = false;

  constructor(connection: number, peer: FarPeer, out: RecordWriter) {
    super({ allowHalfOpen: false, decodeStrings: true });
    this.#connection = connection;
    this.#out = out;
    this.remoteAddress = peer.address;
    this.remotePort = peer.port;
  }

  /** With what still waits for credit. */
  get bytesWritten(): number {
    return this.#sentBytes + this.writableLength;
  }

  /** Ends the stream, and destroys it when all has left. */
  destroySoon(): void {
    this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** The thread has it set, as on every socket of a listener. */
  setNoDelay(): this {
    return this;
  }

  /** The thread has it set, for all with the same time. */
  setKeepAlive(): this {
    return this;
  }

  /** Bytes have come from the client. */
  received(bytes: Buffer): void {
    this.bytesRead += bytes.length;
    this.#uncreditedBytes += bytes.length;
    if (this.push(bytes)) this.#giveCredit();
  }

  /** The client has half-closed. */
  ended(): void {
    this.push(null);
  }

  /** The thread has taken as many bytes. */
  credited(byteCount: number): void {
    this.#underWayBytes -= byteCount;
    if (this.#waiting !== undefined) this.#sendWaiting(this.#waiting);
  }

  /** All that was written has left. */
  finished(): void {
    this.#onFinished?.();
    this.#onFinished = undefined;
  }

  /** There is no such connection any more. */
  gone(): void {
    this.#isGone = true;
    this.destroy();
  }

  /** As `write`, past the machinery of streams, which is a tenth of what a small answer costs here. */
  writeAtOnce(bytes: Buffer): boolean {
    const isLate = this.writableLength > 0 || !this.writable;
    if (isLate || this.#underWayBytes + bytes.length > TO_THREAD_BYTES_MAX) return false;
    this.#send(bytes);
    return true;
  }

  override _read(): void {
    this.#giveCredit();
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, onTaken: (error?: Error | null) => void): void {
    if (this.#underWayBytes + bytes.length > TO_THREAD_BYTES_MAX) {
      this.#onTaken = onTaken;
      this.#sendWaiting(bytes);
      return;
    }
    this.#send(bytes);
    onTaken();
  }

  override _final(onFinished: () => void): void {
    this.#onFinished = onFinished;
    this.#out.add(ENDED, this.#connection);
  }

  override _destroy(error: Error | null, onDestroyed: (error?: Error | null) => void): void {
    if (!this.#isGone) this.#out.add(CLOSED, this.#connection);
    this.#waiting = undefined;
    onDestroyed(error);
  }

  #sendWaiting(bytes: Buffer): void {
    const count = Math.min(bytes.length, TO_THREAD_BYTES_MAX - this.#underWayBytes);
    if (count > 0) this.#send(bytes.subarray(0, count));
    this.#waiting = count < bytes.length ? bytes.subarray(count) : undefined;
    if (this.#waiting !== undefined) return;
    const onTaken = this.#onTaken;
    this.#onTaken = undefined;
    onTaken?.();
  }

  #send(bytes: Buffer): void {
    this.#out.add(BYTES, this.#connection, bytes);
    this.#underWayBytes += bytes.length;
    this.#sentBytes += bytes.length;
  }

  #giveCredit(): void {
    if (this.#uncreditedBytes < CREDIT_STEP_BYTES) return;
    this.#out.addCredit(this.#connection, this.#uncreditedBytes);
    this.#uncreditedBytes = 0;
  }
}
