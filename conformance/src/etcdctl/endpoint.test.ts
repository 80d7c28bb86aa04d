// The real etcdctl's view of the server itself: endpoint status and health, members, alarms, hashes.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { freshName, skipWithout, useServer } from "../fixture.js";
import { ctl } from "./ctl.js";

describe("etcdctl: endpoint and member", { skip: skipWithout("etcdctl") }, () => {
  const fixture = useServer();

  const run = (...args: readonly string[]) => ctl(fixture.server.endpoint, args);

  test("endpoint status -w json", async () => {
    const { header } = await fixture.client.put(freshName("status"), "x");
    const [entry] = JSON.parse(await run("endpoint", "status", "-w", "json"));
    assert.equal(entry.Endpoint, fixture.server.endpoint);
    const { Status: status } = entry;
    assert.equal(status.header.revision, Number(header?.revision));
    assert.equal(status.header.raft_term, Number(header?.raft_term));
    assert.match(status.version, /^\d+\.\d+\.\d+/);
    assert.equal(status.leader, status.header.member_id);
    assert.ok(status.dbSize > 0 && status.dbSizeInUse > 0 && status.dbSizeInUse <= status.dbSize);
    assert.ok(status.raftIndex >= status.raftAppliedIndex && status.raftAppliedIndex > 0);
    assert.equal(status.raftTerm, status.header.raft_term);
    assert.equal(status.isLearner ?? false, false);
    assert.equal(status.errors, undefined);
  });

  test("K8S-2: the version is one that kube-apiserver trusts with progress requests", async () => {
    const [entry] = JSON.parse(await run("endpoint", "status", "-w", "json"));
    const [major = 0, minor = 0, patch = 0] = entry.Status.version.split(/[.-]/).map(Number);
    const number = major * 1_000_000 + minor * 1000 + patch;
    assert.ok(number >= 3_005_013 || (number >= 3_004_031 && number < 3_005_000), entry.Status.version);
  });

  test("endpoint status in the simple form is one line of fields", async () => {
    const line = await run("endpoint", "status");
    assert.ok(line.startsWith(`${fixture.server.endpoint}, `), line);
    assert.equal(line.split("\n").length, 1);
    const { members } = await fixture.client.call("etcdserverpb.Cluster/MemberList", {});
    assert.equal(line.split(", ")[1], BigInt(members[0]?.ID ?? 0).toString(16));
  });

  test("endpoint health", async () => {
    assert.match(await run("endpoint", "health"), / is healthy: successfully committed proposal/);
    const [entry] = JSON.parse(await run("endpoint", "health", "-w", "json"));
    assert.deepEqual([entry.endpoint, entry.health], [fixture.server.endpoint, true]);
  });

  test("endpoint health --cluster asks the members it is told of", async () => {
    assert.match(await run("endpoint", "health", "--cluster"), / is healthy/);
  });

  test("member list", async () => {
    const { members } = await fixture.client.call("etcdserverpb.Cluster/MemberList", {});
    assert.equal(members.length, 1);
    const [id, state, name, , clientUrls, learner] = (await run("member", "list")).split(", ");
    assert.equal(id, BigInt(members[0]?.ID ?? 0).toString(16));
    assert.deepEqual([state, name, learner], ["started", members[0]?.name, "false"]);
    assert.ok(clientUrls?.includes(fixture.server.endpoint), clientUrls);
  });

  test("alarm list is empty, alarm disarm has nothing to do", async () => {
    assert.equal(await run("alarm", "list"), "");
    assert.equal(await run("alarm", "disarm"), "");
  });

  test("endpoint hashkv answers, the same twice", async () => {
    const hash = await run("endpoint", "hashkv");
    assert.match(hash, /, \d+, \d+$/);
    assert.equal(await run("endpoint", "hashkv"), hash);
  });

  test("defrag answers and keeps the data", async () => {
    const key = freshName("defrag");
    await run("put", key, "x");
    assert.match(await run("defrag"), /Finished defragmenting/);
    assert.equal(await run("get", key, "--print-value-only"), "x");
  });
});
