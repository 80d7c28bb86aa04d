/** A client made of a socket and bytes, for attacks and for looking at the very frames a server sends. */
import { once } from "node:events";
import type { Socket } from "node:net";
import { HpackDecoder } from "../hpack/index.js";
import { within } from "./patience.js";
import { PREFACE, ping, type RawFrame, settings, Type } from "./raw-frames.js";

interface Wanted {
  readonly matches: (frame: RawFrame) => boolean;
  readonly resolve: (frame: RawFrame) => void;
  readonly reject: (error: Error) => void;
}

const NO_FIELDS: ReadonlyMap<string, string> = new Map();

export class RawPeer {
  readonly socket: Socket;
  /** Frames received and not yet taken with `next`. */
  readonly frames: RawFrame[] = [];
  readonly #closed: Promise<void>;
  readonly #decoder = new HpackDecoder({ headerListBytesMax: 1 << 20, fieldsMax: 1_000 });
  #bytes: Buffer = Buffer.alloc(0);
  #wanted: Wanted[] = [];
  #gone = false;
  #pings = 0;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    // Attacks are answered with a close, which may look like a reset to a writer.
    socket.on("error", () => {});
    this.#closed = once(socket, "close").then(() => this.#close());
  }

  /** Resolves when the socket is closed. */
  get closed(): Promise<void> {
    return within("the end of the connection", this.#closed);
  }

  /** Sends bytes as they are. Ignored once the server has closed the connection. */
  send(...parts: readonly Uint8Array[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(parts));
  }

  /** The client's side of the greeting. */
  greet(...entries: readonly (readonly [number, number])[]): void {
    this.send(PREFACE, settings(...entries));
  }

  /** The next frame that matches, taken out of `frames`. Rejects if the connection ends first. */
  next(matches: (frame: RawFrame) => boolean): Promise<RawFrame> {
    const at = this.frames.findIndex(matches);
    if (at >= 0) return Promise.resolve(this.frames.splice(at, 1)[0]);
    if (this.#gone) return Promise.reject(new Error("connection closed before the frame came"));
    const waited = new Promise<RawFrame>((resolve, reject) => this.#wanted.push({ matches, resolve, reject }));
    return within("a frame", waited);
  }

  /** The next frame of that type. */
  nextOf(type: number, streamId?: number): Promise<RawFrame> {
    return this.next((frame) => frame.type === type && (streamId === undefined || frame.streamId === streamId));
  }

  /** Resolves when the server has handled everything sent so far. */
  async roundTrip(): Promise<void> {
    const text = `trip${this.#pings++}`;
    this.send(ping(text));
    await this.next((frame) => frame.type === Type.ping && frame.payload.toString().trim() === text);
  }

  /** The error code and reason of the GOAWAY that ends this connection. */
  async goaway(): Promise<{ lastStreamId: number; code: number; reason: string }> {
    const { payload } = await this.nextOf(Type.goaway);
    return {
      lastStreamId: payload.readUInt32BE(0),
      code: payload.readUInt32BE(4),
      reason: payload.subarray(8).toString(),
    };
  }

  /** The error code of the RST_STREAM of a stream. */
  async resetCode(streamId: number): Promise<number> {
    return (await this.nextOf(Type.reset, streamId)).payload.readUInt32BE(0);
  }

  /** The fields of the next HEADERS frame of a stream. */
  async nextHeaders(streamId: number): Promise<ReadonlyMap<string, string>> {
    return (await this.nextOf(Type.headers, streamId)).fields;
  }

  #take(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= 9) {
      const end = 9 + this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < end) return;
      const type = this.#bytes[3];
      const payload = Buffer.from(this.#bytes.subarray(9, end));
      // Header blocks must be decoded in the order in which they came, asked for or not.
      const fields = type === Type.headers ? this.#decode(payload) : NO_FIELDS;
      this.#offer({ type, flags: this.#bytes[4], streamId: this.#bytes.readUInt32BE(5), payload, fields });
      this.#bytes = this.#bytes.subarray(end);
    }
  }

  #decode(payload: Buffer): ReadonlyMap<string, string> {
    const list = this.#decoder.decode(payload, 0, payload.length);
    return new Map(list.names.map((name, at) => [name, list.values[at]]));
  }

  #offer(frame: RawFrame): void {
    const at = this.#wanted.findIndex((wanted) => wanted.matches(frame));
    if (at < 0) this.frames.push(frame);
    else this.#wanted.splice(at, 1)[0].resolve(frame);
  }

  #close(): void {
    this.#gone = true;
    for (const wanted of this.#wanted) wanted.reject(new Error("connection closed before the frame came"));
    this.#wanted = [];
  }
}
