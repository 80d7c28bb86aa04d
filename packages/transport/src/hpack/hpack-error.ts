/** What a malformed header block is reported as. Lists that are merely too large are a refusal instead: header-list.ts. */

/**
 * Why a header block cannot be decoded (section numbers of RFC 7541):
 * - `bad-index`: index 0, or beyond both tables (2.3.3, 6.1)
 * - `truncated`: the block ends inside an integer or a string (5)
 * - `integer-overflow`: an integer with more than four continuation octets (5.1)
 * - `huffman-padding`: padding longer than 7 bits, or other than the first bits of EOS (5.2)
 * - `huffman-eos`: the EOS symbol inside a string (5.2)
 * - `size-update-too-large`: a table size update above the limit that we set (6.3)
 * - `size-update-misplaced`: a table size update after the first field of a block (4.2)
 * - `size-update-missing`: none at the start of the block that follows our lowering of the limit (4.2)
 */
export type HpackErrorCode =
  | "bad-index"
  | "truncated"
  | "integer-overflow"
  | "huffman-padding"
  | "huffman-eos"
  | "size-update-too-large"
  | "size-update-misplaced"
  | "size-update-missing";

/**
 * A malformed header block. The two ends no longer agree on the dynamic table, so the connection must end with
 * COMPRESSION_ERROR (RFC 9113 section 4.3) and the decoder must not be used again.
 */
export class HpackError extends Error {
  readonly code: HpackErrorCode;

  constructor(code: HpackErrorCode, message: string) {
    super(message);
    this.name = "HpackError";
    this.code = code;
  }
}
