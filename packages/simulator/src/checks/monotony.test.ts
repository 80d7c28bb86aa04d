/** C4: revisions that fall, or do not fit together, are found without a log. */
import { test } from "node:test";
import { createPutRequest, createRangeRequest, type ResponseHeader } from "@holdfast/protocol";
import type { Call } from "../history/calls.js";
import { assertFound, assertRight, bytes, key, withoutLog } from "../testing/finding.js";
import { type DraftHistory, HistoryMaker } from "../testing/history-maker.js";

const put = (value: string) => createPutRequest({ key: key("a"), value: bytes(value) });
const get = createRangeRequest({ key: key("a") });

function putsAndReads(): DraftHistory {
  const maker = new HistoryMaker();
  const watch = maker.watch(3, { key: key("a") });
  for (let number = 1; number <= 4; number++) {
    maker.call(1, "put", put(`c1-${number}`));
    maker.call(2, "range", get);
    maker.deliver(watch, number + 1);
  }
  return withoutLog(maker.history());
}

/** The call, answered with that revision in its header instead. */
function setHeader(call: Call, revision: number): void {
  if (call.result?.fate !== "done") throw new Error("not done");
  const header = { ...call.result.response.header, revision } as ResponseHeader;
  call.result = { fate: "done", response: { ...call.result.response, header } } as never;
}

test("I2, C4: what is right passes", () => {
  assertRight("C4", putsAndReads());
});

test("I2, C4: a header lower than one seen before the call was made is found", () => {
  const history = putsAndReads();
  setHeader(history.calls[5]!, 2);
  assertFound("C4", history, "I2", /call 6.*revision 2 after call 5.*revision 4/);
  const zero = putsAndReads();
  setHeader(zero.calls[7]!, 0);
  assertFound("C4", zero, "I2", /call 8.*revision 0/);
});

test("I2, C4: a header that falls on one connection is found though the calls overlap", () => {
  const maker = new HistoryMaker();
  const first = maker.invoke(1, "put", put("c1-1"));
  const second = maker.invoke(1, "put", put("c1-2"));
  maker.apply(first);
  maker.apply(second);
  maker.answer(second);
  maker.answer(first);
  assertFound("C4", withoutLog(maker.history()), "I2", /behind call 2.*same connection/);
});

test("I2, C4: a header that falls on a watch is found", () => {
  const history = putsAndReads();
  const { messages } = history.watches[0]!;
  messages[3] = { ...messages[3]!, revision: 2 };
  assertFound("C4", history, "I2", /watch 1.*header of revision 2 after one of 3/);
});

test("I2, C4: two writers of one revision are found", () => {
  const history = putsAndReads();
  setHeader(history.calls[2]!, 2);
  assertFound("C4", history, "I2", /call 1.*call 3.*both made revision 2/);
});

test("I2, C4: pairs that do not fit together are found", () => {
  const seen = (change: object, words: RegExp): void => {
    const history = putsAndReads();
    const call = history.calls[5]!;
    if (call.kind !== "range" || call.result?.fate !== "done") throw new Error("not a read");
    const { response } = call.result;
    call.result = { fate: "done", response: { ...response, kvs: [{ ...response.kvs[0]!, ...change }] } };
    assertFound("C4", history, "I2", words);
  };
  seen({ value: bytes("other") }, /seen as two/);
  seen({ version: 7 }, /seen as two|more versions/);
  seen({ createRevision: 3, modRevision: 3, version: 1 }, /seen as two|lives of a key overlap/);
  seen({ modRevision: 9, version: 3 }, /does not count up|more versions|lives/);
  seen({ createRevision: 4, version: 3 }, /version 1 is the creation|lives|two/);
});
