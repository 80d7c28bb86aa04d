/**
 * A small lexer for TypeScript and JavaScript: tells code from comments, strings, templates and regular expressions.
 *
 * The checkers need no syntax tree, only the certainty that a word they found is code. The compiler's own parser is not
 * used because the checkers run before anything is installed.
 */

/** After one of these words a slash starts a regular expression, not a division. */
const wordsBeforeExpression = new Set(
  "return typeof case in of do else void delete throw new instanceof await yield extends".split(" "),
);

/**
 * Splits a source text.
 *
 * @returns `code`: the text with comments and the contents of strings, templates and regular expressions replaced by
 *   spaces (same length, same lines); `strings`: start, end and content of every quoted string, quotes not included;
 *   `comments`: start and end of every comment.
 */
export function lexSource(text) {
  return new Lexer(text).run();
}

/** The 1-based line of an offset. */
export function lineAt(text, offset) {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line += 1;
  return line;
}

class Lexer {
  #text;
  #at = 0;
  /** The result so far: always `#at` characters long. */
  #code = "";
  #strings = [];
  #comments = [];
  /** Open braces; true for the `${` of a template, whose `}` resumes the template. */
  #braces = [];

  constructor(text) {
    this.#text = text;
  }

  run() {
    if (this.#text.startsWith("#!")) this.#blankTo(this.#find("\n", 0));
    while (this.#at < this.#text.length) this.#step();
    return { code: this.#code, strings: this.#strings, comments: this.#comments };
  }

  #step() {
    const char = this.#text[this.#at];
    const next = this.#text[this.#at + 1];
    if (char === "/" && next === "/") this.#comment(this.#find("\n", this.#at));
    else if (char === "/" && next === "*") this.#comment(this.#find("*/", this.#at + 2) + 2);
    else if (char === '"' || char === "'") this.#string(char);
    else if (char === "`") this.#template();
    else if (char === "/" && this.#startsExpression()) this.#regularExpression();
    else if (char === "}" && this.#braces.pop() === true) this.#template();
    else {
      if (char === "{") this.#braces.push(false);
      this.#keepTo(this.#at + 1);
    }
  }

  #comment(end) {
    this.#comments.push({ start: this.#at, end });
    this.#blankTo(end);
  }

  #string(quote) {
    const start = this.#at + 1;
    let end = start;
    while (end < this.#text.length && this.#text[end] !== quote && this.#text[end] !== "\n") {
      end += this.#text[end] === "\\" ? 2 : 1;
    }
    this.#strings.push({ start, end, content: this.#text.slice(start, end) });
    this.#blankBetween(end, 1);
  }

  /** At a backquote or at the brace that ends an embedded expression: goes on to the next expression or the end. */
  #template() {
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== "`" && !this.#text.startsWith("${", end)) {
      end += this.#text[end] === "\\" ? 2 : 1;
    }
    const embeds = this.#text[end] === "$";
    if (embeds) this.#braces.push(true);
    this.#blankBetween(end, embeds ? 2 : 1);
  }

  #regularExpression() {
    let end = this.#at + 1;
    let inClass = false;
    while (end < this.#text.length && this.#text[end] !== "\n" && (inClass || this.#text[end] !== "/")) {
      if (this.#text[end] === "\\") end += 1;
      else if (this.#text[end] === "[") inClass = true;
      else if (this.#text[end] === "]") inClass = false;
      end += 1;
    }
    this.#blankBetween(end, 1);
  }

  /** Whether an expression may start here: what stands before is an operator, an opening bracket or a keyword. */
  #startsExpression() {
    const before = this.#code.slice(-200).trimEnd();
    const word = /[\w$]+$/.exec(before)?.[0];
    if (word !== undefined) return wordsBeforeExpression.has(word);
    return !/[)\]}"'`]$/.test(before);
  }

  /** Keeps the delimiter here, blanks what follows up to `end`, and keeps the closing delimiter. */
  #blankBetween(end, closingLength) {
    this.#keepTo(this.#at + 1);
    this.#blankTo(end);
    this.#keepTo(end + closingLength);
  }

  #keepTo(end) {
    this.#code += this.#text.slice(this.#at, end);
    this.#at = end;
  }

  #blankTo(end) {
    this.#code += this.#text.slice(this.#at, end).replace(/[^\n]/g, " ");
    this.#at = end;
  }

  #find(mark, from) {
    const found = this.#text.indexOf(mark, from);
    return found < 0 ? this.#text.length : found;
  }
}
