import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { joinedChecksum } from "./joined-checksum.js";
import { seededRandom } from "./testing/seeded.js";

test("joined checksums are those of the bytes one behind the other", () => {
  const random = seededRandom(1);
  const bytes = Buffer.from(Array.from({ length: 3000 }, () => Math.floor(random() * 256)));
  for (let cut = 0; cut <= bytes.length; cut += cut < 70 ? 1 : 97) {
    for (const end of [cut, Math.min(cut + 1, bytes.length), bytes.length]) {
      const joined = joinedChecksum(crc32(bytes.subarray(0, cut)), crc32(bytes.subarray(cut, end)), end - cut);
      assert.equal(joined, crc32(bytes.subarray(0, end)), `${cut} ${end}`);
    }
  }
});

test("a long second part is nothing special", () => {
  for (const length of [2 ** 16, 2 ** 20 + 3, 2 ** 26]) {
    const long = Buffer.alloc(length, 7);
    assert.equal(joinedChecksum(crc32("head"), crc32(long), length), crc32(long, crc32("head")));
  }
});
