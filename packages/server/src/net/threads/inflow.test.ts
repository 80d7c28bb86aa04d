import assert from "node:assert/strict";
import { test } from "node:test";
import { Inflow } from "./inflow.js";

const mebibyte = 1024 * 1024;

test("connections are held while 4 MiB are unread, and read on, each once, when there is room", () => {
  const inflow = new Inflow();
  const readOn: string[] = [];
  const connection = (name: string) => ({ readOn: () => void readOn.push(name) });
  const gone = connection("gone");
  inflow.sent(4 * mebibyte - 1);
  assert.equal(inflow.isFull, false);
  inflow.sent(mebibyte);
  assert.equal(inflow.isFull, true);
  inflow.hold(connection("first"));
  inflow.hold(gone);
  inflow.hold(connection("second"));
  inflow.release(gone);
  inflow.read(mebibyte / 2);
  assert.deepEqual(readOn, []);
  inflow.read(mebibyte);
  assert.deepEqual(readOn, ["first", "second"]);
  inflow.read(mebibyte);
  assert.equal(readOn.length, 2);
});
