/** C3: wrong histories are found by their answers alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createDeleteRangeRequest, createPutRequest, createRangeRequest } from "@holdfast/protocol";
import { assertFound, assertRight, bytes, key, withoutLog } from "../testing/finding.js";
import { type DraftHistory, HistoryMaker } from "../testing/history-maker.js";
import { checkLinearizability, Evidence } from "./index.js";

const put = (value: string, lease = 0n) => createPutRequest({ key: key("a"), value: bytes(value), lease });
const get = createRangeRequest({ key: key("a") });

/** The history without its log, its last answers in another order. */
function swapped(maker: HistoryMaker, first: number, second: number): DraftHistory {
  const history = withoutLog(maker.history());
  const [left, right] = [history.calls[first - 1]!, history.calls[second - 1]!];
  [left.result, right.result] = [right.result, left.result];
  return history;
}

test("I2, C3: calls that overlap may come in any order", () => {
  const maker = new HistoryMaker();
  const calls = [1, 2, 3, 4].map((client) => maker.invoke(client, "put", put(`c${client}-${client}`)));
  for (const call of [...calls].reverse()) maker.apply(call);
  for (const call of calls) maker.answer(call);
  maker.call(5, "range", get);
  assertRight("C3", withoutLog(maker.history()));
});

test("I3, C3: a stale read is found", () => {
  const maker = new HistoryMaker();
  maker.call(1, "put", put("c1-1"));
  maker.call(2, "range", get);
  maker.call(1, "put", put("c1-3"));
  maker.call(2, "range", get);
  assertRight("C3", withoutLog(maker.history()));
  assertFound("C3", swapped(maker, 2, 4), "I2", /no legal order for keys/);
});

test("I1, C3: a put that is answered and then lost is found", () => {
  const maker = new HistoryMaker();
  maker.call(1, "put", put("c1-1"));
  const lost = maker.invoke(1, "put", put("c1-2"));
  maker.finish(lost, { header: { ...maker.header, revision: 3 }, prevKv: undefined });
  maker.call(2, "range", get);
  assertFound("C3", withoutLog(maker.history()), "I2", /no legal order for keys/);
});

test("I9, C3: a call of unknown fate may take effect late or never, but not twice", () => {
  const maker = new HistoryMaker();
  const unknown = maker.invoke(1, "put", put("c1-1"));
  maker.lose(unknown);
  maker.call(2, "put", put("c2-2"));
  assertRight("C3", withoutLog(maker.history()));
  maker.apply(unknown);
  maker.call(2, "range", get);
  assertRight("C3", withoutLog(maker.history()));
  maker.call(2, "deleteRange", createDeleteRangeRequest({ key: key("a") }));
  maker.apply(unknown);
  maker.call(2, "range", get);
  assertFound("C3", withoutLog(maker.history()), "I2", /no legal order for keys/);
});

test("I9, C3: a refused call that takes effect is found", () => {
  const maker = new HistoryMaker();
  const refused = maker.invoke(1, "put", put("c1-1"));
  maker.apply(refused);
  maker.refuse(refused, "etcdserver: too many requests");
  maker.call(2, "range", get);
  assertFound("C3", withoutLog(maker.history()), "I2", /no legal order for keys/);
});

test("I6, C3: a key may go with its lease when the lease may end, and not before", () => {
  const ended = (restMs: number): DraftHistory => {
    const maker = new HistoryMaker();
    maker.call(1, "leaseGrant", { id: 9n, ttl: 5 });
    maker.call(1, "put", put("c1-2", 9n));
    maker.pass(restMs);
    maker.expire(9n);
    maker.call(2, "range", get);
    return withoutLog(maker.history());
  };
  assertRight("C3", ended(5000));
  assertFound("C3", ended(4000), "I2", /no legal order for keys/);
});

test("I6, C3: an id may be granted again, with another TTL, when its first lease has run out", () => {
  const maker = new HistoryMaker();
  maker.call(1, "leaseGrant", { id: 9n, ttl: 5 });
  maker.pass(5000);
  maker.expire(9n);
  maker.call(1, "leaseGrant", { id: 9n, ttl: 2 });
  maker.call(1, "leaseKeepAlive", { id: 9n });
  assertRight("C3", withoutLog(maker.history()));
});

test("LEASE-5, C3: a renewal tells the TTL of the grant of unknown fate before it, not of a later one", () => {
  const maker = new HistoryMaker();
  const unknown = maker.invoke(1, "leaseGrant", { id: 9n, ttl: 5 });
  maker.apply(unknown);
  maker.lose(unknown);
  maker.call(1, "leaseKeepAlive", { id: 9n });
  maker.call(1, "leaseRevoke", { id: 9n });
  const early = maker.invoke(2, "leaseGrant", { id: 8n, ttl: 5 });
  maker.answer(early);
  maker.call(2, "leaseRevoke", { id: 8n });
  const late = maker.invoke(2, "leaseGrant", { id: 8n, ttl: 2 });
  maker.apply(late);
  maker.lose(late);
  maker.call(2, "leaseKeepAlive", { id: 8n });
  assertRight("C3", withoutLog(maker.history()));
});

/** Two grants of one name; what happens in between is up to the test. */
function twoGrants(between: (maker: HistoryMaker) => void): DraftHistory {
  const maker = new HistoryMaker();
  const name = key("L");
  maker.call(1, "leaseGrant", { id: 10n, ttl: 5 });
  maker.call(2, "leaseGrant", { id: 11n, ttl: 5 });
  maker.call(1, "lock", { name, lease: 10n });
  const second = maker.invoke(2, "lock", { name, lease: 11n });
  maker.apply(second);
  between(maker);
  maker.finish(second, { header: maker.header, key: key("L/b") });
  return withoutLog(maker.history());
}

test("I4, C3: a second owner is legal once the first has given up the name, lost its key, or may have lost its lease", () => {
  assertRight(
    "C3",
    twoGrants((maker) => maker.call(1, "unlock", { key: key("L/a") })),
  );
  assertRight(
    "C3",
    twoGrants((maker) => maker.call(3, "deleteRange", createDeleteRangeRequest({ key: key("L/a") }))),
  );
  assertRight(
    "C3",
    twoGrants((maker) => maker.call(3, "leaseRevoke", { id: 10n })),
  );
  const expired = twoGrants((maker) => {
    maker.pass(5000);
    maker.expire(10n);
  });
  assertRight("C3", expired);
});

test("I4, C3: two owners at once are found", () => {
  assertFound(
    "C3",
    twoGrants(() => {}),
    "I2",
    /no legal order for owners of "L"/,
  );
});

test("C3: of a long history the beginning is searched, and it is said how much", () => {
  const maker = new HistoryMaker();
  for (let number = 1; number <= 300; number++) maker.call(1 + (number % 4), "put", put(`c-${number}`));
  const { counts, violations } = checkLinearizability(new Evidence(maker.history()));
  assert.deepEqual(violations, []);
  assert.equal(counts["calls searched"], 200);
  assert.equal(counts["calls not searched"], 100);
});

test("C3: a lease that the server chose for a call that nobody answered is said to be in the way", () => {
  const maker = new HistoryMaker();
  maker.lose(maker.invoke(1, "lock", { name: key("L"), lease: 0n }));
  const { gaveUp } = checkLinearizability(new Evidence(withoutLog(maker.history())));
  assert.equal(gaveUp.length, 1);
});
