// One streaming call as a test reads it: messages are awaited one by one, and the final status is awaited like them.

import type { ClientDuplexStream, ClientReadableStream, StatusObject } from "@grpc/grpc-js";

/** The readable side of a streaming call. Messages that nobody awaits yet are kept in order. */
export class MessageStream<Request, Response> {
  /** Resolves with the final status, OK or not; never rejects. */
  readonly status: Promise<StatusObject>;
  readonly #call: ClientReadableStream<Response> | ClientDuplexStream<Request, Response>;
  readonly #ready: Response[] = [];
  readonly #waiting: { resolve(message: Response): void; reject(error: Error): void }[] = [];
  #ended: StatusObject | undefined;

  constructor(call: ClientReadableStream<Response> | ClientDuplexStream<Request, Response>) {
    this.#call = call;
    call.on("data", (message: Response) => this.#onMessage(message));
    // The status event says everything the error event says.
    call.on("error", () => undefined);
    this.status = new Promise((resolve) => {
      call.on("status", (status: StatusObject) => {
        this.#onEnd(status);
        resolve(status);
      });
    });
  }

  /** The next message; rejects when the stream ends first. */
  next(): Promise<Response> {
    const message = this.#ready.shift();
    if (message !== undefined) {
      return Promise.resolve(message);
    }
    if (this.#ended !== undefined) {
      return Promise.reject(endedEarly(this.#ended));
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** The next message for which `accepts` holds; those before it are dropped. */
  async nextWhere(accepts: (message: Response) => boolean): Promise<Response> {
    for (;;) {
      const message = await this.next();
      if (accepts(message)) {
        return message;
      }
    }
  }

  /** Every message up to the end of the stream, and then the status. */
  async collect(): Promise<{ messages: readonly Response[]; status: StatusObject }> {
    const status = await this.status;
    return { messages: this.#ready.splice(0), status };
  }

  /** Messages that have arrived and that nobody has taken yet. */
  get pending(): readonly Response[] {
    return this.#ready;
  }

  /** Sends a message; only for methods whose requests are a stream. */
  send(message: Request): void {
    this.#duplex().write(message);
  }

  /** Closes the sending side; the server may go on answering. */
  halfClose(): void {
    this.#duplex().end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  #duplex(): ClientDuplexStream<Request, Response> {
    if (!("write" in this.#call)) {
      throw new Error("this method takes one request only");
    }
    return this.#call;
  }

  #onMessage(message: Response): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#ready.push(message);
    } else {
      waiting.resolve(message);
    }
  }

  #onEnd(status: StatusObject): void {
    this.#ended = status;
    for (const waiting of this.#waiting.splice(0)) {
      waiting.reject(endedEarly(status));
    }
  }
}

function endedEarly(status: StatusObject): Error {
  return new Error(`the stream ended (${status.code} ${status.details}) while a message was awaited`);
}
