import assert from "node:assert/strict";
import { test } from "node:test";
import { lexSource, lineAt } from "./source-text.mjs";

/** The words that remain when everything that is not code is blanked. */
function wordsOf(text) {
  const { code } = lexSource(text);
  assert.equal(code.length, text.length, "blanking keeps every offset");
  return code.match(/[A-Za-z]+/g) ?? [];
}

test("comments are not code", () => {
  assert.deepEqual(wordsOf("#!node\na // b\n/* c\n d */ e"), ["a", "e"]);
});

test("strings are not code, and are listed with their offsets", () => {
  const text = "a('b\\'c', \"d // e\")";
  assert.deepEqual(wordsOf(text), ["a"]);
  const { strings } = lexSource(text);
  assert.deepEqual(
    strings.map(({ content }) => content),
    ["b\\'c", "d // e"],
  );
  for (const { start, end, content } of strings) assert.equal(text.slice(start, end), content);
});

test("the expressions of a template are code, its text is not", () => {
  assert.deepEqual(wordsOf(`\`a \${b({ c: \`d \${e} f\` })} g\` + h`), ["b", "c", "e", "h"]);
});

test("a slash divides after a value and starts a regular expression elsewhere", () => {
  assert.deepEqual(wordsOf("a / b / c"), ["a", "b", "c"]);
  assert.deepEqual(wordsOf("a = /b[/\"]c/g; return /d'/; e(f) / g"), ["a", "g", "return", "e", "f", "g"]);
});

test("lines are counted from one", () => {
  assert.deepEqual(
    [0, 2, 5].map((offset) => lineAt("a\nb\n\nc", offset)),
    [1, 2, 4],
  );
});
