/** The HPACK decoder of another implementation, to compare with: nghttp2's, by way of Node's own `node:http2`. */
import { type Http2Session, performServerHandshake, type ServerHttp2Stream } from "node:http2";
import { MemorySocket } from "@holdfast/transport/testing";
import * as raw from "../attacks/frames.js";

/** What it made of the blocks of a connection. */
export interface ReferenceVerdict {
  /** It ended the connection for what it found in a block. */
  readonly isRefused: boolean;
  /** The fields of each block that was a request as HTTP wants it, by the number of the block; names and values in turn. */
  readonly lists: ReadonlyMap<number, readonly string[]>;
}

/** Enough for what Node does in later turns with bytes that it was given in this one. */
const turns = 3;

export async function decodeByReference(blocks: readonly Buffer[]): Promise<ReferenceVerdict> {
  const socket = new MemorySocket();
  const session: Http2Session = performServerHandshake(socket);
  const lists = new Map<number, readonly string[]>();
  session.on("error", () => {});
  session.on("stream", (stream: ServerHttp2Stream, _headers: unknown, _flags: unknown, list: readonly string[]) => {
    stream.on("error", () => {});
    lists.set(((stream.id ?? 1) - 1) / 2, list);
  });
  const flags = raw.Flag.endHeaders | raw.Flag.endStream;
  const frames = blocks.map((block, n) => raw.frame(raw.Type.headers, flags, 2 * n + 1, block));
  socket.push(Buffer.concat([raw.PREFACE, raw.settings(), ...frames]));
  for (let left = turns; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
  const isRefused = goawayCode(socket.sent) === raw.Code.compression;
  session.destroy();
  socket.destroy();
  return { isRefused, lists };
}

/** The error code of the last GOAWAY in a stream of frames; undefined without one. */
function goawayCode(sent: Buffer): number | undefined {
  let code: number | undefined;
  for (let at = 0; at + 9 <= sent.length; at += 9 + sent.readUIntBE(at, 3)) {
    if (sent[at + 3] === raw.Type.goaway) code = sent.readUInt32BE(at + 13);
  }
  return code;
}
