import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createLogger, plainError } from "./logger.js";
import { temporaryFolder } from "./testing/temporary-folder.js";

const secret = "hunter2-of-the-canary";

function failedAssertion(): unknown {
  try {
    assert.deepEqual({ password: secret }, { password: "another" });
  } catch (error) {
    return error;
  }
}

test("F50: of an error a line has name, message, stack and code, of its causes too, and nothing that hangs on it", () => {
  const cause = Object.assign(new RangeError("the cause"), { code: "EIO", buffer: Buffer.from(secret) });
  const error = Object.assign(new Error("the error", { cause }), { request: { password: secret } });
  const plain = plainError(error);
  assert.deepEqual(Object.keys(plain), ["type", "message", "stack", "cause"]);
  assert.deepEqual(
    { ...(plain.cause as object), stack: "" },
    {
      type: "RangeError",
      message: "the cause",
      stack: "",
      code: "EIO",
    },
  );
  assert.ok(!JSON.stringify(plain).includes(secret));
  const circular = new Error("its own cause");
  circular.cause = circular;
  assert.ok(JSON.stringify(plainError(circular)).length > 0);
  assert.deepEqual(plainError(secret), { type: "string" });
});

test("F50: an assertion that failed says where, not what was compared; one with words of its own says those", () => {
  const plain = plainError(failedAssertion());
  assert.equal(plain.message, "an assertion failed");
  assert.match(String(plain.stack), /^ {4}at failedAssertion/);
  assert.ok(!JSON.stringify(plain).includes(secret));
  assert.equal(plainError(new assert.AssertionError({ message: "in words" })).message, "in words");
});

test("F50: both forms of log leave out what hangs on an error; a new file is its owner's alone, an old one keeps its mode", () => {
  for (const format of ["json", "text"] as const) {
    const folder = temporaryFolder();
    const [fresh, old] = [join(folder, "fresh.log"), join(folder, "old.log")];
    writeFileSync(old, "", { mode: 0o640 });
    const logger = createLogger("debug", format, [fresh, old]);
    logger.error({ err: Object.assign(new Error("visible"), { password: secret }) }, "failed");
    for (const [file, mode] of [
      [fresh, 0o600],
      [old, 0o640],
    ] as const) {
      const text = readFileSync(file, "utf8");
      assert.match(text, /visible/);
      assert.ok(!text.includes(secret), text);
      assert.equal(statSync(file).mode & 0o777, mode);
    }
  }
});
