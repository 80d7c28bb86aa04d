import assert from "node:assert/strict";
import { test } from "node:test";
import type { ByteString } from "@holdfast/protocol";
import { PartedMap } from "./parted-map.js";

test("a map in parts holds what a map holds, before and after it is divided", () => {
  const map = new PartedMap<number>();
  const model = new Map<ByteString, number>();
  for (let i = 0; i < 30_000; i++) {
    const key = `n/${(i * 7_919) % 12_000}` as ByteString;
    if (i % 3 === 2) {
      map.delete(key);
      model.delete(key);
    } else {
      map.set(key, i);
      model.set(key, i);
    }
    assert.equal(map.size, model.size);
    assert.equal(map.get(key), model.get(key));
  }
  assert.ok(model.size > 5_000);
  for (const [key, value] of model) assert.equal(map.get(key), value);
});
