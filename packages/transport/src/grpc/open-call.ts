/**
 * A call of the client from the moment it is made: waits for room on the connection, keeps what is sent meanwhile, and
 * ends when the server, the deadline, the user or the connection ends it.
 */
import type { HeaderFields } from "../hpack/index.js";
import type { ClientConnection } from "../http2/client-connection.js";
import { type CallEnd, type CallListener, ClientCallStream, endWithoutTrailers } from "./client-call.js";
import type { Deadline, DeadlineWheel, Expiring } from "./deadline-wheel.js";
import { CANCELLED, DEADLINE_EXCEEDED } from "./status.js";
import type { Metadata, Status } from "./types.js";

/** The sending side of an open call. All methods are no-ops once the call has ended. */
export interface ClientCall {
  /** Sends one message, copied. */
  send(message: Uint8Array): void;
  /** Ends our side; the server may go on. */
  halfClose(): void;
  /** Ends the call with CANCELLED. */
  cancel(): void;
  /** Stops widening the server's window for this call. */
  pause(): void;
  resume(): void;
  /** More waits than is good: stop until the listener's `drain`. */
  readonly congested: boolean;
}

const CANCELLED_STATUS: Status = { code: CANCELLED, message: "cancelled by the client" };
const DEADLINE_STATUS: Status = { code: DEADLINE_EXCEEDED, message: "context deadline exceeded" };

export class OpenCall implements ClientCall, CallListener, Expiring {
  readonly #connection: ClientConnection;
  readonly #fields: HeaderFields;
  readonly #listener: CallListener;
  readonly #deadlines: DeadlineWheel;
  #stream: ClientCallStream | undefined = undefined;
  /** Messages sent before there was room. */
  #early: Uint8Array[] = [];
  #halfClosed = false;
  #paused = false;
  #ended = false;
  #deadline: Deadline | undefined = undefined;
  #onEnded: (() => void) | undefined = undefined;

  constructor(connection: ClientConnection, fields: HeaderFields, listener: CallListener, deadlines: DeadlineWheel) {
    this.#connection = connection;
    this.#fields = fields;
    this.#listener = listener;
    this.#deadlines = deadlines;
  }

  get congested(): boolean {
    return this.#stream?.congested === true;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Binds the call to the time `deadlineMs` of the clock. */
  limit(deadlineMs: number): void {
    this.#deadline = this.#deadlines.add(deadlineMs, this);
  }

  /** `listener` is called once, when the call has ended. */
  onEnded(listener: () => void): void {
    this.#onEnded = listener;
  }

  /** There is room: opens the stream and sends what waited. */
  start(): void {
    const connection = this.#connection;
    const stream = new ClientCallStream(connection, connection.takeStreamId(), connection.nowMs, this);
    stream.paused = this.#paused;
    this.#stream = stream;
    connection.open(stream, this.#fields, false);
    const last = this.#early.length - 1;
    for (const [at, message] of this.#early.entries()) stream.sendMessage(message, this.#halfClosed && at === last);
    if (this.#halfClosed && last < 0) stream.halfClose();
    this.#early = [];
  }

  /** Ends a call that was not opened: the server never saw it. */
  giveUp(status: Status): void {
    this.end(endWithoutTrailers(status, true));
  }

  send(message: Uint8Array): void {
    if (this.#ended || this.#halfClosed) return;
    if (this.#stream === undefined) this.#early.push(message.slice());
    else this.#stream.sendMessage(message, false);
  }

  /** Sends one message and ends our side with it. */
  sendLast(message: Uint8Array): void {
    if (this.#ended || this.#halfClosed) return;
    this.#halfClosed = true;
    if (this.#stream === undefined) this.#early.push(message.slice());
    else this.#stream.sendMessage(message, true);
  }

  halfClose(): void {
    if (this.#ended || this.#halfClosed) return;
    this.#halfClosed = true;
    this.#stream?.halfClose();
  }

  cancel(): void {
    this.#endEarly(CANCELLED_STATUS);
  }

  pause(): void {
    this.#paused = true;
    if (this.#stream !== undefined) this.#stream.paused = true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#stream === undefined || this.#ended) return;
    this.#stream.paused = false;
    this.#stream.creditWindow();
  }

  expired(): void {
    this.#endEarly(DEADLINE_STATUS);
  }

  headers(headers: Metadata): void {
    this.#listener.headers?.(headers);
  }

  message(bytes: Uint8Array): void {
    this.#listener.message(bytes);
  }

  drain(): void {
    this.#listener.drain?.();
  }

  end(end: CallEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#early = [];
    if (this.#deadline !== undefined) this.#deadlines.remove(this.#deadline);
    this.#onEnded?.();
    this.#listener.end(end);
  }

  #endEarly(status: Status): void {
    if (this.#ended) return;
    if (this.#stream === undefined) this.giveUp(status);
    else this.#stream.cancel(status);
  }
}
