/**
 * The referee: calls that prepare a benchmark and check its answers, over Node's own HTTP/2 client. The load itself
 * comes from elsewhere, since this client is not fast.
 */
import http2, { type ClientHttp2Session } from "node:http2";
import type { TlsFiles } from "../servers/tls.js";
import { allOf, bytesOf, decodeMessage, encodeMessage, envelope, numberOf, unwrap } from "./messages.js";
import { encodeCompact, encodePut, encodeRange, methods, type RangeOptions } from "./requests.js";

/** What a Range answered. */
export interface RangeAnswer {
  /** The store's revision. */
  readonly revision: number;
  readonly pairs: readonly { readonly key: string; readonly value: Buffer }[];
  /** All keys in the range, also those that were not asked for. */
  readonly count: number;
  /** Length of the answer in DATA frames, envelopes included. */
  readonly dataBytes: number;
}

/** One connection to a server of the etcd v3 API. */
export class RefereeClient {
  readonly #session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  /** Connects; rejects when nobody listens. */
  static connect(port: number, tls?: TlsFiles): Promise<RefereeClient> {
    return new Promise((resolve, reject) => {
      // A window for the largest answers, so that they are not paced by acknowledgements.
      const settings = { initialWindowSize: 16 * 2 ** 20 };
      const session =
        tls === undefined
          ? http2.connect(`http://127.0.0.1:${port}`, { settings })
          : http2.connect(`https://127.0.0.1:${port}`, { settings, ca: tls.certificate });
      session.once("connect", () => resolve(new RefereeClient(session)));
      session.on("error", reject);
    });
  }

  /**
   * Makes one call; resolves with the DATA bytes of the answer.
   * @throws Error (rejects) when its gRPC status is not OK.
   */
  call(path: string, message: Uint8Array): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const stream = this.#session.request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        te: "trailers",
      });
      const chunks: Buffer[] = [];
      const status: Record<string, unknown> = {};
      // The status comes in the trailers, or in the only headers of an answer without a message.
      for (const event of ["response", "trailers"] as const) {
        stream.on(event, (headers: object) => Object.assign(status, headers));
      }
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("error", reject);
      stream.on("close", () => {
        if (status["grpc-status"] === "0") resolve(Buffer.concat(chunks));
        else reject(new Error(`${path}: gRPC status ${status["grpc-status"]}: ${status["grpc-message"]}`));
      });
      stream.end(envelope(message));
    });
  }

  /** As `call`, for a method with one answer; resolves with its encoded message. */
  async unary(path: string, message: Uint8Array): Promise<Buffer> {
    const [answer] = unwrap(await this.call(path, message));
    if (answer === undefined) throw new Error(`${path}: an answer without a message`);
    return answer;
  }

  /** The version that the server reports. Holdfast names the etcd that it speaks like. */
  async version(): Promise<string> {
    return bytesOf(decodeMessage(await this.unary(methods.status, encodeMessage([]))), 2).toString();
  }

  /** Reads one key, or the keys from `key` to `rangeEnd`. */
  async range(key: string, options: RangeOptions = {}): Promise<RangeAnswer> {
    const data = await this.call(methods.range, encodeRange(key, options));
    return readRangeAnswer(unwrap(data), data.length);
  }

  /** The same as a stream of chunks, put together. */
  async rangeStream(key: string, options: RangeOptions = {}): Promise<RangeAnswer> {
    const data = await this.call(methods.rangeStream, encodeRange(key, options));
    // A RangeStreamResponse holds a RangeResponse in its first field.
    const chunks = unwrap(data).map((chunk) => bytesOf(decodeMessage(chunk), 1));
    return readRangeAnswer(chunks, data.length);
  }

  /** Writes one key. */
  async put(key: string, value: string | Uint8Array): Promise<void> {
    await this.unary(methods.put, encodePut(key, value));
  }

  /** Drops the history before `revision`, and waits until it is gone. */
  async compact(revision: number): Promise<void> {
    await this.unary(methods.compact, encodeCompact(revision));
  }

  close(): void {
    this.#session.close();
  }
}

/** Puts RangeResponses together: pairs from all of them, header and count from the last. */
function readRangeAnswer(messages: readonly Buffer[], dataBytes: number): RangeAnswer {
  const all = messages.map(decodeMessage);
  const last = all.at(-1) ?? new Map();
  const pairs = all.flatMap((message) => allOf(message, 2)).map(decodeMessage);
  return {
    revision: numberOf(decodeMessage(bytesOf(last, 1)), 3),
    pairs: pairs.map((pair) => ({ key: bytesOf(pair, 1).toString("latin1"), value: bytesOf(pair, 5) })),
    count: numberOf(last, 4),
    dataBytes,
  };
}
