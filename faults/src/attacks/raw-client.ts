/** A client made of a socket and bytes: sends whatever it is told, and notes how the server takes it. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { Type } from "./frames.js";

/** Where a server listens. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** Over TLS, with these options. */
  readonly tls?: ConnectionOptions;
  /** Local address to connect from. */
  readonly localAddress?: string;
  /** Keeps our side open when the server ends its own. */
  readonly allowHalfOpen?: boolean;
}

/** The last words of the server on a connection. */
export interface Goaway {
  readonly lastStreamId: number;
  readonly code: number;
  readonly reason: string;
}

const HEAD_BYTES = 9;

export class RawClient {
  readonly socket: Socket;
  /** What came back, unless `framed` is false: frames by type, and the codes of RST_STREAM. */
  readonly frames = new Map<number, number>();
  readonly resets = new Map<number, number>();
  goaway: Goaway | undefined = undefined;
  /** Everything that came back, if it is not read as frames. */
  answer = "";
  bytesReceived = 0;
  bytesSent = 0;
  /** Resolves when the socket is closed, whoever did it. */
  readonly closed: Promise<void>;
  isClosed = false;
  readonly #framed: boolean;
  #left: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket, framed: boolean) {
    this.socket = socket;
    this.#framed = framed;
    // Attacks are answered with a close, which may look like a reset to who writes.
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    this.closed = new Promise((resolve) => {
      socket.once("close", () => {
        this.isClosed = true;
        resolve();
      });
    });
  }

  /** Resolves with a client whose connection stands, or was closed by the server at once. */
  static async connect(target: Target, framed = true): Promise<RawClient> {
    const { host, port, tls, localAddress, allowHalfOpen = false } = target;
    const socket =
      tls === undefined
        ? connect({ host, port, allowHalfOpen, ...(localAddress === undefined ? {} : { localAddress }) })
        : connectTls({ ...tls, host, port });
    socket.setNoDelay(true);
    const client = new RawClient(socket, framed);
    await Promise.race([once(socket, tls === undefined ? "connect" : "secureConnect").catch(() => {}), client.closed]);
    return client;
  }

  /** Sends bytes as they are; resolves when the socket wants more, or is closed. */
  async send(...parts: readonly Uint8Array[]): Promise<void> {
    if (!this.socket.writable) return;
    const bytes = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
    this.bytesSent += bytes.length;
    if (this.socket.write(bytes)) return;
    const drained = once(this.socket, "drain").catch(() => {});
    await Promise.race([drained, this.closed]);
  }

  /** Reads nothing more. */
  stopReading(): void {
    this.socket.pause();
  }

  /** Resolves with true if the server closes the connection within that time. */
  async closedWithin(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, ms);
    });
    await Promise.race([this.closed, late]);
    clearTimeout(timer);
    return this.isClosed;
  }

  count(type: number): number {
    return this.frames.get(type) ?? 0;
  }

  destroy(): void {
    this.socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.bytesReceived += chunk.length;
    if (!this.#framed) {
      if (this.answer.length < 100_000) this.answer += chunk.toString("latin1");
      return;
    }
    let bytes = this.#left.length === 0 ? chunk : Buffer.concat([this.#left, chunk]);
    while (bytes.length >= HEAD_BYTES) {
      const end = HEAD_BYTES + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      this.#frame(bytes[3] as number, bytes.subarray(HEAD_BYTES, end));
      bytes = bytes.subarray(end);
    }
    this.#left = Buffer.from(bytes);
  }

  #frame(type: number, payload: Buffer): void {
    this.frames.set(type, this.count(type) + 1);
    if (type === Type.reset) {
      const code = payload.readUInt32BE(0);
      this.resets.set(code, (this.resets.get(code) ?? 0) + 1);
    } else if (type === Type.goaway) {
      const reason = payload.subarray(8).toString("latin1");
      this.goaway = { lastStreamId: payload.readUInt32BE(0), code: payload.readUInt32BE(4), reason };
    }
  }
}
