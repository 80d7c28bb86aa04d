/** C7 and C8: leases that end too early or too late, and keys that outlive them. */
import { test } from "node:test";
import { createPutRequest, createRangeRequest } from "@holdfast/protocol";
import { assertFound, assertRight, bytes, key, momentAt, withoutLog } from "../testing/finding.js";
import { type DraftHistory, HistoryMaker } from "../testing/history-maker.js";

const get = createRangeRequest({ key: key("a"), rangeEnd: key("c") });

/** Granted, renewed after two seconds, ended `restMs` later. */
function renewedAndEnded(restMs: number): HistoryMaker {
  const maker = new HistoryMaker();
  maker.call(1, "leaseGrant", { id: 10n, ttl: 5 });
  maker.pass(2000);
  maker.call(1, "leaseKeepAlive", { id: 10n });
  maker.pass(restMs);
  maker.expire(10n);
  maker.call(1, "leaseKeepAlive", { id: 10n });
  return maker;
}

test("I6, C7: an end after the TTL passes, by a clock as fast as is allowed", () => {
  for (const restMs of [5000, 4980, 90_000]) {
    const history = renewedAndEnded(restMs).history();
    assertRight("C7", history);
    assertRight("C7", withoutLog(history));
  }
});

test("I6, C7: an early end is found by the log, and by answers alone", () => {
  const history = renewedAndEnded(4000).history();
  assertFound("C7", history, "I6", /lease 10 \(5 s\) ended.*renewal that was answered/);
  assertFound("C7", withoutLog(history), "I6", /lease 10.*found it gone/);
});

test("I6, C7: a lease revoked by somebody is not early", () => {
  const maker = new HistoryMaker();
  maker.call(1, "leaseGrant", { id: 10n, ttl: 5 });
  maker.call(2, "leaseRevoke", { id: 10n });
  maker.call(1, "leaseKeepAlive", { id: 10n });
  assertRight("C7", maker.history());
  assertRight("C7", withoutLog(maker.history()));
});

test("I6, C7: another grant of the id, sent before the end of the first lease and stored behind it, renews nothing", () => {
  const maker = new HistoryMaker();
  maker.call(1, "leaseGrant", { id: 10n, ttl: 5 });
  maker.pass(4900);
  const second = maker.invoke(1, "leaseGrant", { id: 10n, ttl: 2 });
  const { ms } = maker.moment();
  maker.pass(600);
  maker.expire(10n);
  maker.answer(second);
  assertRight("C7", maker.history());
  assertRight("C7", { ...maker.history(), stalls: [{ fromMs: ms + 100, toMs: ms + 550 }] });
});

test("I6, C7: a life that ends a lease sooner than its TTL after its own start is found", () => {
  const history = renewedAndEnded(6000).history();
  const ended = history.entries.at(-1)!.at;
  const start = (ms: number): DraftHistory["lives"] => [
    { number: 1, started: momentAt(0), serving: momentAt(0.1), ended: momentAt(0.2), how: "killed", reason: undefined },
    {
      number: 2,
      started: { ms, order: 5 },
      serving: { ms, order: 5.1 },
      ended: undefined,
      how: undefined,
      reason: undefined,
    },
  ];
  assertRight("C7", { ...history, lives: start(ended.ms - 5100) });
  assertFound("C7", { ...history, lives: start(ended.ms - 3000) }, "I6", /in a life that began/);
});

test("F13, I6, C7: a lease that ends with the late tick after a stall is found; the tick after that may end it", () => {
  const endedAfterStall = (restMs: number, clockStood = false): DraftHistory => {
    const maker = new HistoryMaker();
    maker.call(1, "leaseGrant", { id: 10n, ttl: 5 });
    maker.pass(4900);
    const fromMs = maker.moment().ms;
    maker.pass(3000);
    const toMs = maker.moment().ms;
    maker.pass(restMs);
    maker.expire(10n);
    return { ...maker.history(), stalls: [{ fromMs, toMs, clockStood }] };
  };
  assertRight("C7", endedAfterStall(110));
  assertRight("C7", endedAfterStall(10, true));
  assertFound("C7", endedAfterStall(10), "I6", /not due when the server stood still.*before the tick after/);
});

test("I14, C7: once all is healed, who is not renewed must end within its TTL and two seconds", () => {
  const healed = momentAt(1, 1);
  assertRight("C7", { ...renewedAndEnded(6500).history(), healed });
  assertFound("C7", { ...renewedAndEnded(9000).history(), healed }, "I14", /lease 10.*still lived/);
  const maker = new HistoryMaker();
  maker.call(1, "leaseGrant", { id: 10n, ttl: 5 });
  maker.pass(20_000);
  maker.call(1, "range", get);
  assertFound("C7", { ...maker.history(), healed }, "I14", /lease 10.*still lived/);
});

/** Two keys of one lease, which is revoked; read before and after, and watched. */
function revoked(): HistoryMaker {
  const maker = new HistoryMaker();
  const watch = maker.watch(3, { key: key("a"), rangeEnd: key("c") });
  maker.call(1, "leaseGrant", { id: 10n, ttl: 5 });
  maker.call(1, "put", createPutRequest({ key: key("a"), value: bytes("c1-2"), lease: 10n }));
  maker.call(1, "put", createPutRequest({ key: key("b"), value: bytes("c1-3"), lease: 10n }));
  maker.call(2, "range", get);
  maker.call(1, "leaseRevoke", { id: 10n });
  for (const revision of [2, 3, 4]) maker.deliver(watch, revision);
  maker.call(2, "range", get);
  return maker;
}

test("I7, C8: keys that go with their lease pass", () => {
  assertRight("C8", revoked().history());
  assertRight("C8", withoutLog(revoked().history()));
});

test("I7, C8: a key that is read after its lease has ended is found", () => {
  const history = withoutLog(revoked().history());
  const [before, after] = [history.calls[3]!, history.calls[5]!];
  if (before.kind !== "range" || before.result?.fate !== "done" || after.result?.fate !== "done")
    throw new Error("reads");
  const header = after.result.response.header;
  history.calls[5] = {
    ...before,
    id: 6,
    ended: after.ended,
    result: { fate: "done", response: { ...before.result.response, header } },
  };
  assertFound("C8", history, "I7", /call 6.*"a".*had ended at revision 4/);
});

test("I7, C8: a watch on which one key of a lease goes later than the lease is found", () => {
  const history = withoutLog(revoked().history());
  const { messages } = history.watches[0]!;
  const last = messages.at(-1)!;
  const [first, second] = [last.events[0]!, last.events[1]!];
  messages.pop();
  messages.push({ ...last, events: [first] });
  messages.push({ ...last, revision: 5, events: [{ ...second, kv: { ...second.kv!, modRevision: 5 } }] });
  assertFound("C8", history, "I7", /watch 1.*"b".*had ended at revision 4/);
});

test("I7, C8: a key attached to a lease that there is not is found by the log", () => {
  const history = revoked().history();
  const read = history.calls[3]!;
  if (read.kind !== "range" || read.result?.fate !== "done") throw new Error("a read");
  const kvs = read.result.response.kvs.map((pair) => ({ ...pair, lease: 77n }));
  read.result = { fate: "done", response: { ...read.result.response, kvs } };
  assertFound("C8", history, "I7", /lease 77.*no such lease/);
});

test("F13, I6, C7: what a server slept through does not count as lease time, but for a few ticks", () => {
  const history = renewedAndEnded(6000).history();
  const endedMs = history.entries.at(-1)!.at.ms;
  const sleptFor = (ms: number) => ({ ...history, stalls: [{ fromMs: endedMs - 100 - ms, toMs: endedMs - 100 }] });
  assertRight("C7", sleptFor(1300));
  assertFound("C7", sleptFor(3000), "I6", /lease 10 \(5 s\) ended/);
});
