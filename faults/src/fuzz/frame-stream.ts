/** What a client may send on an HTTP/2 connection: honest calls, odd ones, and frames in which something is wrong. */
import { HeaderBlockWriter, HpackEncoder } from "@holdfast/transport/testing";
import * as raw from "../attacks/frames.js";
import { mutate } from "./mutate.js";
import type { Random } from "./random.js";

/** Makes the body of a request to `path`. */
export type BodyMaker = (path: string, random: Random) => Buffer;

const itemsMax = 24;
const flagChoices = [0, 1, 4, 5, 8, 9, 12, 13, 0x20, 0x24, 0x25, 0x2d, 0xff] as const;
const numberChoices = [0, 1, 2, 0xffff, 0x10000, 0x3fffffff, 0x7fffffff, 0x80000000, 0xffffffff] as const;
/** Table size, initial window, largest frame, one that nobody knows. */
const legalSettings: readonly [identifier: number, value: number][] = [
  [1, 0],
  [1, 4_096],
  [1, 65_536],
  [4, 0],
  [4, 1],
  [4, 0x7fffffff],
  [5, 16_384],
  [5, 0xffffff],
  [77, 1],
];
const extraFields: readonly raw.Fields[] = [
  [["grpc-encoding", "gzip"]],
  [["grpc-timeout", "1n"]],
  [["grpc-timeout", "99999999H"]],
  [["grpc-timeout", "x"]],
  [["te", "x"]],
  [["content-length", "3"]],
  [["connection", "close"]],
  [["UPPER", "x"]],
  [["x-bin", "####"]],
  [["token", "no such token"]],
  [[":path", "/twice"]],
  [["cookie", "a=b"]],
  [["", ""]],
  [["x", "\r\n"]],
];

/** All that one client sends, from the preface on. */
export class FrameStream {
  readonly #random: Random;
  readonly #paths: readonly string[];
  readonly #bodyOf: BodyMaker;
  readonly #encoder = new HpackEncoder();
  #lastStream = -1;

  constructor(random: Random, paths: readonly string[], bodyOf: BodyMaker) {
    this.#random = random;
    this.#paths = paths;
    this.#bodyOf = bodyOf;
  }

  bytes(): Buffer {
    const random = this.#random;
    const parts = random.chance(30) ? [] : [raw.PREFACE, raw.settings(...this.#settings())];
    for (let left = 1 + random.length(itemsMax); left > 0; left--) {
      const part = this.#item();
      parts.push(random.chance(24) ? mutate(part, random) : part);
    }
    const all = Buffer.concat(parts);
    return random.chance(8) ? mutate(all, random) : all;
  }

  #item(): Buffer {
    const random = this.#random;
    // Most of it is honest: one wrong frame ends a connection, and what stands behind it is not looked at.
    if (random.chance(2)) return this.#call();
    switch (random.below(13)) {
      case 0:
      case 1:
      case 2:
        return this.#callInPieces();
      case 3:
        return raw.ping(random.next());
      case 4:
        return this.#headers(this.#anyStream(), random.pick(flagChoices));
      case 5:
        return raw.data(this.#anyStream(), this.#message(this.#path()), random.pick([0, 0, 1, 8]));
      case 6:
        return this.#splitHeaders();
      case 7:
        return raw.windowUpdate(
          this.#anyStream(),
          random.chance(4) ? random.pick(numberChoices) : 1 + random.below(9_000),
        );
      case 8:
        return raw.reset(this.#anyStream(), random.below(15));
      case 9:
        return raw.settings(...this.#settings());
      case 10:
        return raw.frame(raw.Type.priority, 0, this.#anyStream(), random.bytes(random.pick([4, 5, 5, 5])));
      case 11:
        return raw.frame(raw.Type.goaway, 0, random.pick([0, 0, 1]), random.bytes(random.pick([7, 8, 12])));
      default:
        return this.#anyFrame();
    }
  }

  /** A whole request of one message. */
  #call(): Buffer {
    const path = this.#path();
    const stream = this.#nextStream();
    return Buffer.concat([this.#request(stream, path, 0), raw.data(stream, this.#message(path), raw.Flag.endStream)]);
  }

  /** Headers, several messages in any number of frames, sometimes with padding, sometimes without an end. */
  #callInPieces(): Buffer {
    const random = this.#random;
    const path = this.#path();
    const stream = this.#nextStream();
    const body = Buffer.concat(Array.from({ length: random.length(4) }, () => this.#message(path)));
    const parts = [this.#request(stream, path, 0)];
    for (let at = 0; at < body.length; ) {
      const piece = body.subarray(at, at + 1 + random.length(2_000));
      parts.push(random.chance(5) ? this.#padded(stream, piece) : raw.data(stream, piece));
      at += piece.length;
    }
    if (!random.chance(4)) parts.push(raw.data(stream, Buffer.alloc(0), raw.Flag.endStream));
    return Buffer.concat(parts);
  }

  #padded(stream: number, piece: Buffer): Buffer {
    const length = this.#random.below(30);
    const claimed = this.#random.chance(8) ? 255 : length;
    return raw.data(stream, Buffer.concat([Buffer.from([claimed]), piece, Buffer.alloc(length)]), raw.Flag.padded);
  }

  /** A header block in several frames, now and then with something in between that must not be there. */
  #splitHeaders(): Buffer {
    const random = this.#random;
    const stream = this.#nextStream();
    const block = this.#block(this.#path());
    const cut = random.below(block.length);
    const parts = [raw.frame(raw.Type.headers, random.pick([0, 1]), stream, block.subarray(0, cut))];
    if (random.chance(4)) parts.push(this.#anyFrame());
    const flags = random.chance(6) ? 0 : raw.Flag.endHeaders;
    parts.push(raw.frame(raw.Type.continuation, flags, random.chance(8) ? stream + 2 : stream, block.subarray(cut)));
    return Buffer.concat(parts);
  }

  #request(stream: number, path: string, flags: number): Buffer {
    return raw.frame(raw.Type.headers, raw.Flag.endHeaders | flags, stream, this.#block(path));
  }

  #headers(stream: number, flags: number): Buffer {
    return raw.frame(raw.Type.headers, flags, stream, this.#block(this.#path()));
  }

  #block(path: string): Buffer {
    const random = this.#random;
    const fields = raw.requestFields(path, random.chance(3) ? random.pick(extraFields) : []);
    const chosen = random.chance(10) ? fields.toSpliced(random.below(fields.length), 1) : fields;
    if (random.chance(3)) return raw.block(chosen);
    const out = new HeaderBlockWriter();
    this.#encoder.encode({ names: chosen.map(([name]) => name), values: chosen.map(([, value]) => value) }, out);
    return Buffer.from(out.copy());
  }

  #message(path: string): Buffer {
    const random = this.#random;
    const body = this.#bodyOf(path, random);
    const message = raw.message(body, random.chance(15) ? random.below(256) : 0);
    if (random.chance(15)) message.writeUInt32BE(random.pick(numberChoices), 1);
    return message;
  }

  #anyFrame(): Buffer {
    const random = this.#random;
    const frame = raw.frame(
      random.below(13),
      random.pick(flagChoices),
      this.#anyStream(),
      random.bytes(random.length(random.chance(20) ? 20_000 : 60)),
    );
    if (random.chance(10)) frame.writeUIntBE(random.pick(numberChoices) & 0xffffff, 0, 3);
    return frame;
  }

  #settings(): [number, number][] {
    const random = this.#random;
    if (random.chance(8))
      return Array.from({ length: random.length(4) }, () => [random.below(9), random.pick(numberChoices)]);
    return Array.from({ length: random.length(3) }, () => random.pick(legalSettings));
  }

  #path(): string {
    return this.#random.chance(20)
      ? this.#random.pick(["/no.such/Method", "x", "", "/", "/a/b/c"])
      : this.#random.pick(this.#paths);
  }

  #nextStream(): number {
    this.#lastStream += this.#random.chance(20) ? this.#random.pick([0, 1, 4]) : 2;
    return Math.max(this.#lastStream, 0);
  }

  #anyStream(): number {
    const random = this.#random;
    if (random.chance(3)) return Math.max(this.#lastStream, 0);
    return random.chance(20) ? random.next() & 0x7fffffff : random.below(Math.max(this.#lastStream, 0) + 1);
  }
}
