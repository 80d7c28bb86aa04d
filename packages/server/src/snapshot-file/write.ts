/** A snapshot file, part by part, without its digest: who sends or writes the parts makes that. */
import { WireType } from "@holdfast/protocol";
import type { FrozenState } from "@holdfast/state-machine";
import { blockBytes, formatNumber, headBytes, magic } from "./format.js";

const noBytes = new Uint8Array(0);
const wireTypeMask = 0b111;

/**
 * The parts of the file in their order, made as they are asked for, each valid until the next; the state must not be
 * released before the last. An empty part means that time passed and nothing came of it. The parts of one state always
 * make the same bytes, however the machine changes meanwhile, although the cuts between them may lie elsewhere.
 */
export function* snapshotFileParts(state: FrozenState): Iterable<Uint8Array> {
  yield head();
  let length = headBytes;
  for (const chunk of state.chunks()) {
    const part = isPause(chunk) ? noBytes : chunk;
    yield part;
    length += part.length;
  }
  yield new Uint8Array(blockBytes - (length % blockBytes));
}

/** A chunk that holds no record: how many of them there are depends on what was written after the state was frozen. */
function isPause(chunk: Uint8Array): boolean {
  return ((chunk[0] as number) & wireTypeMask) === WireType.varint;
}

function head(): Uint8Array {
  const bytes = Buffer.alloc(headBytes);
  magic.copy(bytes);
  bytes.writeUInt32LE(formatNumber, magic.length);
  return bytes;
}
