// The Lease service through grpc-js: grant, expiry, revoke, keepalive streams, attachment (rules LEASE-n).

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { status } from "@grpc/grpc-js";
import { bytes, revisionOf } from "../client/etcd-client.js";
import { freshName, refused, skipWithout, untilKeys, useServer } from "../fixture.js";

const leaseNotFound = "etcdserver: requested lease not found";

describe("Lease service", { skip: skipWithout() }, () => {
  const fixture = useServer();

  const grantCall = (TTL: string | number, ID: string | number = 0) =>
    fixture.client.call("etcdserverpb.Lease/LeaseGrant", { TTL, ID });
  const keepAlives = () => fixture.client.duplex("etcdserverpb.Lease/LeaseKeepAlive");

  test("LEASE-1, LEASE-7: id 0 makes the server choose a positive id; a grant does not bump", async () => {
    const before = await fixture.client.revision();
    const answer = await grantCall(60);
    assert.ok(BigInt(answer.ID) > 0n);
    assert.equal(answer.TTL, "60");
    assert.equal(answer.error, "");
    assert.equal(revisionOf(answer), before);
    assert.equal(await fixture.client.revision(), before);
  });

  for (const id of ["-9223372036854775808", "9223372036854775807", "-1", "1", "9007199254740993"]) {
    test(`LEASE-2: the chosen id ${id} is used as given, in every answer`, async () => {
      const key = freshName("extreme");
      assert.equal((await grantCall(60, id)).ID, id);
      await fixture.client.put(key, "x", { lease: id });
      assert.equal((await fixture.client.get(key))?.lease, id);
      const stream = keepAlives();
      stream.send({ ID: id });
      assert.deepEqual([(await stream.next()).ID, (await fixture.client.timeToLive(id)).ID], [id, id]);
      stream.halfClose();
      const { leases } = await fixture.client.call("etcdserverpb.Lease/LeaseLeases", {});
      assert.ok(leases.some((lease) => lease.ID === id));
      const compare = { target: "LEASE", lease: id, key: bytes(key) } as const;
      assert.equal((await fixture.client.txn({ compare: [compare] })).succeeded, true);
      await fixture.client.revoke(id);
      assert.equal(await fixture.client.get(key), undefined);
    });
  }

  test("LEASE-3: an id in use is refused and the lease stays as it was", async () => {
    const id = await fixture.client.grant(60);
    await refused(grantCall(100, id), status.FAILED_PRECONDITION, "etcdserver: lease already exists");
    assert.equal((await fixture.client.timeToLive(id)).grantedTTL, "60");
  });

  test("LEASE-4: the largest TTL is 9,000,000,000 s; the TTL is looked at before the id", async () => {
    const tooLarge = "etcdserver: too large lease TTL";
    const { ID, TTL } = await grantCall("9000000000");
    assert.equal(TTL, "9000000000");
    await refused(grantCall("9000000001"), status.OUT_OF_RANGE, tooLarge);
    await refused(grantCall("9000000001", ID), status.OUT_OF_RANGE, tooLarge);
  });

  test("LEASE-5, LEASE-6: a TTL below 2 s is raised to 2 s, zero and negative ones too", async () => {
    for (const ttl of [1, 0, -1, "-9223372036854775808"]) {
      assert.equal((await grantCall(ttl)).TTL, "2");
    }
  });

  test("LEASE-9, LEASE-11: an expired lease takes its keys, in one revision and never before its TTL", async () => {
    const prefix = `${freshName("expiry")}/`;
    const grantSent = process.hrtime.bigint();
    const lease = await fixture.client.grant(2);
    await fixture.client.put(`${prefix}a`, "x", { lease });
    await fixture.client.put(`${prefix}b`, "x", { lease });
    const before = await fixture.client.revision();
    await untilKeys(fixture.client, prefix, (kvs) => kvs.length === 0);
    const passedMs = Number((process.hrtime.bigint() - grantSent) / 1_000_000n);
    assert.ok(passedMs >= 2000, `expired ${passedMs} ms after the grant was asked for`);
    assert.equal(await fixture.client.revision(), before + 1);
  });

  test("LEASE-13: a lease without keys is revoked without a bump", async () => {
    const before = await fixture.client.revision();
    assert.equal(revisionOf(await fixture.client.revoke(await fixture.client.grant(60))), before);
  });

  test("LEASE-15: revoking an unknown lease, or 0, is refused", async () => {
    await refused(fixture.client.revoke("123456789"), status.NOT_FOUND, leaseNotFound);
    await refused(fixture.client.revoke("0"), status.NOT_FOUND, leaseNotFound);
  });

  test("LEASE-16: after a revoke the keys are gone, and the header says at which revision", async () => {
    const key = freshName("revoke");
    const lease = await fixture.client.grant(60);
    await fixture.client.put(key, "x", { lease });
    const before = await fixture.client.revision();
    assert.equal(revisionOf(await fixture.client.revoke(lease)), before + 1);
    assert.equal(await fixture.client.get(key), undefined);
  });

  test("LEASE-17, LEASE-18: one answer per request, in order, with the full TTL", async () => {
    const leases = await Promise.all([10, 20, 30].map((ttl) => fixture.client.grant(ttl)));
    const stream = keepAlives();
    const asked = [0, 1, 2, 0, 2, 1].map((index) => leases[index] ?? "");
    for (const ID of asked) {
      stream.send({ ID });
    }
    const answers = [];
    for (const _ of asked) {
      answers.push(await stream.next());
    }
    assert.deepEqual(
      answers.map((answer) => answer.ID),
      asked,
    );
    assert.deepEqual(
      answers.map((answer) => answer.TTL),
      ["10", "20", "30", "10", "30", "20"],
    );
    stream.halfClose();
  });

  test("LEASE-19: an unknown lease is answered with TTL 0 and the stream stays open", async () => {
    const lease = await fixture.client.grant(60);
    const stream = keepAlives();
    for (const ID of ["123456789", "0", lease]) {
      stream.send({ ID });
    }
    assert.equal((await stream.next()).TTL, "0");
    assert.equal((await stream.next()).TTL, "0");
    assert.deepEqual([(await stream.next()).TTL], ["60"]);
    stream.halfClose();
  });

  test("LEASE-22: a half-closed stream answers what is outstanding and ends with OK", async () => {
    const lease = await fixture.client.grant(60);
    const stream = keepAlives();
    stream.send({ ID: lease });
    stream.send({ ID: lease });
    stream.halfClose();
    const { messages, status: final } = await stream.collect();
    assert.deepEqual(
      messages.map((message) => message.TTL),
      ["60", "60"],
    );
    assert.equal(final.code, status.OK);
  });

  test("LEASE-22: a stream that never asks anything ends with OK, too", async () => {
    const stream = keepAlives();
    stream.halfClose();
    assert.equal((await stream.status).code, status.OK);
  });

  test("LEASE-25: a lease granted on one connection is known to the next one", async () => {
    for (let round = 0; round < 20; round += 1) {
      const lease = await fixture.client.grant(60);
      const stream = fixture.newClient().duplex("etcdserverpb.Lease/LeaseKeepAlive");
      stream.send({ ID: lease });
      assert.equal((await stream.next()).TTL, "60");
      stream.halfClose();
    }
  });

  test("LEASE-26: TimeToLive counts whole seconds that are left", async () => {
    const lease = await fixture.client.grant(60);
    const { TTL, grantedTTL } = await fixture.client.timeToLive(lease);
    assert.ok(Number(TTL) <= 60 && Number(TTL) >= 50, TTL);
    assert.equal(grantedTTL, "60");
  });

  test("LEASE-28: TimeToLive of an unknown lease is -1, not an error", async () => {
    const answer = await fixture.client.timeToLive("123456789", true);
    assert.deepEqual([answer.ID, answer.TTL, answer.grantedTTL, answer.keys], ["123456789", "-1", "0", []]);
    assert.equal(revisionOf(answer), await fixture.client.revision());
  });

  test("LEASE-29: the keys of a lease are told only when asked for", async () => {
    const names = [freshName("attached"), freshName("attached")];
    const lease = await fixture.client.grant(60);
    await Promise.all(names.map((name) => fixture.client.put(name, "x", { lease })));
    assert.deepEqual((await fixture.client.timeToLive(lease)).keys, []);
    const { keys } = await fixture.client.timeToLive(lease, true);
    assert.deepEqual(keys.map(String).sort(), [...names].sort());
  });

  test("LEASE-30: Leases lists the soonest to expire first", async () => {
    const long = await fixture.client.grant(5000);
    const short = await fixture.client.grant(1000);
    const { leases } = await fixture.client.call("etcdserverpb.Lease/LeaseLeases", {});
    const ids = leases.map((lease) => lease.ID);
    assert.ok(ids.indexOf(short) >= 0 && ids.indexOf(short) < ids.indexOf(long));
  });

  test("LEASE-31: a put with an unknown lease is refused and writes nothing", async () => {
    const key = freshName("unknown");
    await refused(fixture.client.put(key, "x", { lease: "123456789" }), status.NOT_FOUND, leaseNotFound);
    assert.equal(await fixture.client.get(key), undefined);
  });

  test("LEASE-32: a put with another lease moves the key", async () => {
    const key = freshName("moved");
    const [old, other] = [await fixture.client.grant(60), await fixture.client.grant(60)];
    await fixture.client.put(key, "x", { lease: old });
    await fixture.client.put(key, "x", { lease: other });
    await fixture.client.revoke(old);
    assert.equal((await fixture.client.get(key))?.lease, other);
  });

  test("LEASE-33: a put without a lease detaches the key, with ignore_value, too", async () => {
    const keys = [freshName("detached"), freshName("detached")];
    const lease = await fixture.client.grant(60);
    for (const key of keys) {
      await fixture.client.put(key, "x", { lease });
    }
    await fixture.client.put(keys[0] ?? "", "x");
    await fixture.client.put(keys[1] ?? "", "", { ignore_value: true });
    await fixture.client.revoke(lease);
    for (const key of keys) {
      assert.equal((await fixture.client.get(key))?.value.toString(), "x");
    }
  });

  test("LEASE-34: ignore_lease keeps the lease; with a lease, or without a key, it is refused", async () => {
    const key = freshName("kept");
    const lease = await fixture.client.grant(60);
    await refused(
      fixture.client.put(key, "x", { ignore_lease: true }),
      status.INVALID_ARGUMENT,
      "etcdserver: key not found",
    );
    await fixture.client.put(key, "x", { lease });
    await refused(
      fixture.client.put(key, "y", { lease, ignore_lease: true }),
      status.INVALID_ARGUMENT,
      "etcdserver: lease is provided",
    );
    await fixture.client.put(key, "y", { ignore_lease: true });
    assert.equal((await fixture.client.get(key))?.lease, lease);
  });

  test("LEASE-35: deleting a key detaches it", async () => {
    const key = freshName("deleted");
    const lease = await fixture.client.grant(60);
    await fixture.client.put(key, "x", { lease });
    await fixture.client.delete(key);
    await fixture.client.put(key, "y");
    await fixture.client.revoke(lease);
    assert.equal((await fixture.client.get(key))?.value.toString(), "y");
  });

  test("LEASE-38: leases and their keys survive a restart", async () => {
    const key = freshName("restart");
    const lease = await fixture.client.grant(500);
    await fixture.client.put(key, "x", { lease });
    await fixture.server.restart();
    const client = fixture.newClient();
    const answer = await client.timeToLive(lease, true);
    assert.deepEqual([answer.grantedTTL, answer.keys.map(String)], ["500", [key]]);
    await client.revoke(lease);
    assert.equal(await client.get(key), undefined);
  });
});
