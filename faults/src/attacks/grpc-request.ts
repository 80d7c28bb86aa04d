/** gRPC requests with any body whatever, over Node's own HTTP/2 client, which tells how they were answered. */
import { type ClientHttp2Session, connect, constants } from "node:http2";

/** What came back. */
export interface GrpcAnswer {
  /** Undefined if the stream was reset. */
  readonly status: number | undefined;
  readonly message: string;
  readonly resetCode: number;
}

export interface GrpcRequest {
  readonly path: string;
  readonly body: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

const ANSWER_MS_MAX = 10_000;

/** One connection. */
export class GrpcSession {
  readonly #session: ClientHttp2Session;

  constructor(host: string, port: number) {
    // Bodies of streams that the server has ended count against the memory of a session, and are kept by it.
    this.#session = connect(`http://${host}:${port}`, { maxSessionMemory: 1_000 });
    this.#session.on("error", () => {});
  }

  get isClosed(): boolean {
    return this.#session.closed || this.#session.destroyed;
  }

  /** Resolves with the answer, however the stream ends. Rejects if there is none in time. */
  send({ path, body, headers = {} }: GrpcRequest): Promise<GrpcAnswer> {
    const { HTTP2_HEADER_PATH, HTTP2_HEADER_METHOD, HTTP2_HEADER_CONTENT_TYPE, HTTP2_HEADER_TE } = constants;
    const stream = this.#session.request({
      [HTTP2_HEADER_METHOD]: "POST",
      [HTTP2_HEADER_PATH]: path,
      [HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
      [HTTP2_HEADER_TE]: "trailers",
      ...headers,
    });
    return new Promise((resolve, reject) => {
      let status: number | undefined;
      let message = "";
      const note = (fields: Readonly<Record<string, unknown>>): void => {
        if (fields["grpc-status"] === undefined) return;
        status = Number(fields["grpc-status"]);
        message = decodeURIComponent(String(fields["grpc-message"] ?? ""));
      };
      const timer = setTimeout(() => {
        reject(new Error(`no answer from ${path} within ${ANSWER_MS_MAX} ms`));
        stream.destroy();
      }, ANSWER_MS_MAX);
      stream.on("response", note);
      stream.on("trailers", note);
      stream.on("error", () => {});
      stream.on("close", () => {
        clearTimeout(timer);
        resolve({ status, message, resetCode: stream.rstCode ?? 0 });
      });
      stream.resume();
      stream.end(body);
    });
  }

  destroy(): void {
    this.#session.destroy();
  }
}
