/**
 * One gRPC call at the client: the stream, the messages of the response, and how the call ended. Opening it, and
 * waiting for room, is the client's business (`client.ts`).
 */
import type { HeaderFields, HeaderList } from "../hpack/index.js";
import { isTrailers, readStatus } from "../http2/header-rules.js";
import { CANCEL, PROTOCOL_ERROR, REFUSED_STREAM } from "../http2/protocol.js";
import { Http2Stream, type StreamHost } from "../http2/stream.js";
import { IDENTITY, openFlagged } from "./compression.js";
import { type MessageListener, MessageReader, messagePrefix } from "./message-reader.js";
import { HeaderMetadata } from "./metadata.js";
import { percentDecode } from "./percent-encoding.js";
import { INTERNAL, RESOURCE_EXHAUSTED, statusOfHttp, statusOfReset, UNAVAILABLE, UNKNOWN } from "./status.js";
import type { Metadata, Status } from "./types.js";

/** How a call ended. */
export interface CallEnd {
  readonly status: Status;
  readonly trailers: Metadata;
  /** The server has certainly not begun the call (REFUSED_STREAM, GOAWAY, never sent): it is safe to repeat. */
  readonly neverProcessed: boolean;
}

/** Takes what the server sends. Nothing is called after `end`, which is called exactly once. */
export interface CallListener {
  headers?(headers: Metadata): void;
  /** One message, valid only during the call. */
  message(bytes: Uint8Array): void;
  end(end: CallEnd): void;
  /** The call is no longer congested. */
  drain?(): void;
}

const NO_FIELDS: HeaderFields = { names: [], values: [] };
const HTTP_OK = 200;

/** The end of a call that the transport itself decided. */
export function endWithoutTrailers(status: Status, neverProcessed: boolean): CallEnd {
  return { status, trailers: new HeaderMetadata(NO_FIELDS), neverProcessed };
}

export class ClientCallStream extends Http2Stream implements MessageListener {
  readonly #listener: CallListener;
  readonly #reader: MessageReader;
  #headersSeen = false;
  #encoding = IDENTITY;
  #done = false;

  constructor(host: StreamHost, id: number, nowMs: number, listener: CallListener) {
    super(host, id, nowMs);
    this.#listener = listener;
    this.#reader = new MessageReader(this, host.buffers, host.context.limits.messageBytesMax);
  }

  /** Sends one message, copied; `last` ends our side. */
  sendMessage(message: Uint8Array, last: boolean): void {
    const prefix = messagePrefix(message.length);
    if (last) this.write(prefix, message, true);
    else this.writeOneOfMany(prefix, message);
  }

  /** Ends our side. */
  halfClose(): void {
    if (!this.#done) this.writeEnd(undefined);
  }

  /** Ends the call from our side with `status`. */
  cancel(status: Status): void {
    if (this.#done) return;
    this.#end(endWithoutTrailers(status, false));
    this.host.abort(this, CANCEL);
  }

  override receiveHeaders(list: HeaderList, ended: boolean): void {
    if (this.#done) return;
    if (this.#headersSeen) {
      this.#trailers(list, ended);
      return;
    }
    const httpStatus = readStatus(list);
    if (httpStatus === undefined || (httpStatus < 200 && ended)) {
      this.#breakOff(PROTOCOL_ERROR, "malformed headers");
      return;
    }
    if (httpStatus < 200) return;
    this.#headersSeen = true;
    this.#encoding = list.get("grpc-encoding") ?? IDENTITY;
    if (list.get("grpc-status") !== undefined && ended) {
      this.#finish(list);
      return;
    }
    if (httpStatus !== HTTP_OK || !isGrpc(list)) {
      this.#notGrpc(httpStatus);
      return;
    }
    if (ended) {
      this.#finish(list);
      return;
    }
    this.#listener.headers?.(new HeaderMetadata(list));
  }

  override receive(bytes: Buffer, start: number, end: number, ended: boolean): void {
    if (this.#done) return;
    if (!this.#headersSeen) {
      this.#breakOff(PROTOCOL_ERROR, "data before headers");
      return;
    }
    this.#reader.feed(bytes, start, end);
    if (ended) this.#giveUp({ code: INTERNAL, message: "server closed the stream without sending trailers" }, CANCEL);
  }

  message(bytes: Buffer, flag: number): boolean {
    const opened = openFlagged(bytes, flag, this.#encoding, this.host.context);
    if ("refusal" in opened) {
      this.#giveUp(opened.refusal, CANCEL);
      return false;
    }
    this.host.guard.message(bytes.length);
    this.#listener.message(opened.bytes);
    return !this.#done;
  }

  tooLarge(declaredBytes: number): void {
    const { limits, counters } = this.host.context;
    counters.messagesTooLarge++;
    const message = `grpc: received message larger than max (${declaredBytes} vs. ${limits.messageBytesMax})`;
    this.#giveUp({ code: RESOURCE_EXHAUSTED, message }, CANCEL);
  }

  tooMuchBuffered(): void {
    this.#giveUp({ code: RESOURCE_EXHAUSTED, message: "too many unfinished response messages" }, CANCEL);
  }

  override aborted(code: number, byPeer: boolean): void {
    const whose = byPeer ? "the server" : "the client";
    const status = { code: statusOfReset(code), message: `stream reset by ${whose} with HTTP/2 error code ${code}` };
    this.#end(endWithoutTrailers(status, byPeer && code === REFUSED_STREAM));
  }

  override lost(): void {
    this.#end(endWithoutTrailers({ code: UNAVAILABLE, message: "connection lost" }, false));
  }

  override sweep(): void {}

  override drained(): void {
    this.#listener.drain?.();
  }

  #trailers(list: HeaderList, ended: boolean): void {
    if (!ended || !isTrailers(list)) {
      this.#breakOff(PROTOCOL_ERROR, "malformed trailers");
      return;
    }
    if (this.#reader.midMessage) {
      this.#giveUp({ code: INTERNAL, message: "unexpected EOF" }, CANCEL);
      return;
    }
    this.#finish(list);
  }

  /** The regular end: the server's trailers. */
  #finish(list: HeaderList): void {
    this.#end({ status: readTrailers(list), trailers: new HeaderMetadata(list), neverProcessed: false });
    // The server wants no more of the request.
    if (!this.localClosed) this.host.abort(this, CANCEL);
  }

  #notGrpc(httpStatus: number): void {
    const message = `unexpected answer that is not gRPC, HTTP status ${httpStatus}`;
    this.#giveUp({ code: statusOfHttp(httpStatus), message }, CANCEL);
  }

  #breakOff(code: number, message: string): void {
    this.#giveUp({ code: INTERNAL, message }, code);
  }

  #giveUp(status: Status, code: number): void {
    if (this.#done) return;
    this.#end(endWithoutTrailers(status, false));
    this.host.abort(this, code);
  }

  #end(end: CallEnd): void {
    if (this.#done) return;
    this.#done = true;
    this.#reader.stop();
    this.#listener.end(end);
  }
}

function isGrpc(list: HeaderList): boolean {
  return list.get("content-type")?.startsWith("application/grpc") === true;
}

function readTrailers(list: HeaderList): Status {
  const code = list.get("grpc-status");
  if (code === undefined || !/^[0-9]{1,9}$/.test(code)) return { code: UNKNOWN, message: "no grpc-status in trailers" };
  return { code: Number(code), message: percentDecode(list.get("grpc-message") ?? "") };
}
