/**
 * A call whose answers are a stream, as an async iterable. Answers that nobody has taken yet are counted: above the limit the
 * server's window is not widened any more, until they are taken.
 */
import { MalformedMessageError, type MessageCodec, StatusCode } from "@holdfast/protocol";
import type { CallEnd, CallListener, ClientCall, Status } from "@holdfast/transport";
import { EtcdError } from "./errors.js";

/**
 * Both directions of a streaming call. Iterating gives the answers in order and throws `EtcdError` if the call does not end
 * with OK; leaving the loop early cancels the call. It can be iterated once.
 */
export interface Duplex<Request, Response> extends AsyncIterable<Response> {
  /** Sends one message. Nothing happens once the call has ended. */
  send(fields?: Partial<Request>): void;
  /** Sends no more; the server may still answer. */
  halfClose(): void;
  /** Ends the call here and there; iterating ends with an `EtcdError` of code CANCELLED. */
  cancel(): void;
}

export class DuplexCall<Request, Response> implements Duplex<Request, Response>, CallListener {
  readonly #path: string;
  readonly #request: MessageCodec<Request>;
  readonly #response: MessageCodec<Response>;
  readonly #waitingBytesMax: number;
  #call: ClientCall | undefined;
  #waiting: { readonly response: Response; readonly bytes: number }[] = [];
  #waitingBytes = 0;
  #paused = false;
  #status: Status | undefined;
  #wake: (() => void) | undefined;

  constructor(path: string, request: MessageCodec<Request>, response: MessageCodec<Response>, waitingBytesMax: number) {
    this.#path = path;
    this.#request = request;
    this.#response = response;
    this.#waitingBytesMax = waitingBytesMax;
  }

  /** To be called once, before anything else. */
  begin(call: ClientCall): void {
    this.#call = call;
  }

  send(fields: Partial<Request> = {}): void {
    this.#call?.send(this.#request.encode(this.#request.create(fields)));
  }

  halfClose(): void {
    this.#call?.halfClose();
  }

  cancel(): void {
    this.#call?.cancel();
  }

  /** Resolves with the status once the call has ended, or with undefined once there is an answer. */
  async firstSign(): Promise<Status | undefined> {
    while (this.#waiting.length === 0 && this.#status === undefined) await this.#sign();
    return this.#waiting.length > 0 ? undefined : this.#status;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Response, void, undefined> {
    try {
      for (;;) {
        const batch = this.#waiting;
        this.#waiting = [];
        for (const { response, bytes } of batch) {
          yield response;
          this.#taken(bytes);
        }
        if (this.#waiting.length > 0) continue;
        if (this.#status !== undefined) {
          if (this.#status.code === StatusCode.ok) return;
          throw new EtcdError(this.#status.code, this.#status.message, this.#path);
        }
        await this.#sign();
      }
    } finally {
      this.cancel();
    }
  }

  message(bytes: Uint8Array): void {
    if (this.#status !== undefined) return;
    try {
      this.#waiting.push({ response: this.#response.decode(bytes), bytes: bytes.length });
    } catch (error) {
      this.#malformed(error);
      return;
    }
    this.#waitingBytes += bytes.length;
    if (!this.#paused && this.#waitingBytes > this.#waitingBytesMax) {
      this.#paused = true;
      this.#call?.pause();
    }
    this.#wake?.();
  }

  end({ status }: Pick<CallEnd, "status">): void {
    this.#status ??= status;
    this.#wake?.();
  }

  /** Ends the call with this as its end, whatever `cancel` brings. */
  #malformed(error: unknown): void {
    if (!(error instanceof MalformedMessageError)) throw error;
    this.end({ status: { code: StatusCode.internal, message: `malformed answer: ${error.message}` } });
    this.cancel();
  }

  #taken(bytes: number): void {
    this.#waitingBytes -= bytes;
    if (!this.#paused || this.#waitingBytes > this.#waitingBytesMax / 2) return;
    this.#paused = false;
    this.#call?.resume();
  }

  #sign(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
