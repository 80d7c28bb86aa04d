/** One call of a `DriverConnection`: its messages put together, its windows, and whether its answer is a right one. */
import type { AnswerHead } from "./answer-heads.js";
import { MessageReader } from "./message-reader.js";
import type { SendingStream } from "./send-queue.js";

/** What a call's owner is told. A unary call: one message, then the end. */
export interface CallListener {
  /** The message `chunk[from, to)`, valid only during this call. */
  message(chunk: Uint8Array, from: number, to: number): void;
  /** The call is over. Of a unary call only told with status 0; any other ends the load. */
  end(status: number, text: string): void;
}

export class DriverCall implements SendingStream {
  readonly id: number;
  readonly path: string;
  sendWindowBytes: number;
  /** Since the window was last made whole. */
  receivedBytes = 0;
  isEnded = false;
  readonly #listener: CallListener;
  readonly #isUnary: boolean;
  readonly #reader = new MessageReader();
  #messages = 0;

  constructor(id: number, path: string, sendWindowBytes: number, listener: CallListener, isUnary: boolean) {
    this.id = id;
    this.path = path;
    this.sendWindowBytes = sendWindowBytes;
    this.#listener = listener;
    this.#isUnary = isUnary;
  }

  /** Takes what one DATA frame brought. @throws Error for what no gRPC server sends. */
  data(chunk: Uint8Array, from: number, to: number): void {
    this.#reader.take(chunk, from, to, this);
  }

  /** Takes one whole message. */
  message(chunk: Uint8Array, from: number, to: number): void {
    this.#messages++;
    this.#listener.message(chunk, from, to);
  }

  /** Takes the trailers. @throws Error when they, or the number of messages, are not those of a complete answer. */
  finish(head: AnswerHead): void {
    if (head.grpcStatus < 0) throw new Error(`${this.path}: the answer ends without a gRPC status`);
    if (this.#reader.isInside) throw new Error(`${this.path}: the answer ends inside a message`);
    if (this.#isUnary && head.grpcStatus !== 0) {
      throw new Error(`${this.path}: gRPC status ${head.grpcStatus}: ${head.grpcMessage}`);
    }
    if (this.#isUnary && this.#messages !== 1) throw new Error(`${this.path}: ${this.#messages} messages, not one`);
    this.#listener.end(head.grpcStatus, head.grpcMessage);
  }
}
