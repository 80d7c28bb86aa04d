/** C2: each kind of lie about the order of calls is found in the log. */
import { test } from "node:test";
import {
  createCompactionRequest,
  createDeleteRangeRequest,
  createPutRequest,
  createRangeRequest,
  createRequestOp,
  createTxnRequest,
} from "@holdfast/protocol";
import { systemCaller } from "@holdfast/state-machine";
import { assertFound, assertRight, bytes, key } from "../testing/finding.js";
import { HistoryMaker } from "../testing/history-maker.js";

const put = (value: string, name = "a") => createPutRequest({ key: key(name), value: bytes(value), prevKv: true });
const get = (name = "a") => createRangeRequest({ key: key(name) });

test("I2, C2: calls that overlap may come in any order", () => {
  const maker = new HistoryMaker();
  const first = maker.invoke(1, "put", put("c1-1"));
  const second = maker.invoke(2, "put", put("c2-2"));
  const read = maker.invoke(3, "range", get());
  maker.apply(second);
  const early = maker.respond(read);
  maker.apply(first);
  maker.answer(first);
  maker.answer(second);
  early();
  maker.call(3, "range", get());
  maker.call(1, "deleteRange", createDeleteRangeRequest({ key: key("b") }));
  maker.call(2, "deleteRange", createDeleteRangeRequest({ key: key("b") }));
  assertRight("C2", maker.history());
});

test("I1, C2: an acknowledged put that the log has nothing of is found", () => {
  const maker = new HistoryMaker();
  maker.call(1, "put", put("c1-1"));
  maker.call(1, "put", put("c1-2"));
  const history = maker.history();
  history.entries.pop();
  history.finalEntries.pop();
  assertFound("C2", history, "I1", /call 2.*nothing of it/);
});

test("I3, C2: a stale read is found", () => {
  const maker = new HistoryMaker();
  maker.call(1, "put", put("c1-1"));
  const before = maker.respond(maker.invoke(3, "range", get()));
  before();
  const stale = maker.history().calls.at(-1)!.result;
  maker.call(1, "put", put("c1-3"));
  maker.call(2, "range", get());
  const history = maker.history();
  history.calls.at(-1)!.result = stale;
  assertFound("C2", history, "I3", /call 4.*although position 2/);
});

test("I3, C2: a serializable read may be behind, but never makes things up", () => {
  const maker = new HistoryMaker();
  maker.call(1, "put", put("c1-1"));
  maker.call(2, "range", { ...get(), serializable: true });
  const old = maker.history().calls.at(-1)!.result;
  maker.call(1, "put", put("c1-3"));
  maker.call(2, "range", { ...get(), serializable: true });
  const history = maker.history();
  history.calls.at(-1)!.result = old;
  assertRight("C2", history);
  maker.call(2, "range", { ...get("b"), serializable: true });
  const invented = maker.history();
  invented.calls.at(-1)!.result = old;
  assertFound("C2", invented, "I3", /call 5.*no position/);
});

test("I1, C2: a read of what is not stored yet is found", () => {
  const maker = new HistoryMaker();
  maker.call(1, "put", put("c1-1"));
  maker.call(2, "range", get());
  maker.call(1, "put", put("c1-3"));
  maker.call(2, "range", get());
  const history = maker.history();
  history.calls[1]!.result = history.calls[3]!.result;
  assertFound("C2", history, "I1", /call 2.*before it was stored/);
});

test("I2, C2: two answers swapped are found", () => {
  const maker = new HistoryMaker();
  maker.call(1, "put", put("c1-1"));
  maker.call(1, "put", put("c1-2"));
  const history = maker.history();
  const [first, second] = [history.calls[0]!, history.calls[1]!];
  [first.result, second.result] = [second.result, first.result];
  assertFound("C2", history, "I2", /call 1.*was answered.*but at position 1/);
});

test("I2, C2: an order of the log against real time is found", () => {
  const maker = new HistoryMaker();
  maker.call(1, "put", put("c1-1", "a"));
  maker.call(1, "put", put("c1-2", "b"));
  const history = maker.history();
  const [first, second] = [history.entries[0]!, history.entries[1]!];
  history.entries = [
    { ...second, index: 1, at: first.at },
    { ...first, index: 2, at: second.at },
  ];
  history.finalEntries = history.entries;
  assertFound("C2", history, "I9", /asked for by nobody in its time/);
  assertFound("C2", history, "I1", /call 1.*nothing of it in its time/);
});

test("I9, C2: a refused call that takes effect, now or later, is found", () => {
  const maker = new HistoryMaker();
  maker.call(1, "put", put("c1-1"));
  const refused = maker.invoke(2, "put", put("c2-2"));
  maker.apply(refused);
  maker.refuse(refused, "etcdserver: too many requests");
  assertFound("C2", maker.history(), "I9", /call 2.*refused.*has an effect/);
});

test("I9, C2: refusals that the log shows are right, and only for their reason", () => {
  const maker = new HistoryMaker();
  maker.call(1, "put", { ...put("c1-1"), lease: 5n });
  assertRight("C2", maker.history());
  const history = maker.history();
  history.calls[0]!.result = {
    fate: "refused",
    code: 11,
    message: "etcdserver: mvcc: required revision has been compacted",
  };
  assertFound("C2", history, "I9", /call 1.*refused/);
});

test("I3, C2: a refusal that no state gives a reason for is found", () => {
  const maker = new HistoryMaker();
  maker.call(1, "put", put("c1-1"));
  maker.call(1, "put", put("c1-2"));
  maker.call(1, "compact", createCompactionRequest({ revision: 3 }));
  maker.call(2, "range", { ...get(), revision: 2 });
  assertRight("C2", maker.history());
  const early = maker.history();
  early.calls[2]!.invoked = { ms: 1000, order: 1000 };
  early.calls[2]!.ended = { ms: 1002, order: 1002 };
  for (const entries of [early.entries, early.finalEntries]) entries[2]!.at = { ms: 1001, order: 1001 };
  assertFound("C2", early, "I1", /call 4.*before it was stored/);
});

test("I9, C2: a call of unknown fate may be in the log or not, but not twice", () => {
  const maker = new HistoryMaker();
  maker.call(2, "put", put("c2-1"));
  const lost = maker.invoke(1, "put", put("c1-2"));
  maker.lose(lost);
  maker.call(2, "range", get());
  assertRight("C2", maker.history());
  maker.apply(lost);
  maker.call(2, "range", get());
  assertRight("C2", maker.history());
  maker.apply(lost);
  assertFound("C2", maker.history(), "I9", /call 2.*in the log twice/);
});

test("I9, C2: what the server does by itself is not taken for a call that asked for the same", () => {
  const maker = new HistoryMaker();
  maker.call(1, "put", put("c1-1"));
  const lost = maker.invoke(2, "compact", createCompactionRequest({ revision: 2 }));
  maker.lose(lost);
  maker.store({ kind: "compact", revision: 2 }, systemCaller);
  maker.apply(lost);
  assertRight("C2", maker.history());
  maker.apply(lost);
  assertFound("C2", maker.history(), "I9", /call 2.*in the log twice/);
});

test("I9, C2: a command that nobody asked for is found", () => {
  const maker = new HistoryMaker();
  maker.store({ kind: "put", request: put("nobody") });
  assertFound("C2", maker.history(), "I9", /asked for by nobody/);
});

test("I2, C2: a transaction answered from half of it is found", () => {
  const maker = new HistoryMaker();
  const operations = [createRequestOp({ requestPut: put("c1-1") }), createRequestOp({ requestRange: get() })];
  maker.call(1, "txn", createTxnRequest({ success: operations }));
  const history = maker.history();
  const { result } = history.calls[0]!;
  if (result?.fate !== "done" || !("responses" in result.response)) throw new Error("not done");
  history.calls[0]!.result = {
    fate: "done",
    response: { ...result.response, responses: result.response.responses.slice(0, 1) },
  };
  assertFound("C2", history, "I2", /call 1.*was answered/);
});

test("I7, C2: a keepalive that succeeds after the end of its lease is found, and so is one that fails before it", () => {
  const maker = new HistoryMaker();
  maker.call(1, "leaseGrant", { id: 9n, ttl: 5 });
  maker.call(1, "leaseKeepAlive", { id: 9n });
  maker.expire(9n);
  maker.call(2, "range", get());
  maker.call(1, "leaseRevoke", { id: 9n });
  maker.call(1, "leaseKeepAlive", { id: 9n });
  assertRight("C2", maker.history());
  const history = maker.history();
  const [early, late] = [history.calls[1]!, history.calls[4]!];
  [early.result, late.result] = [late.result, early.result];
  assertFound("C2", history, "I2", /call 5.*although position/);
  assertFound("C2", history, "I2", /call 2.*although position 1/);
});
