/** A streaming call as a test sees it: what the server sends waits in a queue until the test asks for it. */
import type { MessageCodec } from "@holdfast/protocol";
import type { CallEnd, CallListener, ClientCall, Metadata, Status } from "@holdfast/transport";
import { StatusError } from "./status-error.js";

interface Taker<Response> {
  resolve(response: Response): void;
  reject(error: Error): void;
}

export class TestStream<Request, Response> implements CallListener {
  readonly #request: MessageCodec<Request>;
  readonly #response: MessageCodec<Response>;
  readonly #received: Response[] = [];
  readonly #takers: Taker<Response>[] = [];
  readonly #onEnd: Array<(status: Status) => void> = [];
  readonly #onHeaders: Array<() => void> = [];
  #hasHeaders = false;
  #status: Status | undefined;
  /** Set by whoever opens the call. */
  call!: ClientCall;

  constructor(request: MessageCodec<Request>, response: MessageCodec<Response>) {
    this.#request = request;
    this.#response = response;
  }

  send(fields: Partial<Request> = {}): void {
    this.call.send(this.#request.encode(this.#request.create(fields)));
  }

  /** Messages that have arrived and were not asked for yet. */
  get waiting(): number {
    return this.#received.length;
  }

  /** The next message. Rejects with `StatusError` when the stream ends without one. */
  next(): Promise<Response> {
    const response = this.#received.shift();
    if (response !== undefined) return Promise.resolve(response);
    if (this.#status !== undefined) return Promise.reject(new StatusError(this.#status));
    return new Promise((resolve, reject) => this.#takers.push({ resolve, reject }));
  }

  async take(count: number): Promise<Response[]> {
    const responses: Response[] = [];
    while (responses.length < count) responses.push(await this.next());
    return responses;
  }

  /** How the stream ends. */
  ended(): Promise<Status> {
    if (this.#status !== undefined) return Promise.resolve(this.#status);
    return new Promise((resolve) => this.#onEnd.push(resolve));
  }

  /** Resolves when the server has begun to answer. */
  opened(): Promise<void> {
    if (this.#hasHeaders) return Promise.resolve();
    return new Promise((resolve) => this.#onHeaders.push(resolve));
  }

  /** What is left until the stream ends, and how it ends. */
  async drain(): Promise<{ responses: Response[]; status: Status }> {
    const status = await this.ended();
    return { responses: this.#received.splice(0), status };
  }

  headers(_headers: Metadata): void {
    this.#hasHeaders = true;
    for (const opened of this.#onHeaders.splice(0)) opened();
  }

  message(bytes: Uint8Array): void {
    const response = this.#response.decode(bytes);
    const taker = this.#takers.shift();
    if (taker === undefined) this.#received.push(response);
    else taker.resolve(response);
  }

  end({ status }: CallEnd): void {
    this.#status = status;
    for (const taker of this.#takers.splice(0)) taker.reject(new StatusError(status));
    for (const tell of this.#onEnd.splice(0)) tell(status);
  }
}
