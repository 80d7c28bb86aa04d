/** Metadata of a call: the header fields that belong to the application, with `-bin` values decoded. */
import type { HeaderFields } from "../hpack/index.js";
import type { Metadata } from "./types.js";

const BINARY_SUFFIX = "-bin";
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Fields of the protocol itself, which grpc-go hides from handlers too. */
const RESERVED: ReadonlySet<string> = new Set([
  "grpc-message-type",
  "grpc-encoding",
  "grpc-message",
  "grpc-status",
  "grpc-timeout",
  "te",
]);

/** Whether handlers may see a field of that name. */
function isVisible(name: string): boolean {
  return name.startsWith(":") ? name === ":authority" : !RESERVED.has(name);
}

/** Whether `value` is base64, padded or not; a list of them may be joined by commas. */
export function isBinaryValue(value: string): boolean {
  return value.split(",").every((part) => BASE64.test(part) && part.replaceAll("=", "").length % 4 !== 1);
}

/**
 * Metadata as a view of a header list. Looks through the list at each call: lists are short, and most are never asked. Every call
 * of a server is asked for the same key first, so the answer given last is kept.
 */
export class HeaderMetadata implements Metadata {
  readonly #fields: HeaderFields;
  #lastKey: string | undefined = undefined;
  #lastValue: string | undefined = undefined;

  constructor(fields: HeaderFields) {
    this.#fields = fields;
  }

  get(key: string): string | undefined {
    if (key === this.#lastKey) return this.#lastValue;
    this.#lastValue = this.#look(key);
    this.#lastKey = key;
    return this.#lastValue;
  }

  getAll(key: string): readonly string[] {
    if (!isVisible(key)) return [];
    const { names, values } = this.#fields;
    return values.filter((_, at) => names[at] === key).flatMap((value) => decodeValues(key, value));
  }

  *entries(): IterableIterator<[string, string]> {
    const { names, values } = this.#fields;
    for (let at = 0; at < names.length; at++) {
      const name = names[at];
      if (!isVisible(name)) continue;
      for (const value of decodeValues(name, values[at])) yield [name, value];
    }
  }

  #look(key: string): string | undefined {
    if (!isVisible(key)) return undefined;
    const at = this.#fields.names.indexOf(key);
    return at < 0 ? undefined : decodeValues(key, this.#fields.values[at])[0];
  }
}

function decodeValues(name: string, value: string): string[] {
  if (!name.endsWith(BINARY_SUFFIX)) return [value];
  return value.split(",").map((part) => Buffer.from(part, "base64").toString("latin1"));
}

/** The value to send for `value`: base64 without padding if the name ends in `-bin`. */
export function encodeMetadataValue(name: string, value: string): string {
  if (!name.endsWith(BINARY_SUFFIX)) return value;
  return Buffer.from(value, "latin1").toString("base64").replaceAll("=", "");
}

/** Whether a field of that name carries bytes. */
export function isBinaryName(name: string): boolean {
  return name.endsWith(BINARY_SUFFIX);
}
