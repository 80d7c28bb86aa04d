/**
 * Cuts the body of a call into messages: one flag byte, four bytes of length, and so many bytes (gRPC over HTTP/2,
 * "Length-Prefixed-Message"). A message that lies whole in one DATA frame is handed on in place.
 */
export const PREFIX_BYTES = 5;
const FIRST_BUFFER_BYTES = 1_024;

/** Grants the memory for messages that come in pieces: the connection. */
export interface BufferAccount {
  reserveBuffer(byteCount: number): boolean;
  releaseBuffer(byteCount: number): void;
}

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
  readonly #account: BufferAccount;
  readonly #messageBytesMax: number;
  readonly #prefix = Buffer.allocUnsafe(PREFIX_BYTES);
  #prefixLength = 0;
  /** The beginning of the message whose end has not come yet. */
  #body: Buffer | undefined = undefined;
  #bodyLength = 0;
  /** Declared bytes of that message. */
  #wanted = 0;
  #stopped = false;

  /** `messageBytesMax` is the largest length that may be declared. */
  constructor(listener: MessageListener, account: BufferAccount, messageBytesMax: number) {
    this.#listener = listener;
    this.#account = account;
    this.#messageBytesMax = messageBytesMax;
  }

  /** True in the middle of a message: the body must not end here. */
  get midMessage(): boolean {
    return this.#prefixLength > 0;
  }

  /** Reads `bytes` from `start` to `end`. */
  feed(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.#stopped) {
      at = this.#prefixLength < PREFIX_BYTES ? this.#readPrefix(bytes, at, end) : this.#readBody(bytes, at, end);
    }
  }

  /** Gives back what is held; nothing is read afterwards. */
  stop(): void {
    this.#stopped = true;
    this.#release();
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
    const missing = this.#wanted - this.#bodyLength;
    if (end - start < missing) return this.#keep(bytes, start, end);
    const bodyEnd = start + missing;
    if (this.#bodyLength === 0) {
      this.#deliver(bytes.subarray(start, bodyEnd));
      return bodyEnd;
    }
    if (!this.#grow(missing)) return end;
    bytes.copy(this.#body!, this.#bodyLength, start, bodyEnd);
    const whole = this.#body!.subarray(0, this.#wanted);
    this.#release();
    this.#deliver(whole);
    return bodyEnd;
  }

  #keep(bytes: Buffer, start: number, end: number): number {
    if (!this.#grow(end - start)) return end;
    bytes.copy(this.#body!, this.#bodyLength, start, end);
    this.#bodyLength += end - start;
    return end;
  }

  #deliver(bytes: Buffer): void {
    const flag = this.#prefix[0];
    this.#prefixLength = 0;
    if (!this.#listener.message(bytes, flag)) this.stop();
  }

  /** Room for `count` more bytes. Memory follows the bytes that came, not the length that was declared (F44). */
  #grow(count: number): boolean {
    const held = this.#body?.length ?? 0;
    const needed = this.#bodyLength + count;
    if (needed <= held) return true;
    const larger = Math.min(this.#wanted, Math.max(needed, held * 2, FIRST_BUFFER_BYTES));
    if (!this.#reserve(larger - held)) return false;
    const body = Buffer.allocUnsafeSlow(larger);
    this.#body?.copy(body, 0, 0, this.#bodyLength);
    this.#body = body;
    return true;
  }

  #reserve(byteCount: number): boolean {
    if (this.#account.reserveBuffer(byteCount)) return true;
    this.stop();
    this.#listener.tooMuchBuffered();
    return false;
  }

  #release(): void {
    if (this.#body === undefined) return;
    this.#account.releaseBuffer(this.#body.length);
    this.#body = undefined;
    this.#bodyLength = 0;
  }
}
