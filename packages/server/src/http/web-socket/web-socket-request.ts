/**
 * A WebSocket as the gateway sees it: a request whose input comes message by message, and whose answer leaves line by
 * line, each as one text message.
 */
import type { CancelReason, Peer, PlainHeaders, PlainRequest } from "@holdfast/transport";
import type { RawData, WebSocket } from "ws";
import { type CallInput, type InputListener, textOf } from "../gateway/call-input.js";
import type { HttpLimits } from "../limits.js";
import type { Headers } from "../wrapped-request.js";

const normalClosure = 1000;

export interface WebSocketHead {
  readonly path: string;
  readonly authority: string | undefined;
  readonly headers: Headers;
  readonly peer: Peer;
}

export class WebSocketRequest implements PlainRequest, CallInput {
  /** What the gateway's methods are bound to. */
  readonly method = "POST";
  readonly path: string;
  readonly authority: string | undefined;
  readonly headers: Headers;
  readonly peer: Peer;
  readonly body = new Uint8Array(0);
  readonly #socket: WebSocket;
  readonly #limits: HttpLimits;
  readonly #overflowed: () => void;
  #listener: InputListener | undefined = undefined;
  #cancelListener: ((reason: CancelReason) => void) | undefined = undefined;
  #drainListener: (() => void) | undefined = undefined;
  #drainOwed = false;
  #ended = false;

  /** `overflowed` is told when the socket was closed because far too much waits for the client. */
  constructor(socket: WebSocket, head: WebSocketHead, limits: HttpLimits, overflowed: () => void) {
    this.path = head.path;
    this.authority = head.authority;
    this.headers = head.headers;
    this.peer = head.peer;
    this.#socket = socket;
    this.#limits = limits;
    this.#overflowed = overflowed;
    socket.binaryType = "nodebuffer";
    socket.on("message", (data) => this.#message(data));
    socket.on("close", () => this.#closed());
    // A close follows.
    socket.on("error", () => {});
  }

  get unsentBytes(): number {
    return this.#socket.bufferedAmount;
  }

  get congested(): boolean {
    if (this.unsentBytes > this.#limits.highWaterBytes) this.#drainOwed = true;
    return this.#drainOwed;
  }

  start(listener: InputListener): void {
    this.#listener = listener;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  respond(_status: number, _headers: PlainHeaders, body: Uint8Array | string): void {
    if (this.#ended) return;
    if (body.length > 0) this.#send(body);
    this.finish();
  }

  begin(): void {}

  write(piece: Uint8Array | string): void {
    if (this.#ended) return;
    if (this.unsentBytes <= this.#limits.unsentBytesMax) this.#send(piece);
    else {
      this.#overflowed();
      this.#socket.terminate();
    }
  }

  finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.close(normalClosure);
  }

  onCancel(listener: (reason: CancelReason) => void): void {
    if (!this.#ended) this.#cancelListener = listener;
  }

  onDrain(listener: () => void): void {
    this.#drainListener = listener;
  }

  onTaken(listener: () => void): void {
    if (this.#socket.readyState === this.#socket.CLOSED) listener();
    else this.#socket.once("close", listener);
  }

  #send(piece: Uint8Array | string): void {
    const text = typeof piece === "string" ? piece : Buffer.from(piece).toString("utf8");
    this.#socket.send(text.endsWith("\n") ? text.slice(0, -1) : text, () => this.#sent());
  }

  #sent(): void {
    if (!this.#drainOwed || this.#ended || this.unsentBytes > this.#limits.lowWaterBytes) return;
    this.#drainOwed = false;
    this.#drainListener?.();
  }

  /** Binary messages are taken for text as well. */
  #message(data: RawData): void {
    if (!this.#ended) this.#listener?.text(textOf(data as Buffer));
  }

  #closed(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelListener?.("cancelled");
  }
}
