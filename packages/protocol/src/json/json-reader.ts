/**
 * Reads JSON token by token from a string, as far as its caller asks: nothing is built that nobody wants, numbers keep
 * every digit, and several values may stand one after the other. `JSON.parse` can do none of these. Grammar: RFC 8259.
 * What the values mean is left to the caller.
 */

import { jsonDepthMax, jsonItemsMax, jsonQuoteMax } from "../limits.js";
import { JsonError } from "./json-error.js";

/** Code of a character that begins a token. */
export const Mark = {
  quote: 0x22,
  comma: 0x2c,
  minus: 0x2d,
  zero: 0x30,
  nine: 0x39,
  colon: 0x3a,
  openBracket: 0x5b,
  backslash: 0x5c,
  closeBracket: 0x5d,
  lowerF: 0x66,
  lowerN: 0x6e,
  lowerT: 0x74,
  openBrace: 0x7b,
  closeBrace: 0x7d,
  /** No character: the text has ended. */
  end: -1,
} as const;

const space = 0x20;
const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const beginningOfValue = "looking for beginning of value";

export class JsonReader {
  /** Index of the next character. */
  position = 0;
  readonly #text: string;
  #itemsLeft = jsonItemsMax;
  // Regular expressions of one's own: `lastIndex` is their state.
  readonly #number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON strings may not hold them
  readonly #stringStop = /["\\\u0000-\u001f]/g;

  constructor(text: string) {
    this.#text = text;
  }

  /** What follows is a value of its own, which may have `jsonItemsMax` members and elements. */
  beginValue(): void {
    this.#itemsLeft = jsonItemsMax;
  }

  /** Skips whitespace; the code of the next character, or `Mark.end`. */
  peek(): number {
    const text = this.#text;
    let at = this.position;
    while (at < text.length && isWhitespace(text.charCodeAt(at))) at++;
    this.position = at;
    return at < text.length ? text.charCodeAt(at) : Mark.end;
  }

  /** Skips whitespace and `mark`, if that is what comes next. True if it was. */
  take(mark: number): boolean {
    if (this.peek() !== mark) return false;
    this.position++;
    return true;
  }

  /** Skips whitespace and `mark`. `context` says where it belongs. Throws `JsonError` if something else is there. */
  expect(mark: number, context: string): void {
    if (!this.take(mark)) throw this.unexpected(context);
  }

  /**
   * Goes from one member of an object, or element of an array, to the next, or behind its end. `isFirst` directly
   * behind the opening bracket. False at the end. Throws `JsonError` if there are more than `jsonItemsMax` of them.
   */
  more(close: number, isFirst: boolean, context: string): boolean {
    const isThere = isFirst ? !this.take(close) : this.take(Mark.comma);
    if (isThere) {
      if (this.#itemsLeft-- > 0) return true;
      throw new JsonError(`proto: more than ${jsonItemsMax} members and elements`);
    }
    if (isFirst) return false;
    this.expect(close, context);
    return false;
  }

  /** Reads the name of a member and the colon behind it. */
  name(): string {
    if (this.peek() !== Mark.quote) throw this.unexpected("looking for beginning of object key string");
    const name = this.string();
    this.expect(Mark.colon, "after object key");
    return name;
  }

  /** Reads a string. The next character must be its quote. */
  string(): string {
    const start = this.position + 1;
    let isEscaped = false;
    for (let at = start; ; ) {
      at = this.#findStringStop(at);
      const code = this.#text.charCodeAt(at);
      this.position = at + 1;
      if (code === Mark.quote) {
        const raw = this.#text.slice(start, at);
        return isEscaped ? this.#unescape(raw) : raw;
      }
      isEscaped = true;
      at += 2;
    }
  }

  /** Reads a number as it is written. */
  number(): string {
    const start = this.position;
    this.#number.lastIndex = start;
    if (!this.#number.test(this.#text)) {
      this.position = start + 1;
      throw this.unexpected("in numeric literal");
    }
    this.position = this.#number.lastIndex;
    return this.#text.slice(start, this.position);
  }

  /** Reads `word`, of which the first letter was seen. */
  word(word: "true" | "false" | "null"): void {
    for (const letter of word) {
      if (this.#text[this.position] !== letter) throw this.unexpected(`in literal ${word}`);
      this.position++;
    }
  }

  /** Reads null if it comes next. True if it did. */
  takeNull(): boolean {
    if (this.peek() !== Mark.lowerN) return false;
    this.word("null");
    return true;
  }

  /** Reads a value of any kind and forgets it. Objects and arrays may be `jsonDepthMax` deep; it uses no stack. */
  skipValue(): void {
    const closers: number[] = [];
    let isFirst = this.#skipScalarOrOpen(closers);
    while (closers.length > 0) {
      const closer = closers[closers.length - 1] as number;
      const isObject = closer === Mark.closeBrace;
      if (!this.more(closer, isFirst, isObject ? "after object key:value pair" : "after array element")) {
        closers.pop();
        isFirst = false;
        continue;
      }
      if (isObject) this.name();
      isFirst = this.#skipScalarOrOpen(closers);
    }
  }

  /** The token at `start`, as it is written, cut to a length that can be shown. */
  tokenAt(start: number): string {
    const token = /["{}[\]]|[^\s,:{}[\]"]+/y;
    token.lastIndex = start;
    const [found = ""] = token.exec(this.#text.slice(0, start + jsonQuoteMax)) ?? [];
    if (found !== '"') return found;
    const end = /"(?:[^"\\]|\\.)*"?/y;
    end.lastIndex = start;
    return end.exec(this.#text.slice(0, start + jsonQuoteMax))?.[0] ?? found;
  }

  /** An error about the value at `start`, with its place in the text. */
  errorAt(start: number, text: string): JsonError {
    return new JsonError(`proto: ${this.#place(start)}: ${text}`);
  }

  /** An error about a value of another kind than wanted. */
  unexpectedToken(): JsonError {
    if (this.peek() === Mark.end) return new JsonError("unexpected EOF");
    return new JsonError(
      `proto: syntax error ${this.#place(this.position)}: unexpected token ${this.tokenAt(this.position)}`,
    );
  }

  /** An error about the next character, which JSON does not allow there. */
  unexpected(context: string): JsonError {
    const code = this.#text.codePointAt(this.position);
    if (code === undefined) return new JsonError("unexpected EOF");
    return new JsonError(`invalid character ${quoteCharacter(code)} ${context}`);
  }

  /** Reads a scalar, or opens an object or array and notes how it ends. True if it opened one. */
  #skipScalarOrOpen(closers: number[]): boolean {
    const code = this.peek();
    if (code !== Mark.openBrace && code !== Mark.openBracket) {
      this.#skipScalar(code);
      return false;
    }
    if (closers.length >= jsonDepthMax) throw this.unexpected("exceeded max depth");
    this.position++;
    closers.push(code === Mark.openBrace ? Mark.closeBrace : Mark.closeBracket);
    return true;
  }

  #skipScalar(code: number): void {
    if (code === Mark.quote) this.string();
    else if (code === Mark.minus || (code >= Mark.zero && code <= Mark.nine)) this.number();
    else if (code === Mark.lowerT) this.word("true");
    else if (code === Mark.lowerF) this.word("false");
    else if (code === Mark.lowerN) this.word("null");
    else throw this.unexpected(beginningOfValue);
  }

  /** Index of the next quote or backslash. */
  #findStringStop(from: number): number {
    this.#stringStop.lastIndex = from;
    if (!this.#stringStop.test(this.#text)) throw new JsonError("unexpected EOF");
    const at = this.#stringStop.lastIndex - 1;
    if (this.#text.charCodeAt(at) >= space) return at;
    this.position = at;
    throw this.unexpected("in string literal");
  }

  #unescape(raw: string): string {
    const text = parseEscapes(raw);
    if (text === undefined) throw new JsonError("invalid character in string escape code");
    // A \u escape of half a character stands for no character.
    if (/\p{Surrogate}/u.test(text)) throw new JsonError("invalid escape code: half of a surrogate pair");
    return text;
  }

  #place(start: number): string {
    let line = 1;
    let lineStart = 0;
    for (let at = 0; at < start; at++) {
      if (this.#text.charCodeAt(at) !== lineFeed) continue;
      line++;
      lineStart = at + 1;
    }
    return `(line ${line}:${start - lineStart + 1})`;
  }
}

function isWhitespace(code: number): boolean {
  return code <= space && (code === space || code === lineFeed || code === carriageReturn || code === tab);
}

/** As Go quotes it. */
function quoteCharacter(code: number): string {
  if (code === Mark.quote) return `'"'`;
  return code === 0x27 ? `'\\''` : `'${JSON.stringify(String.fromCodePoint(code)).slice(1, -1)}'`;
}

function parseEscapes(raw: string): string | undefined {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return undefined;
  }
}
