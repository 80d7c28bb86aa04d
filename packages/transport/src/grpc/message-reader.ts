/**
 * Cuts the body of a call into messages: one flag byte, four bytes of length, and so many bytes (gRPC over HTTP/2,
 * "Length-Prefixed-Message"). A message that lies whole in one DATA frame is handed on in place.
 */
import { ByteCollector, type MemoryGrant } from "../http2/byte-collector.js";
import type { MessageMemory } from "../http2/message-memory.js";

export const PREFIX_BYTES = 5;

/** Takes the messages of one call. */
export interface MessageListener {
  /** One whole message, valid only during the call. False ends reading. */
  message(bytes: Buffer, flag: number): boolean;
  /** A message of `declaredBytes` was announced, which is above the limit. Nothing of it was kept. */
  tooLarge(declaredBytes: number): void;
  /** Unfinished messages take too much memory (F16). */
  tooMuchBuffered(): void;
}

/** The length that the prefix at `at` declares. */
export function declaredLength(bytes: Buffer, at: number): number {
  return ((bytes[at + 1] << 24) | (bytes[at + 2] << 16) | (bytes[at + 3] << 8) | bytes[at + 4]) >>> 0;
}

const prefix = new Uint8Array(PREFIX_BYTES);

/** The prefix of an uncompressed message. Shared: valid until the next call. */
export function messagePrefix(length: number): Uint8Array {
  prefix[1] = length >>> 24;
  prefix[2] = length >>> 16;
  prefix[3] = length >>> 8;
  prefix[4] = length;
  return prefix;
}

/** Reader of one call, made when its first frame is not exactly one whole message. */
export class MessageReader {
  readonly #listener: MessageListener;
  /** The beginning of the message whose end has not come yet. */
  readonly #body: ByteCollector;
  readonly #messageBytesMax: number;
  readonly #prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  #prefixLength = 0;
  /** Declared bytes of that message. */
  #wanted = 0;
  #stopped = false;

  /** `messageBytesMax` is the largest length that may be declared. For `memory` see `ByteCollector`. */
  constructor(listener: MessageListener, grant: MemoryGrant, messageBytesMax: number, memory?: MessageMemory) {
    this.#listener = listener;
    this.#body = new ByteCollector(grant, memory);
    this.#messageBytesMax = messageBytesMax;
  }

  /** True in the middle of a message: the body must not end here. */
  get midMessage(): boolean {
    return this.#prefixLength > 0;
  }

  /** Reads `bytes` from `start` to `end`. */
  feed(bytes: Buffer, start: number, end: number): void {
    let at = this.#prefixLength === 0 ? this.#readWhole(bytes, start, end) : start;
    while (at < end && !this.#stopped) {
      at = this.#prefixLength < PREFIX_BYTES ? this.#readPrefix(bytes, at, end) : this.#readBody(bytes, at, end);
    }
  }

  /** Gives back what is held; nothing is read afterwards. */
  stop(): void {
    this.#stopped = true;
    this.#body.clear();
  }

  /**
   * Hands on the messages that lie whole in `bytes`, as nearly all do, without keeping anything of them; returns where the
   * first begins that does not.
   */
  #readWhole(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (end - at >= PREFIX_BYTES && !this.#stopped) {
      const bodyStart = at + PREFIX_BYTES;
      const length = declaredLength(bytes, at);
      if (length > this.#messageBytesMax || length > end - bodyStart) break;
      const flag = bytes[at];
      at = bodyStart + length;
      if (!this.#listener.message(bytes.subarray(bodyStart, at), flag)) this.stop();
    }
    return at;
  }

  #readPrefix(bytes: Buffer, start: number, end: number): number {
    const count = Math.min(PREFIX_BYTES - this.#prefixLength, end - start);
    bytes.copy(this.#prefix, this.#prefixLength, start, start + count);
    this.#prefixLength += count;
    if (this.#prefixLength === PREFIX_BYTES) this.#begin(declaredLength(this.#prefix, 0));
    return start + count;
  }

  #begin(declaredBytes: number): void {
    this.#wanted = declaredBytes;
    if (declaredBytes > this.#messageBytesMax) {
      this.stop();
      this.#listener.tooLarge(declaredBytes);
    } else if (declaredBytes === 0) this.#deliver(this.#prefix.subarray(0, 0));
  }

  #readBody(bytes: Buffer, start: number, end: number): number {
    const bodyEnd = start + this.#wanted - this.#body.length;
    if (this.#body.length === 0 && bodyEnd <= end) {
      this.#deliver(bytes.subarray(start, bodyEnd));
      return bodyEnd;
    }
    const taken = Math.min(bodyEnd, end);
    if (!this.#body.append(bytes, start, taken, this.#wanted)) {
      this.stop();
      this.#listener.tooMuchBuffered();
    } else if (taken === bodyEnd) this.#deliver(this.#body.take());
    return taken;
  }

  #deliver(bytes: Buffer): void {
    const flag = this.#prefix[0];
    this.#prefixLength = 0;
    if (!this.#listener.message(bytes, flag)) this.stop();
  }
}
