/** A client's connection in the socket thread that owns it: what the main thread sees of it is a `FarSocket`. */
import type { Socket } from "node:net";
import { CREDIT_STEP_BYTES } from "./far-socket.js";
import type { Held, Inflow } from "./inflow.js";
import { BYTES, CLOSED, ENDED, FINISHED, OPENED, type RecordWriter } from "./records.js";

/** Bytes of one connection under way to the main thread, or waiting there; then its client is not read any more. */
const TO_MAIN_BYTES_MAX = 64 * 1024;
const NOTHING = Buffer.alloc(0);

export class NearSocket implements Held {
  readonly #socket: Socket;
  readonly #connection: number;
  readonly #out: RecordWriter;
  readonly #inflow: Inflow;
  #underWayBytes = 0;
  #uncreditedBytes = 0;

  /** Tells the main thread of it and begins to read. `onClosed` is called once. */
  constructor(connection: number, socket: Socket, out: RecordWriter, inflow: Inflow, onClosed: () => void) {
    this.#socket = socket;
    this.#connection = connection;
    this.#out = out;
    this.#inflow = inflow;
    const { remoteAddress: address = "", remotePort: port = 0 } = socket;
    out.add(OPENED, connection, Buffer.from(JSON.stringify({ address, port })));
    socket.on("error", ignoreError);
    socket.on("data", this.#read);
    socket.on("end", () => out.add(ENDED, connection));
    socket.on("close", () => {
      inflow.release(this);
      out.add(CLOSED, connection);
      onClosed();
    });
  }

  /** Sends bytes to the client. What it does not take is credited only when it does. */
  write(bytes: Buffer): void {
    this.#socket.write(bytes);
    this.#uncreditedBytes += bytes.length;
    if (this.#uncreditedBytes < CREDIT_STEP_BYTES) return;
    const count = this.#uncreditedBytes;
    this.#uncreditedBytes = 0;
    if (this.#socket.writableLength === 0) this.#out.addCredit(this.#connection, count);
    // Adds nothing, but has its turn behind the others.
    else this.#socket.write(NOTHING, () => this.#out.addCredit(this.#connection, count));
  }

  /** The main thread has taken as many bytes. */
  credited(byteCount: number): void {
    this.#underWayBytes -= byteCount;
    if (this.#socket.isPaused()) this.readOn();
  }

  readOn(): void {
    if (this.#underWayBytes >= TO_MAIN_BYTES_MAX) return;
    if (this.#inflow.isFull) this.#inflow.hold(this);
    else this.#socket.resume();
  }

  /** Half-closes behind all that was written. */
  end(): void {
    this.#socket.end(() => this.#out.add(FINISHED, this.#connection));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  readonly #read = (bytes: Buffer): void => {
    this.#out.add(BYTES, this.#connection, bytes);
    this.#underWayBytes += bytes.length;
    if (this.#underWayBytes < TO_MAIN_BYTES_MAX && !this.#inflow.isFull) return;
    this.#socket.pause();
    this.readOn();
  };
}

/** Errors of a socket are followed by its close. A missing listener would end the thread. */
function ignoreError(): void {}
