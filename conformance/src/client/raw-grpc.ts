// gRPC by hand over node:http2, for what grpc-js hides: the server's own deadline status (grpc-js invents one when its
// timer fires first), exact headers and trailers, odd requests, and connections that break off.

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
} from "node:http2";
import {
  methodDefinition,
  type StreamMethod,
  type StreamMethods,
  type UnaryMethod,
  type UnaryMethods,
} from "./methods.js";

/** Bytes before each message: one flag byte, four bytes of length. */
const envelopeBytes = 5;

/** Everything a call answered with. */
export interface RawAnswer {
  readonly headers: IncomingHttpHeaders;
  /** The trailers; in an answer that is headers only, those headers. */
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A stream that ended without a gRPC status. */
export class StreamReset extends Error {
  /** The HTTP/2 error code; 0 when the stream closed without one. */
  readonly http2Code: number;

  constructor(http2Code: number) {
    super(`the stream closed without a gRPC status (HTTP/2 error code ${http2Code})`);
    this.http2Code = http2Code;
  }
}

/** A call under way. */
export interface RawCall {
  readonly stream: ClientHttp2Stream;
  /** Rejects with a `StreamReset` when the stream ends without a gRPC status. */
  readonly answer: Promise<RawAnswer>;
}

/** One HTTP/2 connection. */
export class RawConnection {
  readonly #session: ClientHttp2Session;
  readonly #authority: string;

  constructor(endpoint: string) {
    this.#authority = endpoint;
    this.#session = connect(`http://${endpoint}`);
    this.#session.on("error", () => undefined);
  }

  /** Sends one gRPC request with these headers on top of the usual ones; the request side is then closed. */
  call(path: string, body: Buffer, headers: Readonly<Record<string, string>> = {}): RawCall {
    const stream = this.#session.request({
      ":method": "POST",
      ":path": path,
      ":authority": this.#authority,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    stream.end(body);
    return { stream, answer: answerOf(stream) };
  }

  /** Breaks the connection off, without a farewell. */
  destroy(): void {
    this.#session.destroy();
  }
}

/** The request as gRPC puts it on the wire: an uncompressed message in its envelope. */
export function envelope<M extends UnaryMethod | StreamMethod>(
  method: M,
  request: (UnaryMethods & StreamMethods)[M][0],
): Buffer {
  const message = methodDefinition<unknown, unknown>(method).requestSerialize(request);
  const framed = Buffer.alloc(envelopeBytes + message.length);
  framed.writeUInt32BE(message.length, 1);
  message.copy(framed, envelopeBytes);
  return framed;
}

/** Status and text of an answer. */
export function rawStatus(answer: RawAnswer): { code: number; details: string } {
  const text = String(answer.trailers["grpc-message"] ?? "");
  return { code: Number(answer.trailers["grpc-status"]), details: decodeURIComponent(text) };
}

/** How a call ended, in one line: its status and text, or the HTTP/2 error code of the reset. */
export function rawOutcome(call: RawCall): Promise<string> {
  return call.answer.then(
    (answer) => `${rawStatus(answer).code} ${rawStatus(answer).details}`,
    (error: unknown) => (error instanceof StreamReset ? `reset ${error.http2Code}` : String(error)),
  );
}

function answerOf(stream: ClientHttp2Stream): Promise<RawAnswer> {
  const answer = new Promise<RawAnswer>((resolve, reject) => {
    let headers: IncomingHttpHeaders & IncomingHttpStatusHeader = {};
    let trailers: IncomingHttpHeaders | undefined;
    const chunks: Buffer[] = [];
    stream.on("response", (received) => {
      headers = received;
    });
    stream.on("trailers", (received) => {
      trailers = received;
    });
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("close", () => {
      if (headers[":status"] === undefined || (trailers ?? headers)["grpc-status"] === undefined) {
        reject(new StreamReset(stream.rstCode));
      } else {
        resolve({ headers, trailers: trailers ?? headers, body: Buffer.concat(chunks) });
      }
    });
  });
  // A test may look at the outcome late, or never.
  answer.catch(() => undefined);
  return answer;
}
