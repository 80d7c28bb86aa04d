/** C5 and C6: grants without ownership, tokens out of order, holders at the same time. */
import { test } from "node:test";
import type { Hold } from "../history/holds.js";
import { assertFound, assertRight, bytes, key, momentAt, withoutLog } from "../testing/finding.js";
import { type DraftHistory, HistoryMaker } from "../testing/history-maker.js";

const name = key("L");

function grantLeases(maker: HistoryMaker): void {
  maker.call(1, "leaseGrant", { id: 10n, ttl: 5 });
  maker.call(2, "leaseGrant", { id: 11n, ttl: 5 });
}

function hold(client: string, lease: bigint, token: number, from: number, until: number | undefined): Hold {
  const end = until === undefined ? undefined : momentAt(until);
  const parts = { client, name, kind: "lock" as const, key: `L/${lease.toString(16)}`, token, lease };
  return { ...parts, careful: true, from: momentAt(from), until: end };
}

/** One owner after the other: tokens 2 and 3, the second lock waits for the first. */
function handOver(): DraftHistory {
  const maker = new HistoryMaker();
  grantLeases(maker);
  const first = maker.invoke(1, "lock", { name, lease: 10n });
  const second = maker.invoke(2, "lock", { name, lease: 11n });
  maker.apply(first);
  maker.apply(second);
  maker.answer(first);
  maker.holds.push(hold("c1", 10n, 2, maker.moment().order, maker.moment().order));
  maker.call(1, "unlock", { key: key("L/a") });
  maker.answer(second);
  maker.holds.push(hold("c2", 11n, 3, maker.moment().order, undefined));
  return maker.history();
}

/** A campaign that wins, is resigned, and another. */
function elections(): DraftHistory {
  const maker = new HistoryMaker();
  grantLeases(maker);
  maker.call(1, "campaign", { name, lease: 10n, value: bytes("c1-3") });
  maker.call(1, "resign", { leader: { name, key: key("L/a"), rev: 2, lease: 10n } });
  maker.call(2, "campaign", { name, lease: 11n, value: bytes("c2-5") });
  return maker.history();
}

test("I4, I5, C5: one owner after the other passes, with and without a log", () => {
  for (const history of [handOver(), elections()]) {
    for (const check of ["C5", "C6"] as const) {
      assertRight(check, history);
      assertRight(check, withoutLog(history));
    }
    assertRight("C2", history);
    assertRight("C3", withoutLog(history));
  }
});

test("I4b, C5: a grant while another is the owner is found", () => {
  const history = handOver();
  // The second is answered before the first gives the name back.
  const [second, unlock] = [history.calls[3]!, history.calls[4]!];
  second.ended = momentAt(unlock.invoked.order - 0.5);
  assertFound("C5", history, "I4b", /call 4.*before it was stored/);
});

test("I4b, C5: a grant to a key whose lease has ended is found", () => {
  const maker = new HistoryMaker();
  grantLeases(maker);
  const first = maker.invoke(1, "lock", { name, lease: 10n });
  maker.apply(first);
  maker.expire(10n);
  maker.call(2, "leaseRevoke", { id: 11n });
  maker.finish(first, { header: maker.header, key: key("L/a") });
  assertFound("C5", maker.history(), "I4b", /call 3.*fits no position/);
});

test("I5, C5: a token issued to two leases is found without a log", () => {
  const history = withoutLog(handOver());
  history.holds[1]!.token = 2;
  assertFound("C5", history, "I5", /token 2 was issued to two keys/);
});

test("I5, C5: tokens that fall from grant to grant are found without a log", () => {
  const history = withoutLog(elections());
  const last = history.calls.at(-1)!;
  if (last.kind !== "campaign" || last.result?.fate !== "done") throw new Error("not a campaign");
  const leader = { ...last.result.response.leader!, rev: 1 };
  last.result = { fate: "done", response: { ...last.result.response, leader } };
  assertFound("C5", history, "I5", /got token 1 after.*had got 2/);
});

test("I5, C5: a token that is not the create revision of the key is found", () => {
  const history = handOver();
  history.holds[1]!.token = 12;
  assertFound("C5", history, "I5", /token 12.*never was its owner/);
});

test("I4c, C6: careful holders at the same time are found; careless ones are not judged", () => {
  const history = withoutLog(handOver());
  const [first, second] = [history.holds[0]!, history.holds[1]!];
  first.until = momentAt(second.from.order + 1, second.from.ms + 1);
  assertFound("C6", history, "I4c", /c1 \(token 2.*c2 \(token 3.*both held "L"/);
  first.until = undefined;
  assertFound("C6", history, "I4c", /both held/);
  first.careful = false;
  assertRight("C6", history);
});

test("I5, C6: callers that share a lease are one owner", () => {
  const history = withoutLog(handOver());
  history.holds.push({ ...history.holds[1]!, client: "c3" });
  assertRight("C6", history);
});

test("I5, C6: a resource that looks at tokens and goes backwards is found; one that does not is counted", () => {
  const history = withoutLog(handOver());
  const write = (token: number, order: number, accepted: boolean) => {
    return { client: `c${token}`, name, token, at: momentAt(order), accepted };
  };
  history.resourceWrites.push(write(2, 50, true), write(3, 51, true), write(2, 52, false));
  assertRight("C6", history);
  history.resourceWrites.push(write(2, 53, true));
  assertFound("C6", history, "I5", /took token 2 of c2 after 3/);
});
