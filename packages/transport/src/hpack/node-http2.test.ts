/** Both directions against the HPACK of another implementation: nghttp2, by way of Node's own `node:http2`. */

import assert from "node:assert/strict";
import { once } from "node:events";
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  createServer as createHttp2Server,
  type ServerHttp2Stream,
} from "node:http2";
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import type { FieldIndexing, HeaderFields } from "./index.js";
import { type HpackDecoder, HpackEncoder } from "./index.js";
import { STATIC_FIELDS } from "./static-table.js";
import { encodeAll, fieldsOf, linesOf, newDecoder, octets } from "./test-kit.js";

const PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HEADERS = 1;
const SETTINGS = 4;
const CONTINUATION = 9;
const ACK = 1;
const END_STREAM = 1;
const END_HEADERS = 4;
const PADDED_OR_PRIORITY = 0x28;
const HEADER_TABLE_SIZE = 1;

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Reads and writes single frames. */
class FrameSocket {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  #buffered = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  write(type: number, flags: number, stream: number, payload: Uint8Array): void {
    const header = Buffer.alloc(9);
    header.writeUIntBE(payload.length, 0, 3);
    header.writeUInt8(type, 3);
    header.writeUInt8(flags, 4);
    header.writeUInt32BE(stream, 5);
    this.#socket.write(Buffer.concat([header, payload]));
  }

  /** A SETTINGS frame with the table size alone. */
  writeTableBytesMax(bytes: number): void {
    const entry = Buffer.alloc(6);
    entry.writeUInt16BE(HEADER_TABLE_SIZE, 0);
    entry.writeUInt32BE(bytes, 2);
    this.write(SETTINGS, 0, 0, entry);
  }

  async take(length: number): Promise<Buffer> {
    while (this.#buffered.length < length) {
      const { done, value } = await this.#chunks.next();
      if (done) throw new Error("connection closed");
      this.#buffered = Buffer.concat([this.#buffered, value]);
    }
    const taken = this.#buffered.subarray(0, length);
    this.#buffered = this.#buffered.subarray(length);
    return taken;
  }

  async next(): Promise<Frame> {
    const header = await this.take(9);
    const payload = await this.take(header.readUIntBE(0, 3));
    return { type: header[3], flags: header[4], stream: header.readUInt32BE(5), payload };
  }

  /** Skips to the next frame that `accepts` takes. */
  async nextWhere(accepts: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const frame = await this.next();
      if (accepts(frame)) return frame;
    }
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

function tableBytesIn(settings: Buffer): number | undefined {
  for (let at = 0; at < settings.length; at += 6) {
    if (settings.readUInt16BE(at) === HEADER_TABLE_SIZE) return settings.readUInt32BE(at + 2);
  }
  return undefined;
}

function listFromRaw(raw: readonly string[]): HeaderFields {
  return { names: raw.filter((_, i) => i % 2 === 0), values: raw.filter((_, i) => i % 2 === 1) };
}

describe("our encoder, nghttp2's decoder", () => {
  const server = createHttp2Server();
  const frames: FrameSocket[] = [];
  const received = new Map<number, HeaderFields>();
  let applyTableBytes: ((bytes: number) => void) | undefined;

  before(async () => {
    server.on("session", (session) => {
      session.on("error", () => session.destroy());
      applyTableBytes = (bytes) => session.settings({ headerTableSize: bytes });
    });
    server.on("stream", (stream: ServerHttp2Stream, _headers: unknown, _flags: number, rawHeaders: string[]) => {
      received.set(stream.id ?? 0, listFromRaw(rawHeaders));
      stream.respond({ ":status": 200 }, { endStream: true });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  });

  after(() => {
    for (const socket of frames) socket.destroy();
    server.close();
  });

  async function open(): Promise<FrameSocket> {
    received.clear();
    const socket = connectTcp((server.address() as AddressInfo).port, "127.0.0.1");
    await once(socket, "connect");
    socket.write(PREFACE);
    const peer = new FrameSocket(socket);
    frames.push(peer);
    peer.write(SETTINGS, 0, 0, new Uint8Array(0));
    await peer.nextWhere((frame) => frame.type === SETTINGS && frame.flags === 0);
    peer.write(SETTINGS, ACK, 0, new Uint8Array(0));
    return peer;
  }

  /** Sends a block as one request and waits for the answer, then gives what the server has read. */
  async function exchange(peer: FrameSocket, stream: number, block: Uint8Array): Promise<string[]> {
    peer.write(HEADERS, END_HEADERS | END_STREAM, stream, block);
    const answer = await peer.nextWhere((frame) => frame.stream === stream || frame.type === 7);
    assert.equal(answer.type, HEADERS, `frame ${answer.type} with ${answer.payload.toString("hex")}`);
    return linesOf(received.get(stream) ?? { names: [], values: [] });
  }

  const start = [":method: POST", ":scheme: http", ":authority: 127.0.0.1:2379"];

  /** A request that shares some fields with others, by number. */
  function request(i: number): HeaderFields {
    return fieldsOf(
      ...start,
      `:path: /etcdserverpb.KV/${["Put", "Range", "Txn"][i % 3]}`,
      "content-type: application/grpc",
      "te: trailers",
      `grpc-timeout: ${i}m`,
      `x-${i % 7}: ${"value ".repeat((i * 13) % 40)}${i}`,
      `y: ${String.fromCharCode(...Array.from({ length: 40 }, (_, k) => 0x21 + ((i * 31 + k * 7) % 94)))}`,
      `z: ${String.fromCharCode(0x80 + (i % 128), 0x80 + ((i * 5) % 128))}`,
      "token: secret",
    );
  }

  test("consecutive requests, with insertion and eviction", async () => {
    const peer = await open();
    const encoder = new HpackEncoder({ indexingFor: (name) => (name === "token" ? "never" : "incremental") });
    const indexing: (FieldIndexing | undefined)[] = [undefined, "none", undefined, "never"];
    for (let i = 0; i < 200; i++) {
      const fields = request(i);
      const block = encodeAll(encoder, fields, indexing[i % 5]);
      assert.deepEqual(await exchange(peer, 2 * i + 1, block), linesOf(fields), `request ${i}`);
    }
  });

  test("RFC 7541 4.2: table sizes that the server changes in between", async () => {
    const peer = await open();
    const encoder = new HpackEncoder({ tableBytesMax: 16_384 });
    const sizes = [0, 16_384, 200, 4096, 1000, 0, 65_536];
    for (let i = 0; i < 140; i++) {
      if (i % 20 === 0) {
        applyTableBytes?.(sizes[i / 20]);
        const settings = await peer.nextWhere((frame) => frame.type === SETTINGS && frame.flags === 0);
        assert.equal(tableBytesIn(settings.payload), sizes[i / 20]);
        peer.write(SETTINGS, ACK, 0, new Uint8Array(0));
        encoder.setPeerTableBytesMax(sizes[i / 20]);
      }
      const fields = request(i);
      assert.deepEqual(await exchange(peer, 2 * i + 1, encodeAll(encoder, fields)), linesOf(fields), `request ${i}`);
    }
  });

  test("RFC 7541 Appendix A: the request half of the static table has the same entries", async () => {
    const peer = await open();
    const transferEncoding = 57; // Not allowed in HTTP/2.
    let stream = 1;
    for (let index = 15; index <= 61; index++) {
      if (index === transferEncoding) continue;
      const named = Uint8Array.of(0x0f, index - 15, 1, 0x30);
      const block = Buffer.concat([octets("82 86 84 41 01 61"), named]);
      const lines = await exchange(peer, stream, block);
      assert.equal(lines.at(-1), `${STATIC_FIELDS[index - 1].name}: 0`);
      stream += 2;
    }
    for (const pseudo of ["82 84 86", "83 85 87"]) {
      const indexed = octets(pseudo);
      const lines = await exchange(peer, stream, Buffer.concat([indexed, octets("41 01 61 90")]));
      const expected = [...indexed].map((octet) => STATIC_FIELDS[(octet & 0x7f) - 1]);
      assert.deepEqual(lines, [
        ...linesOf(listFromRaw(expected.flatMap((f) => [f.name, f.value]))),
        ":authority: a",
        "accept-encoding: gzip, deflate",
      ]);
      stream += 2;
    }
  });
});

describe("nghttp2's encoder, our decoder", () => {
  /** Answers every request with the block that `answerTo` makes of it. */
  class RawServer {
    readonly lists: HeaderFields[] = [];
    readonly decoder: HpackDecoder;
    readonly #peer: FrameSocket;
    readonly #answerTo: (request: number) => Uint8Array;
    readonly #announced: number[] = [];

    constructor(socket: Socket, answerTo: (request: number) => Uint8Array) {
      this.#peer = new FrameSocket(socket);
      this.#answerTo = answerTo;
      this.decoder = newDecoder({ tableBytesMax: 65_536 });
    }

    announce(bytes: number): void {
      this.#announced.push(bytes);
      this.#peer.writeTableBytesMax(bytes);
    }

    async run(): Promise<void> {
      await this.#peer.take(PREFACE.length);
      this.#peer.write(SETTINGS, 0, 0, new Uint8Array(0));
      this.#announced.push(-1);
      for (;;) await this.#answer(await this.#peer.next());
    }

    async #answer(frame: Frame): Promise<void> {
      if (frame.type === SETTINGS && frame.flags === ACK) {
        const bytes = this.#announced.shift() ?? -1;
        if (bytes >= 0) this.decoder.setTableBytesMax(bytes);
      } else if (frame.type === SETTINGS) this.#peer.write(SETTINGS, ACK, 0, new Uint8Array(0));
      else if (frame.type === HEADERS) {
        const block = await this.#wholeBlock(frame);
        this.lists.push(this.decoder.decode(block, 0, block.length));
        this.#peer.write(HEADERS, END_HEADERS | END_STREAM, frame.stream, this.#answerTo(this.lists.length - 1));
      }
    }

    async #wholeBlock(frame: Frame): Promise<Buffer> {
      const priorityBytes = frame.flags & PADDED_OR_PRIORITY ? 5 : 0;
      const parts = [frame.payload.subarray(priorityBytes)];
      let flags = frame.flags;
      while ((flags & END_HEADERS) === 0) {
        const more = await this.#peer.next();
        assert.equal(more.type, CONTINUATION);
        parts.push(more.payload);
        flags = more.flags;
      }
      return Buffer.concat(parts);
    }
  }

  interface Pair {
    readonly server: RawServer;
    readonly client: ClientHttp2Session;
    close(): Promise<void>;
  }

  async function pair(answerTo: (request: number) => Uint8Array): Promise<Pair> {
    const tcp = createTcpServer();
    tcp.listen(0, "127.0.0.1");
    await once(tcp, "listening");
    const client = connectHttp2(`http://127.0.0.1:${(tcp.address() as AddressInfo).port}`);
    const [socket] = (await once(tcp, "connection")) as [Socket];
    const server = new RawServer(socket, answerTo);
    const running = server.run().catch((error: unknown) => error);
    const close = async (): Promise<void> => {
      client.destroy();
      tcp.close();
      const end = await running;
      assert.ok(end instanceof Error && /closed|ECONNRESET|aborted/.test(end.message), String(end));
    };
    return { server, client, close };
  }

  /** Sends one request and gives the headers of the answer. */
  async function request(
    client: ClientHttp2Session,
    headers: Record<string, string>,
  ): Promise<Record<string, unknown>> {
    const stream = client.request(headers, { endStream: true });
    const [answer] = (await once(stream, "response")) as [Record<string, unknown>];
    stream.resume();
    await once(stream, "close");
    return answer;
  }

  function headersOf(i: number): Record<string, string> {
    return {
      ":method": "POST",
      ":path": `/etcdserverpb.KV/${["Put", "Range", "Txn"][i % 3]}`,
      ":scheme": "http",
      ":authority": "127.0.0.1:2379",
      te: "trailers",
      "content-type": "application/grpc",
      "grpc-timeout": `${i}m`,
      [`x-${i % 7}`]: `${"value ".repeat((i * 13) % 40)}${i}`,
      y: String.fromCharCode(...Array.from({ length: 40 }, (_, k) => 0x21 + ((i * 31 + k * 7) % 94))),
      authorization: "secret",
    };
  }

  test("consecutive requests, with insertion, eviction and changing table sizes", async () => {
    const ok = octets("88");
    const { server, client, close } = await pair(() => ok);
    const sizes = [4096, 0, 200, 65_536, 1000];
    for (let i = 0; i < 200; i++) {
      if (i % 40 === 0) server.announce(sizes[i / 40]);
      await request(client, headersOf(i));
      const { names, values } = server.lists[i];
      assert.deepEqual(Object.fromEntries(names.map((name, k) => [name, values[k]])), headersOf(i), `request ${i}`);
    }
    await close();
  });

  test("a block larger than one frame", async () => {
    const ok = octets("88");
    const { server, client, close } = await pair(() => ok);
    const long = "~".repeat(40_000);
    await request(client, { ...headersOf(0), long });
    assert.equal(server.lists[0].values[server.lists[0].names.indexOf("long")], long);
    await close();
  });

  test("RFC 7541 Appendix A: the response half of the static table has the same entries", async () => {
    const { client, close } = await pair((i) => Uint8Array.of(0x80 | (8 + i)));
    for (let index = 8; index <= 14; index++) {
      const answer = await request(client, headersOf(index));
      assert.equal(String(answer[":status"]), STATIC_FIELDS[index - 1].value);
    }
    await close();
  });

  test("responses of our encoder, each status and metadata", async () => {
    const encoder = new HpackEncoder();
    const fields = (i: number): HeaderFields =>
      fieldsOf(":status: 200", "content-type: application/grpc", `grpc-status: ${i % 17}`, `grpc-message: text ${i}`);
    const { client, close } = await pair((i) => encodeAll(encoder, fields(i)));
    for (let i = 0; i < 50; i++) {
      const answer = await request(client, headersOf(i));
      assert.equal(answer["grpc-status"], String(i % 17));
      assert.equal(answer["grpc-message"], `text ${i}`);
    }
    await close();
  });
});
