/**
 * Huffman coding of strings, RFC 7541 section 5.2. The length prefix and the choice between coded and plain are left
 * to the callers.
 *
 * The decoder is a state machine that takes a whole octet per step. A state is an inner node of the code tree; there
 * are 256 of them, so that a step is one look-up in a table of 65 536 words (256 KiB). Half an octet per step needs
 * only 16 KiB, but took 1.3 to 2 times as long on typical strings.
 */

import { HpackError } from "./hpack-error.js";
import { HUFFMAN_CODE_LENGTHS } from "./huffman-code-lengths.js";

const EOS = 256;
const ROOT = 0;
const PADDING_BITS_MAX = 7;

/** How many bits the code of each octet has. */
const CODE_BITS = Uint8Array.from(HUFFMAN_CODE_LENGTHS.slice(0, EOS));
const CODES = canonicalCodes();
const CHILDREN = codeTree();

const COUNT_SHIFT = 8;
const EOS_SHIFT = 10;
const FIRST_SYMBOL_SHIFT = 16;
const SECOND_SYMBOL_SHIFT = 24;

/**
 * Step table, index `state << 8 | octet`. A word holds the next state (bits 0–7), the number of symbols completed
 * (8–9; the shortest code has five bits, so there are at most two), whether EOS was met (10), and the symbols (16–23,
 * 24–31).
 *
 * No word is 0: who is back at the root has completed a symbol. What is 0 has not been found out yet, for all octets of a
 * state at once: to fill the whole table takes 4 ms of a start, and headers lead to a few dozen states.
 */
const STEPS = new Int32Array(256 * 256);

/** 1 for the states in which a string may end: up to seven bits, all of them ones, since the last symbol. */
const MAY_END = endStates();

function canonicalCodes(): Uint32Array {
  const bySize = HUFFMAN_CODE_LENGTHS.map((_, symbol) => symbol);
  bySize.sort((a, b) => HUFFMAN_CODE_LENGTHS[a] - HUFFMAN_CODE_LENGTHS[b] || a - b);
  const codes = new Uint32Array(HUFFMAN_CODE_LENGTHS.length);
  let code = 0;
  let bits = HUFFMAN_CODE_LENGTHS[bySize[0]];
  for (const symbol of bySize) {
    code <<= HUFFMAN_CODE_LENGTHS[symbol] - bits;
    bits = HUFFMAN_CODE_LENGTHS[symbol];
    codes[symbol] = code++;
  }
  return codes;
}

/** The children of inner node n are at 2n (bit 0) and 2n + 1 (bit 1): a node, or `~symbol` for a leaf. */
function codeTree(): Int16Array {
  const children = new Int16Array(2 * EOS);
  let nodes = 1;
  for (let symbol = 0; symbol <= EOS; symbol++) {
    const code = CODES[symbol];
    let node = ROOT;
    for (let bit = HUFFMAN_CODE_LENGTHS[symbol] - 1; bit > 0; bit--) {
      const at = 2 * node + ((code >>> bit) & 1);
      if (children[at] === 0) children[at] = nodes++;
      node = children[at];
    }
    children[2 * node + (code & 1)] = ~symbol;
  }
  return children;
}

/** Fills the words of all octets that begin with the bits taken so far; `word` is what those bits have produced. */
function fillSteps(steps: Int32Array, at: number, bitsLeft: number, node: number, word: number): void {
  if (bitsLeft === 0) {
    steps[at] = word | node;
    return;
  }
  for (let bit = 0; bit < 2; bit++) {
    const child = CHILDREN[2 * node + bit];
    const next = at | (bit << (bitsLeft - 1));
    if (child >= 0) fillSteps(steps, next, bitsLeft - 1, child, word);
    else fillSteps(steps, next, bitsLeft - 1, ROOT, withSymbol(word, ~child));
  }
}

function withSymbol(word: number, symbol: number): number {
  if (symbol === EOS) return word | (1 << EOS_SHIFT);
  const isFirst = ((word >>> COUNT_SHIFT) & 3) === 0;
  return (word + (1 << COUNT_SHIFT)) | (symbol << (isFirst ? FIRST_SYMBOL_SHIFT : SECOND_SYMBOL_SHIFT));
}

function endStates(): Uint8Array {
  const mayEnd = new Uint8Array(256);
  let node = ROOT;
  for (let ones = 0; ones <= PADDING_BITS_MAX; ones++) {
    mayEnd[node] = 1;
    node = CHILDREN[2 * node + 1];
  }
  return mayEnd;
}

/** How large `target` must be to decode `octets` coded octets into it: five bits per symbol, and one spare write. */
export function huffmanDecodedBytesMax(octets: number): number {
  return Math.ceil((octets * 8) / 5) + 2;
}

/**
 * Decodes `source[start, end)` into the front of `target` and returns the decoded length.
 * Throws `HpackError` (`huffman-eos`, `huffman-padding`).
 */
export function huffmanDecode(source: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let state = ROOT;
  let length = 0;
  let seen = 0;
  for (let i = start; i < end; i++) {
    let word = STEPS[(state << 8) | source[i]];
    if (word === 0) {
      fillSteps(STEPS, state << 8, 8, state, 0);
      word = STEPS[(state << 8) | source[i]];
    }
    // Both symbols are written, whether there or not: the count decides what stays, without a branch.
    target[length] = word >>> FIRST_SYMBOL_SHIFT;
    target[length + 1] = word >>> SECOND_SYMBOL_SHIFT;
    length += (word >>> COUNT_SHIFT) & 3;
    seen |= word;
    state = word & 0xff;
  }
  if ((seen & (1 << EOS_SHIFT)) !== 0) throw new HpackError("huffman-eos", "EOS symbol inside a Huffman-coded string");
  if (MAY_END[state] === 0) throw new HpackError("huffman-padding", "Huffman padding is not a prefix of EOS");
  return length;
}

/**
 * How many octets `text` takes when coded. Throws `RangeError` if it has a char above 255, which no header octet can
 * stand for.
 */
export function huffmanEncodedBytes(text: string): number {
  let bits = 0;
  let seen = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    seen |= char;
    bits += CODE_BITS[char & 0xff];
  }
  if (seen > 0xff) throw new RangeError("header field with a char above 255");
  return (bits + 7) >>> 3;
}

/** Codes `text` (chars 0–255) into `target` at `at`, which must have room; returns the offset behind it. */
export function huffmanEncode(text: string, target: Uint8Array, at: number): number {
  let offset = at;
  let pending = 0;
  let pendingBits = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    let code = CODES[char];
    let bits = CODE_BITS[char];
    if (bits > 24) {
      // Seven pending bits and a long code do not fit into 32: the front of the code goes first.
      bits -= 8;
      target[offset++] = (pending << (8 - pendingBits)) | (code >>> (bits + pendingBits));
      pending = (code >>> bits) & ((1 << pendingBits) - 1);
      code &= (1 << bits) - 1;
    }
    pending = (pending << bits) | code;
    pendingBits += bits;
    while (pendingBits >= 8) {
      pendingBits -= 8;
      target[offset++] = pending >>> pendingBits;
    }
    pending &= (1 << pendingBits) - 1;
  }
  if (pendingBits > 0) target[offset++] = (pending << (8 - pendingBits)) | (0xff >>> pendingBits);
  return offset;
}
