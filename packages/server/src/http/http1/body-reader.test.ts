import assert from "node:assert/strict";
import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { BodyBudget } from "./body-budget.js";
import { BodyReader } from "./body-reader.js";

test("F16: what comes after the connection was given up is not counted, let alone for ever", () => {
  const budget = new BodyBudget(1_000);
  const reader = new BodyReader(budget, 100, 100);
  const request = new PassThrough();
  reader.read(request as unknown as IncomingMessage, () => {});
  request.emit("data", Buffer.from("12345678"));
  assert.equal(budget.bytes, 8);
  reader.close();
  request.emit("data", Buffer.from("12345678"));
  assert.equal(budget.bytes, 0);
  assert.equal(reader.body.length, 0);
});
