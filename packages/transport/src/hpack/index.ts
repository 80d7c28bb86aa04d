/**
 * The door of the HPACK codec (RFC 7541): header blocks to header lists and back.
 *
 * Knows nothing of frames, streams or requests: joining CONTINUATION frames, checking pseudo-header fields and
 * answering a refused list belong to http2/.
 */

export { constantBlock } from "./constant-block.js";
export { HeaderBlockWriter } from "./header-block-writer.js";
export { type HeaderFields, HeaderList, type HeaderListRefusal } from "./header-list.js";
export { HpackDecoder, type HpackDecoderOptions } from "./hpack-decoder.js";
export { HpackEncoder, type HpackEncoderOptions } from "./hpack-encoder.js";
export { HpackError, type HpackErrorCode } from "./hpack-error.js";
export type { FieldIndexing } from "./indexing-policy.js";
export { KnownBlocks } from "./known-blocks.js";
export { RepeatedHeaderBlock } from "./repeated-header-block.js";
