/**
 * The HPACK decoder (fault model F31, F32): a block becomes a list or an `HpackError`; the table stays within its size; a
 * decoder that refuses large lists stays in step with one that does not; and nghttp2 reads the same.
 */
import { type HeaderList, HpackDecoder, HpackError } from "@holdfast/transport/testing";
import type { FuzzTarget } from "../fuzz-target.js";
import { headerBlocks } from "../header-blocks.js";
import type { Random } from "../random.js";
import { decodeByReference } from "../reference-hpack.js";

const tableBytesMax = 4_096;
const generous = { headerListBytesMax: 2 ** 30, fieldsMax: 100_000 };
const strict = { headerListBytesMax: 300, fieldsMax: 5 };
/** The other implementation is a hundred times slower. */
const comparedOneIn = 20;
/** Above these bounds, of its own choosing, the other implementation ends the connection. */
const comparedListBytesMax = 32_000;
const comparedFieldsMax = 100;

const legalName = /^:?[!#$%&'*+.^_`|~0-9a-z-]+$/;
const legalValue = /^(?![\t ])[\t\x20-\x7e\x80-\xff]*(?<![\t ])$/;

/** An input: blocks of one connection, each behind its length (two bytes). */
export class HpackTarget implements FuzzTarget {
  readonly name = "hpack";
  #runs = 0;
  #decoded = 0;
  #refused = 0;
  #compared = 0;

  generate(random: Random): Buffer {
    const parts = headerBlocks(random).flatMap((block) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(block.length);
      return [length, block];
    });
    return Buffer.concat(parts);
  }

  run(input: Buffer): void | Promise<void> {
    const blocks = blocksOf(input);
    const lists = this.#decode(blocks);
    this.#runs++;
    if (lists === undefined || this.#runs % comparedOneIn !== 0) return;
    if (lists.every(isWithinBounds)) return this.#compare(blocks, lists);
  }

  figures(): string {
    return `${this.#decoded} blocks decoded, ${this.#refused} refused, ${this.#compared} compared with nghttp2`;
  }

  /** The lists up to the first malformed block; undefined if that one is malformed only by a bound of our own. */
  #decode(blocks: readonly Buffer[]): readonly HeaderList[] | undefined {
    const decoder = new HpackDecoder(generous);
    const bounded = new HpackDecoder(strict);
    const lists: HeaderList[] = [];
    for (const block of blocks) {
      const list = decodeOrRefuse(decoder, block);
      const less = decodeOrRefuse(bounded, block);
      if (list instanceof HpackError || less instanceof HpackError) {
        this.#refused++;
        assertSame(list, less);
        return list instanceof HpackError && list.code === "integer-overflow" ? undefined : lists;
      }
      this.#decoded++;
      lists.push(list);
      assertSound(list, less);
      if (decoder.tableBytes > tableBytesMax) throw new Error(`the table holds ${decoder.tableBytes} bytes`);
      if (decoder.tableBytes !== bounded.tableBytes) throw new Error("a decoder with bounds has another table");
    }
    return lists;
  }

  async #compare(blocks: readonly Buffer[], lists: readonly HeaderList[]): Promise<void> {
    this.#compared++;
    const verdict = await decodeByReference(blocks);
    const isRefused = lists.length < blocks.length;
    if (verdict.isRefused !== isRefused) {
      throw new Error(
        `nghttp2 ${verdict.isRefused ? "refuses" : "takes"} it, ours ${isRefused ? "refuses" : "takes"} it`,
      );
    }
    for (const [at, fields] of verdict.lists) {
      const ours = lists[at];
      if (ours === undefined) throw new Error(`nghttp2 reads a list from block ${at}`);
      const [theirText, ourText] = [legalPairs(fields).join(), legalPairs(flat(ours)).join()];
      if (theirText !== ourText) {
        throw new Error(`block ${at}: nghttp2 reads ${theirText.slice(0, 400)}, ours ${ourText.slice(0, 400)}`);
      }
    }
  }
}

function blocksOf(input: Buffer): Buffer[] {
  const blocks: Buffer[] = [];
  for (let at = 0; at + 2 <= input.length; ) {
    const end = Math.min(input.length, at + 2 + input.readUInt16BE(at));
    blocks.push(input.subarray(at + 2, end));
    at = end;
  }
  return blocks;
}

function decodeOrRefuse(decoder: HpackDecoder, block: Buffer): HeaderList | HpackError {
  try {
    return decoder.decode(block, 0, block.length);
  } catch (error) {
    if (error instanceof HpackError) return error;
    throw error;
  }
}

function assertSame(one: HeaderList | HpackError, other: HeaderList | HpackError): void {
  if (one instanceof HpackError && other instanceof HpackError && one.code === other.code) return;
  throw new Error("a decoder with bounds finds another error");
}

function assertSound(list: HeaderList, less: HeaderList): void {
  const bytes = list.names.reduce((sum, name, n) => sum + name.length + (list.values[n] ?? "").length + 32, 0);
  if (list.bytes !== bytes || less.bytes !== bytes)
    throw new Error(`a list of ${bytes} bytes is counted as ${list.bytes}`);
  const fits = bytes <= strict.headerListBytesMax && list.names.length <= strict.fieldsMax;
  if (fits !== (less.refusal === undefined)) throw new Error("the bounds of a list are not kept");
}

function flat(list: HeaderList): string[] {
  return list.names.flatMap((name, n) => [name, list.values[n] ?? ""]);
}

/** Without what HTTP does not allow: the other implementation leaves it out, ours says so and leaves it in. */
function legalPairs(namesAndValues: readonly string[]): string[] {
  const pairs: string[] = [];
  for (let n = 0; n + 1 < namesAndValues.length; n += 2) {
    const [name = "", value = ""] = namesAndValues.slice(n, n + 2);
    if (legalName.test(name) && legalValue.test(value)) pairs.push(`${name}: ${value}`);
  }
  return pairs;
}

function isWithinBounds(list: HeaderList): boolean {
  return list.bytes <= comparedListBytesMax && list.names.length <= comparedFieldsMax;
}
