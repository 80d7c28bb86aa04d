/** C1, C10, C11: what the log, the states and the lives say about themselves. */
import { test } from "node:test";
import { createPutRequest } from "@holdfast/protocol";
import { assertFound, assertRight, bytes, key, momentAt } from "../testing/finding.js";
import { type DraftHistory, HistoryMaker } from "../testing/history-maker.js";

function threePuts(): DraftHistory {
  const maker = new HistoryMaker();
  for (const value of ["c1-1", "c1-2", "c1-3"]) {
    maker.call(1, "put", createPutRequest({ key: key("a"), value: bytes(value) }));
  }
  return maker.history();
}

function life(number: number, from: number, to: number | undefined): DraftHistory["lives"][number] {
  return {
    number,
    started: momentAt(from),
    serving: momentAt(from + 0.5),
    ended: to === undefined ? undefined : momentAt(to),
    how: to === undefined ? undefined : "killed",
    reason: undefined,
  };
}

test("I1, C1: a log that keeps everything passes; what a snapshot stands for may be gone", () => {
  const history = threePuts();
  assertRight("C1", history);
  assertRight("C1", { ...history, finalEntries: history.finalEntries.slice(1), finalFirstIndex: 2 });
});

test("I1, C1: a stored entry that is gone in the end is found", () => {
  const history = threePuts();
  history.finalEntries.pop();
  assertFound("C1", history, "I1", /entry 3.*not in the final log/);
  assertFound("C1", { ...threePuts(), finalEntries: [] }, "I1", /3 entries from 1 on.*not in the final log/);
});

test("I1, C1: other bytes at a place, another epoch, and contradictions are found", () => {
  const history = threePuts();
  history.finalEntries[1]!.payload = history.finalEntries[2]!.payload;
  assertFound("C1", history, "I1", /entry 2.*other bytes/);
  const older = threePuts();
  older.finalEntries[2]!.epoch = 0;
  assertFound("C1", older, "I1", /epoch 0, after one of epoch 1/);
  assertFound("C1", { ...threePuts(), logContradictions: ["entry 4 told twice"] }, "I1", /told twice/);
});

test("I10, C10: two states at one index are found", () => {
  const history = threePuts();
  history.digests.push({ life: 1, index: 2, digest: "x" }, { life: 2, index: 2, digest: "x" });
  assertRight("C10", history);
  history.digests.push({ life: 3, index: 2, digest: "y" });
  assertFound("C10", history, "I10", /index 2 differ between lives 1 and 3/);
});

test("I11, C11: answers and entries from when nobody served, and ends without a reason, are found", () => {
  const history = threePuts();
  assertRight("C11", { ...history, lives: [life(1, 0, 5.2), life(2, 5.5, undefined)] });
  // The second put is made at 4 and answered at 6.
  assertFound("C11", { ...history, lives: [life(1, 0, 3.2), life(2, 6.5, undefined)] }, "I11", /call 2.*nobody served/);
  assertFound(
    "C11",
    { ...history, lives: [life(1, 0, 3.2), life(2, 6.5, undefined)] },
    "I11",
    /entry 2 was stored.*no server/,
  );
  const stopped = { ...life(1, 0, 20), how: "stopped" as const };
  assertFound("C11", { ...history, lives: [stopped] }, "I11", /stopped without a reason/);
});
