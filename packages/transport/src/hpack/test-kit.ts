/** What several tests of this folder need: octets from hex dumps, header lists from lines, a decoder that is generous. */

import type { FieldIndexing } from "./index.js";
import {
  HeaderBlockWriter,
  type HeaderFields,
  HpackDecoder,
  type HpackDecoderOptions,
  type HpackEncoder,
} from "./index.js";

/** The octets of a hex dump; blanks and line breaks do not count. */
export function octets(...hex: string[]): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.join("").replaceAll(/\s/g, ""), "hex"));
}

/** The reverse of `octets`, without blanks. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** One field per line, `name: value`, as in RFC 7541 Appendix C. */
export function fieldsOf(...lines: string[]): HeaderFields {
  const cuts = lines.map((line) => line.indexOf(": ", 1));
  return {
    names: lines.map((line, i) => line.slice(0, cuts[i])),
    values: lines.map((line, i) => line.slice(cuts[i] + 2)),
  };
}

/** The reverse of `fieldsOf`. */
export function linesOf(list: HeaderFields): string[] {
  return list.names.map((name, i) => `${name}: ${list.values[i]}`);
}

/** A decoder with limits that a test does not meet unless it sets them. */
export function newDecoder(options: Partial<HpackDecoderOptions> = {}): HpackDecoder {
  return new HpackDecoder({ headerListBytesMax: 1024 * 1024, fieldsMax: 10_000, ...options });
}

/** Decodes a whole array. */
export function decodeAll(decoder: HpackDecoder, block: Uint8Array): ReturnType<HpackDecoder["decode"]> {
  return decoder.decode(block, 0, block.length);
}

/** The block of `fields` alone. */
export function encodeAll(encoder: HpackEncoder, fields: HeaderFields, indexingMost?: FieldIndexing): Uint8Array {
  const out = new HeaderBlockWriter();
  encoder.encode(fields, out, indexingMost);
  return out.copy();
}
