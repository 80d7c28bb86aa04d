import assert from "node:assert/strict";
import { test } from "node:test";
import { textOfLine } from "./text-lines.js";

const time = new Date(2026, 10, 21, 7, 8, 9, 45).toISOString();

test("a line has the time in this zone, the level and the message", () => {
  assert.equal(textOfLine(JSON.stringify({ level: 30, time, msg: "ready" })), "[07:08:09.045] INFO: ready\n");
  assert.equal(textOfLine(JSON.stringify({ level: 60, time })), "[07:08:09.045] FATAL:\n");
});

test("what was told with a message follows line by line, and cannot pretend to be a line of its own", () => {
  const text = textOfLine(JSON.stringify({ level: 40, time, peer: "a\n[00:00:00.000] INFO: b", n: [1], msg: "odd" }));
  const expected = [
    "[07:08:09.045] WARN: odd",
    '    peer: "a\\n[00:00:00.000] INFO: b"',
    "    n: [",
    "      1",
    "    ]",
    "",
  ];
  assert.deepEqual(text.split("\n"), expected);
});

test("a stack is shown over several lines", () => {
  const err = { message: "no", stack: "Error: no\n    at here", cause: { stack: "Error: why\n    at there" } };
  const lines = textOfLine(JSON.stringify({ level: 50, time, err, msg: "failed" })).split("\n");
  const expected = [
    "[07:08:09.045] ERROR: failed",
    "    err: {",
    '      "message": "no",',
    '      "stack":',
    "          Error: no",
    "              at here",
    '      "cause": {',
    '        "stack":',
    "            Error: why",
    "                at there",
    "      }",
    "    }",
    "",
  ];
  assert.deepEqual(lines, expected);
});
