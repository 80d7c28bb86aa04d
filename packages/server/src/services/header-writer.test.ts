import assert from "node:assert/strict";
import { test } from "node:test";
import { createPutResponse, encodePutResponse, Writer } from "@holdfast/protocol";
import { HeaderWriter } from "./header-writer.js";

test("GEN-3: a header is written as the codec of answers does, whoever answers, at any revision", () => {
  const writer = new Writer();
  for (const [clusterId, memberId] of [
    [0n, 0n],
    [2n ** 64n - 1n, 1n],
    [2n ** 63n, 2n ** 64n - 1n],
  ] as const) {
    const headers = new HeaderWriter({ clusterId, memberId });
    for (const revision of [0, 1, 127, 128, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      for (const raftTerm of [0, 3, Number.MAX_SAFE_INTEGER]) {
        const header = { clusterId, memberId, revision, raftTerm };
        // The third time it is known by heart.
        for (let time = 0; time < 3; time++) {
          writer.reset();
          headers.write(writer, revision, raftTerm);
          assert.deepEqual(writer.copy(), encodePutResponse(createPutResponse({ header })));
        }
      }
    }
  }
});
