// One gRPC call by hand on an HTTP/2 connection: what the server sent, exactly, and nothing a client library made up.
//
// Messages are awaited one by one as bytes; the ending is everything the server said last. A script reads them through
// client.ts.

import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { status as statusNames } from "@grpc/grpc-js";

/** Bytes before each message: one flag byte, four bytes of length. */
const envelopeBytes = 5;
/** HTTP/2 header frames that also end the stream. */
const endStreamFlag = 0x1;
const http2Cancel = 8;

/** How a call ended. */
export interface Ending {
  /** The name of the gRPC status; `RESET n` without one, n being the HTTP/2 error code; or `CONNECTION LOST`. */
  readonly status: string;
  readonly message: string;
  /** Without gRPC's own two, which are above. */
  readonly trailers: IncomingHttpHeaders;
  /** Whether status and headers came in one block, which the protocol allows only when there are no messages. */
  readonly trailersOnly: boolean;
}

/** Puts a message into gRPC's envelope. */
export function envelope(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(envelopeBytes + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, envelopeBytes);
  return framed;
}

/** A call under way. */
export class GrpcCall {
  /** Resolves with the first header block, or with nothing when the call ends without one. Never rejects. */
  readonly headers: Promise<IncomingHttpHeaders>;
  /** Resolves when the call has ended, however it did. Never rejects. */
  readonly ending: Promise<Ending>;
  readonly #stream: ClientHttp2Stream;
  readonly #arrived: Buffer[] = [];
  #unframed: Buffer[] = [];
  #unframedBytes = 0;
  #wake: (() => void) | undefined;
  #ended = false;
  #cancelled = false;

  constructor(session: ClientHttp2Session, headers: Readonly<Record<string, string | readonly string[] | undefined>>) {
    const given = Object.entries(headers).filter(([, value]) => value !== undefined);
    this.#stream = session.request(Object.fromEntries(given) as OutgoingHttpHeaders);
    this.headers = new Promise((resolve) => {
      this.#stream.once("response", resolve);
      this.#stream.once("close", () => resolve({}));
    });
    this.#stream.on("data", (chunk: Buffer) => this.#onData(chunk));
    // What the error event tells, the close event tells as well.
    this.#stream.on("error", () => undefined);
    this.ending = endingOf(this.#stream, session, () => this.#cancelled).finally(() => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  /** The next message, or undefined when the call ended first. Only one caller may wait at a time. */
  async next(): Promise<Buffer | undefined> {
    while (this.#arrived.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#arrived.shift();
  }

  /** Sends bytes as they are. */
  write(bytes: Uint8Array): void {
    this.#stream.write(bytes);
  }

  halfClose(): void {
    this.#stream.end();
  }

  /** Stops reading, so that the server soon may not send any more; `resume` reads on. */
  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  /** Gives the call up, as a client does whose user lost interest: RST_STREAM with CANCEL. */
  cancel(): void {
    this.#cancelled = true;
    this.#stream.close(http2Cancel);
  }

  #onData(chunk: Buffer): void {
    this.#unframed.push(chunk);
    this.#unframedBytes += chunk.length;
    for (;;) {
      const frame = this.#completeFrame();
      if (frame === undefined) {
        return;
      }
      this.#arrived.push(frame);
      this.#wake?.();
    }
  }

  /** Takes one whole message off what has arrived. */
  #completeFrame(): Buffer | undefined {
    if (this.#unframedBytes < envelopeBytes) {
      return undefined;
    }
    const first = this.#unframed[0];
    if (first === undefined || first.length < envelopeBytes) {
      this.#unframed = [Buffer.concat(this.#unframed)];
    }
    const frameBytes = envelopeBytes + (this.#unframed[0]?.readUInt32BE(1) ?? 0);
    if (this.#unframedBytes < frameBytes) {
      return undefined;
    }
    const all = Buffer.concat(this.#unframed);
    this.#unframed = [all.subarray(frameBytes)];
    this.#unframedBytes -= frameBytes;
    return all.subarray(envelopeBytes, frameBytes);
  }
}

function endingOf(stream: ClientHttp2Stream, session: ClientHttp2Session, cancelled: () => boolean): Promise<Ending> {
  let last: IncomingHttpHeaders = {};
  let trailersOnly = false;
  stream.on("response", (headers, flags) => {
    trailersOnly = (flags & endStreamFlag) !== 0;
    last = trailersOnly ? headers : last;
  });
  stream.on("trailers", (trailers) => {
    last = trailers;
  });
  return new Promise((resolve) => {
    stream.once("close", () => {
      const { "grpc-status": code, "grpc-message": text = "", ...trailers } = last;
      const lost = session.destroyed || session.closed ? "CONNECTION LOST" : `RESET ${stream.rstCode}`;
      const withoutStatus = cancelled() ? "CANCELLED BY THE CLIENT" : lost;
      const status = code === undefined ? withoutStatus : (statusNames[Number(code)] ?? `STATUS ${String(code)}`);
      resolve({ status, message: decodeURIComponent(String(text)), trailers, trailersOnly });
    });
  });
}
