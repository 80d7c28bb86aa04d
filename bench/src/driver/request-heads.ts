/**
 * The header blocks of requests, one per path and connection, as bytes that are made once: a path's first request puts
 * its fields into the server's table (RFC 7541, 2.3.2), all later ones are one octet per field, as usual clients do it.
 */
import { headerTableBytesDefault } from "./http2.js";

const methodPost = 0x83;
const schemeHttp = 0x86;
const schemeHttps = 0x87;
const indexedFlag = 0x80;
const literalWithNewName = 0x40;
/** Dynamic entries come behind the static ones, newest first. */
const staticEntries = 61;
/** What RFC 7541, 4.1, counts for each entry besides its text. */
const entryOverheadBytes = 32;
/** A string's length of one octet, and not Huffman coded. */
const textBytesMax = 126;

interface Known {
  readonly block: Uint8Array;
  /** How many fields were in the table when the block was made. */
  readonly fields: number;
}

export class RequestHeads {
  readonly #scheme: number;
  readonly #common: readonly (readonly [string, string])[];
  /** What the server's table holds, oldest first. */
  readonly #table: string[] = [];
  #tableBytes = 0;
  readonly #known = new Map<string, Known>();

  constructor(authority: string, isSecure: boolean) {
    this.#scheme = isSecure ? schemeHttps : schemeHttp;
    this.#common = [
      [":authority", authority],
      ["te", "trailers"],
      ["content-type", "application/grpc"],
    ];
  }

  /**
   * The block of the next request for `path`, to be sent before any that is asked for later.
   * @throws RangeError when there are more paths than the table holds.
   */
  block(path: string): Uint8Array {
    const known = this.#known.get(path);
    if (known !== undefined && known.fields === this.#table.length) return known.block;
    const fields = this.#table.length;
    const block = this.#make(path);
    // A block that adds fields means something else the second time.
    if (fields === this.#table.length) this.#known.set(path, { block, fields });
    return block;
  }

  #make(path: string): Uint8Array {
    const octets = [methodPost, this.#scheme];
    for (const [name, value] of [[":path", path] as const, ...this.#common]) {
      const at = this.#table.indexOf(`${name}\n${value}`);
      if (at < 0) octets.push(literalWithNewName, ...text(name), ...text(value));
      else octets.push(indexedFlag | (staticEntries + this.#table.length - at));
      if (at < 0) this.#insert(name, value);
    }
    return Uint8Array.from(octets);
  }

  #insert(name: string, value: string): void {
    this.#table.push(`${name}\n${value}`);
    this.#tableBytes += name.length + value.length + entryOverheadBytes;
    if (this.#tableBytes > headerTableBytesDefault) throw new RangeError("too many paths for one connection");
  }
}

function text(value: string): number[] {
  if (value.length > textBytesMax) throw new RangeError(`${value} is too long`);
  return [value.length, ...Buffer.from(value, "latin1")];
}
