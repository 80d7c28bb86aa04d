/**
 * Collects a header block that comes in several frames (RFC 9113, 4.3). A block in one frame never gets here. Both the
 * number of frames and the bytes are bounded before anything is kept (F30).
 */
import type { TransportContext } from "./context.js";
import { ConnectionError } from "./errors.js";
import { ENHANCE_YOUR_CALM } from "./protocol.js";

/** One per connection. */
export class HeaderBlock {
  /** The stream whose block is incomplete; 0 if there is none. */
  streamId = 0;
  /** The HEADERS frame carried END_STREAM. */
  endStream = false;
  /** The stream depends on itself (RFC 9113, 5.3.1 in its older form): a stream error once the block is decoded. */
  dependsOnItself = false;
  startedAtMs = 0;
  readonly #context: TransportContext;
  #fragments: Buffer[] = [];
  #bytes = 0;
  #continuations = 0;

  constructor(context: TransportContext) {
    this.#context = context;
  }

  /** The HEADERS frame of `streamId` came without END_HEADERS. */
  begin(streamId: number, endStream: boolean, dependsOnItself: boolean, nowMs: number): void {
    this.streamId = streamId;
    this.endStream = endStream;
    this.dependsOnItself = dependsOnItself;
    this.startedAtMs = nowMs;
    this.#continuations = 0;
  }

  /**
   * Keeps a copy of a fragment.
   * @throws ConnectionError ENHANCE_YOUR_CALM above `headerBlockBytesMax`.
   */
  add(bytes: Buffer, start: number, end: number): void {
    this.#bytes += end - start;
    if (this.#bytes > this.#context.limits.headerBlockBytesMax) this.#flood();
    this.#fragments.push(Buffer.from(bytes.subarray(start, end)));
  }

  /**
   * Counts a CONTINUATION frame.
   * @throws ConnectionError ENHANCE_YOUR_CALM above `continuationFramesMax`.
   */
  countContinuation(): void {
    this.#continuations++;
    if (this.#continuations > this.#context.limits.continuationFramesMax) this.#flood();
  }

  /** The whole block; afterwards there is none. */
  take(): Buffer {
    const block = Buffer.concat(this.#fragments);
    this.#fragments = [];
    this.#bytes = 0;
    this.streamId = 0;
    return block;
  }

  #flood(): never {
    this.#context.counters.continuationFloods++;
    throw new ConnectionError(ENHANCE_YOUR_CALM, "header block too large");
  }
}
