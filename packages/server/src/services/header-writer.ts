/**
 * Writes the header of answers, where there are very many: who answers never changes, and takes most of its bytes.
 */
import {
  createResponseHeader,
  encodeResponseHeader,
  fieldTag,
  type ResponseHeader,
  WireType,
  Writer,
} from "@holdfast/protocol";

const headerTag = fieldTag(1, WireType.lengthDelimited);
const revisionTag = fieldTag(3, WireType.varint);
const epochTag = fieldTag(4, WireType.varint);
/** What a header may take; one byte tells its length. */
const headerBytesMax = 0x7f;

export class HeaderWriter {
  /** The fields that come first in a header. */
  readonly #identity: Uint8Array;
  readonly #own = new Writer(2 * headerBytesMax);
  /** What was written last, and its bytes once they are asked for again. */
  #revision = Number.NaN;
  #epoch = Number.NaN;
  #encoded: Uint8Array | undefined;

  constructor({ clusterId, memberId }: Pick<ResponseHeader, "clusterId" | "memberId">) {
    this.#identity = encodeResponseHeader(createResponseHeader({ clusterId, memberId }));
  }

  /** Appends the header of an answer given at `revision` in `epoch` as the field with the number 1. */
  write(writer: Writer, revision: number, epoch: number): void {
    if (revision !== this.#revision || epoch !== this.#epoch) {
      this.#revision = revision;
      this.#epoch = epoch;
      this.#encoded = undefined;
      this.#writeAnew(writer, revision, epoch);
      return;
    }
    // Answers to puts are all different; renewals have the same header by the thousand.
    if (this.#encoded === undefined) {
      this.#own.reset();
      this.#writeAnew(this.#own, revision, epoch);
      this.#encoded = this.#own.copy();
    }
    writer.raw(this.#encoded);
  }

  #writeAnew(writer: Writer, revision: number, epoch: number): void {
    const start = writer.begin(headerTag, headerBytesMax);
    writer.raw(this.#identity);
    if (revision !== 0) writer.int64NumberField(revisionTag, revision);
    if (epoch !== 0) writer.uint64NumberField(epochTag, epoch);
    writer.end(start, headerBytesMax);
  }
}
