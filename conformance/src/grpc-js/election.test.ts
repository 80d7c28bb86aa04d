// The Election service through grpc-js: Campaign, Proclaim, Leader, Observe, Resign (rules ELECT-n).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { bytes, revisionOf } from "../client/etcd-client.js";
import type { LeaderKey, LeaderResponse } from "../client/messages.js";
import { deadlinePassed, freshName, refused, skipWithout, untilKeys, useServer } from "../fixture.js";
import { perTarget, target } from "../target.js";

const notLeader = "election: not leader";

describe("Election service", { skip: skipWithout() }, () => {
  const fixture = useServer();

  /** A won election. */
  async function elected(name: string, value: string) {
    const lease = await fixture.client.grant(60);
    const { leader, header } = await fixture.client.campaign(name, lease, value).response;
    return { lease, leader, header };
  }

  /** A candidate that waits, its key already there. */
  async function candidate(name: string, value: string, position: number) {
    const lease = await fixture.client.grant(60);
    const call = fixture.client.campaign(name, lease, value);
    const keys = await untilKeys(fixture.client, `${name}/`, (kvs) => kvs.length === position + 1);
    const kv = keys.find((key) => key.lease === lease);
    assert.ok(kv !== undefined, "the candidate has a key");
    const leader: LeaderKey = { name: bytes(name), key: kv.key, rev: kv.create_revision, lease };
    return { lease, call, leader };
  }

  const leaderOf = (name: string) => fixture.client.call("v3electionpb.Election/Leader", { name: bytes(name) });
  const proclaim = (leader: LeaderKey | undefined, value: string) =>
    fixture.client.call("v3electionpb.Election/Proclaim", { leader, value: bytes(value) });
  const resign = (leader: LeaderKey | undefined) => fixture.client.call("v3electionpb.Election/Resign", { leader });
  const observe = (name: string) => fixture.client.serverStream("v3electionpb.Election/Observe", { name: bytes(name) });
  const proposalOf = (answer: LeaderResponse): string => answer.kv.value.toString();

  test("ELECT-1: the key is name/lease in hex, its value the proposal", async () => {
    const name = freshName("layout");
    const { lease, leader } = await elected(name, "proposal");
    assert.equal(leader.key.toString(), `${name}/${BigInt(lease).toString(16)}`);
    const kv = await fixture.client.get(leader.key);
    assert.equal(kv?.value.toString(), "proposal");
    assert.equal(kv?.lease, lease);
  });

  test("ELECT-1: candidates win in the order in which their keys were created", async () => {
    const name = freshName("order");
    const first = await elected(name, "a");
    const rest = [await candidate(name, "b", 1), await candidate(name, "c", 2)];
    const winners: string[] = [];
    const done = rest.map(async ({ call }) => {
      const { leader } = await call.response;
      winners.push(proposalOf(await leaderOf(name)));
      await resign(leader);
    });
    await resign(first.leader);
    await Promise.all(done);
    assert.deepEqual(winners, ["b", "c"]);
  });

  test("ELECT-3: lease 0 makes the server grant 60 s and say which lease it is", async () => {
    const { leader } = await fixture.client.campaign(freshName("auto"), 0, "x").response;
    assert.notEqual(leader.lease, "0");
    assert.equal((await fixture.client.timeToLive(leader.lease)).grantedTTL, "60");
  });

  test("ELECT-4: an unknown lease is refused", async () => {
    const call = fixture.client.campaign(freshName("unknown-lease"), "123456789", "x");
    await refused(call.response, status.UNKNOWN, "etcdserver: requested lease not found");
  });

  test("ELECT-5: success names the key and its create revision", async () => {
    const name = freshName("token");
    const { lease, leader } = await elected(name, "x");
    const kv = await fixture.client.get(leader.key);
    assert.equal(leader.rev, kv?.create_revision);
    assert.equal(leader.name.toString(), name);
    assert.equal(leader.lease, lease);
  });

  test("ELECT-6: after a wait the header is that of joining, older than the win", async () => {
    const name = freshName("header");
    const first = await elected(name, "a");
    const second = await candidate(name, "b", 1);
    const resigned = revisionOf(await resign(first.leader));
    const answer = await second.call.response;
    assert.equal(answer.header?.revision, answer.leader.rev);
    assert.ok(revisionOf(answer) < resigned);
  });

  test("ELECT-7: the leader campaigning again with the same value writes nothing", async () => {
    const name = freshName("same");
    const { lease, leader } = await elected(name, "x");
    const before = await fixture.client.revision();
    const again = await fixture.client.campaign(name, lease, "x").response;
    assert.deepEqual(again.leader, leader);
    assert.equal(await fixture.client.revision(), before);
  });

  test("ELECT-8: the leader campaigning again with another value replaces it in place", async () => {
    const name = freshName("other");
    const { lease, leader } = await elected(name, "x");
    const again = await fixture.client.campaign(name, lease, "y").response;
    assert.equal(again.leader.rev, leader.rev);
    const kv = await fixture.client.get(leader.key);
    assert.deepEqual([kv?.value.toString(), kv?.version], ["y", "2"]);
  });

  test("ELECT-8: a waiting candidate's value is replaced at once, too", async () => {
    const name = freshName("other-waiting");
    await elected(name, "leader");
    const waiter = await candidate(name, "x", 1);
    const again = fixture.newClient().campaign(name, waiter.lease, "y");
    await untilKeys(fixture.client, `${name}/`, (kvs) => kvs.some((kv) => kv.value.toString() === "y"));
    assert.equal(again.settled, false);
    assert.equal((await fixture.client.get(waiter.leader.key))?.create_revision, waiter.leader.rev);
  });

  test("ELECT-10: a cancelled candidate leaves, and its lease lives on", async () => {
    const name = freshName("cancel");
    await elected(name, "x");
    const waiter = await candidate(name, "y", 1);
    waiter.call.cancel();
    await refused(waiter.call.response, status.CANCELLED, /Cancelled on client/);
    await untilKeys(fixture.client, `${name}/`, (kvs) => kvs.length === 1);
    assert.equal((await fixture.client.timeToLive(waiter.lease)).grantedTTL, "60");
  });

  test("ELECT-10: a candidate whose deadline passes leaves", async () => {
    const name = freshName("deadline");
    await elected(name, "x");
    const lease = await fixture.client.grant(60);
    const call = fixture.client.campaign(name, lease, "y", { deadline: Date.now() + 200 });
    await deadlinePassed(call.response);
    await untilKeys(fixture.client, `${name}/`, (kvs) => kvs.length === 1);
  });

  test("ELECT-11: a candidate whose lease is revoked is never told that it won (Holdfast: fails at once)", async () => {
    const name = freshName("dead-candidate");
    const first = await elected(name, "x");
    const waiter = await candidate(name, "y", 1);
    await fixture.client.revoke(waiter.lease);
    if (target === "etcd") {
      // etcd keeps it waiting, then crowns a candidate without a key (its known quirk).
      await resign(first.leader);
      const { leader } = await waiter.call.response;
      await refused(proclaim(leader, "z"), status.UNKNOWN, notLeader);
      return;
    }
    await refused(waiter.call.response, status.UNKNOWN, /./);
  });

  test("ELECT-11: a candidate whose key is deleted by hand is never told that it won", async () => {
    const name = freshName("deleted-candidate");
    const first = await elected(name, "x");
    const waiter = await candidate(name, "y", 1);
    await fixture.client.delete(waiter.leader.key);
    if (target === "etcd") {
      await resign(first.leader);
    }
    const outcome = await waiter.call.response.then(
      () => "told that it won",
      () => "refused",
    );
    assert.equal(outcome, perTarget({ holdfast: "refused", etcd: "told that it won" }));
    if (target === "holdfast") {
      assert.equal(proposalOf(await leaderOf(name)), "x");
    }
  });

  test("ELECT-12: an ordinary key under the prefix leads", async () => {
    const name = freshName("ordinary");
    await fixture.client.put(`${name}/config`, "plain");
    const waiter = await candidate(name, "x", 1);
    assert.equal(waiter.call.settled, false);
    assert.equal(proposalOf(await leaderOf(name)), "plain");
    await fixture.client.delete(`${name}/config`);
    await waiter.call.response;
    assert.equal(proposalOf(await leaderOf(name)), "x");
  });

  test("ELECT-13, ELECT-19: Proclaim and Resign need a leader", async () => {
    await refused(proclaim(undefined, "x"), status.UNKNOWN, '"leader" field must be provided');
    await refused(resign(undefined), status.UNKNOWN, '"leader" field must be provided');
  });

  test("ELECT-14, ELECT-18: the leader's Proclaim writes its value and bumps", async () => {
    const name = freshName("proclaim");
    const { leader } = await elected(name, "x");
    const before = await fixture.client.revision();
    const answer = await proclaim(leader, "y");
    assert.equal(revisionOf(answer), before + 1);
    assert.equal(proposalOf(await leaderOf(name)), "y");
  });

  test("ELECT-14: Proclaim with another revision, or of a key that is gone, is refused and writes nothing", async () => {
    const { leader } = await elected(freshName("stale"), "x");
    await refused(proclaim({ ...leader, rev: "1" }, "y"), status.UNKNOWN, notLeader);
    await resign(leader);
    const before = await fixture.client.revision();
    await refused(proclaim(leader, "y"), status.UNKNOWN, notLeader);
    assert.equal(await fixture.client.revision(), before);
  });

  test("ELECT-15: a waiting candidate may change its own value", async () => {
    const name = freshName("proclaim-waiting");
    await elected(name, "x");
    const waiter = await candidate(name, "y", 1);
    await proclaim(waiter.leader, "z");
    assert.equal((await fixture.client.get(waiter.leader.key))?.value.toString(), "z");
    assert.equal(proposalOf(await leaderOf(name)), "x");
  });

  test("ELECT-16: Proclaim with a lease that does not exist is refused", async () => {
    const { leader } = await elected(freshName("wrong-lease"), "x");
    const call = proclaim({ ...leader, lease: "123456789" }, "y");
    await refused(call, status.UNKNOWN, "etcdserver: requested lease not found");
  });

  test("ELECT-17: Proclaim with an empty key is refused", async () => {
    const { leader } = await elected(freshName("empty-key"), "x");
    const call = proclaim({ ...leader, key: Buffer.alloc(0) }, "y");
    await refused(call, status.UNKNOWN, "etcdserver: key is not provided");
  });

  test("ELECT-20: Resign deletes the leader's key; a second time it is OK and changes nothing", async () => {
    const { leader } = await elected(freshName("resign"), "x");
    const first = revisionOf(await resign(leader));
    assert.equal(await fixture.client.get(leader.key), undefined);
    assert.equal(revisionOf(await resign(leader)), first);
  });

  test("ELECT-20: Resign with another revision leaves the key", async () => {
    const { leader } = await elected(freshName("resign-stale"), "x");
    await resign({ ...leader, rev: "1" });
    assert.notEqual(await fixture.client.get(leader.key), undefined);
  });

  test("ELECT-21: a waiting candidate may resign and the lease stays", async () => {
    const name = freshName("resign-waiting");
    await elected(name, "x");
    const waiter = await candidate(name, "y", 1);
    await resign(waiter.leader);
    assert.equal((await fixture.client.prefix(`${name}/`)).count, "1");
    assert.equal((await fixture.client.timeToLive(waiter.lease)).grantedTTL, "60");
    waiter.call.cancel();
  });

  test("ELECT-22: Leader answers with the oldest key; without candidates it is refused", async () => {
    const name = freshName("leader");
    await refused(leaderOf(name), status.UNKNOWN, "election: no leader");
    const { leader } = await elected(name, "x");
    const answer = await leaderOf(name);
    assert.deepEqual(answer.kv.key, leader.key);
    assert.equal(revisionOf(answer), await fixture.client.revision());
  });

  test("ELECT-23: Observe sends the present leader first", async () => {
    const name = freshName("observe-present");
    const { leader } = await elected(name, "x");
    const other = await fixture.client.put(freshName("other"), "x");
    const stream = observe(name);
    const first = await stream.next();
    assert.deepEqual(first.kv.key, leader.key);
    assert.equal(first.header?.revision, other.header?.revision);
    stream.cancel();
  });

  test("ELECT-24: Observe without a leader waits for the first PUT and gives its revision", async () => {
    const name = freshName("observe-none");
    const stream = observe(name);
    const { leader } = await elected(name, "x");
    const first = await stream.next();
    assert.deepEqual(first.kv.key, leader.key);
    assert.equal(first.header?.revision, first.kv.mod_revision);
    stream.cancel();
  });

  test("ELECT-25: Observe sends each proclaimed value, none merged", async () => {
    const name = freshName("observe-values");
    const { leader } = await elected(name, "v0");
    const stream = observe(name);
    assert.equal(proposalOf(await stream.next()), "v0");
    for (let n = 1; n <= 20; n += 1) {
      await proclaim(leader, `v${n}`);
    }
    for (let n = 1; n <= 20; n += 1) {
      assert.equal(proposalOf(await stream.next()), `v${n}`);
    }
    stream.cancel();
  });

  test("ELECT-26, ELECT-27: Observe tells of the next leader, not of the deletion, nor of waiting candidates", async () => {
    const name = freshName("observe-change");
    const first = await elected(name, "a");
    const second = await candidate(name, "b", 1);
    const stream = observe(name);
    assert.equal(proposalOf(await stream.next()), "a");
    await proclaim(second.leader, "b2");
    const resigned = revisionOf(await resign(first.leader));
    const next = await stream.next();
    assert.equal(proposalOf(next), "b2");
    assert.ok(Number(next.kv.mod_revision) < resigned);
    assert.ok(revisionOf(next) >= resigned);
    stream.cancel();
  });

  test("ELECT-26: Observe survives a time without a leader", async () => {
    const name = freshName("observe-gap");
    const first = await elected(name, "a");
    const stream = observe(name);
    assert.equal(proposalOf(await stream.next()), "a");
    await resign(first.leader);
    await elected(name, "b");
    assert.equal(proposalOf(await stream.next()), "b");
    stream.cancel();
  });

  test("ELECT-29: Observe works when the leader's key is older than the compaction", async () => {
    const name = freshName("observe-compacted");
    const { leader } = await elected(name, "x");
    const revision = revisionOf(await fixture.client.put(freshName("later"), "x"));
    await fixture.client.call("etcdserverpb.KV/Compact", { revision });
    const stream = observe(name);
    assert.equal(proposalOf(await stream.next()), "x");
    await proclaim(leader, "y");
    assert.equal(proposalOf(await stream.next()), "y");
    stream.cancel();
  });

  test("ELECT-30: cancelling Observe ends it with CANCELLED", async () => {
    const stream = observe(freshName("observe-cancel"));
    stream.cancel();
    assert.equal((await stream.status).code, status.CANCELLED);
  });

  test("ELECT-1: a Lock and a Campaign on one name share the queue", async () => {
    const name = freshName("shared");
    const lease = await fixture.client.grant(60);
    const { key } = await fixture.client.lock(name, lease).response;
    const waiter = await candidate(name, "x", 1);
    assert.equal(waiter.call.settled, false);
    await fixture.client.unlock(key);
    await waiter.call.response;
  });
});
