// What lies under every service: unknown methods, limits, deadlines, cancellation, metadata, health, headers.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Metadata, status } from "@grpc/grpc-js";
import { bytes, revisionOf } from "../client/etcd-client.js";
import { envelope, RawConnection, rawOutcome, rawStatus } from "../client/raw-grpc.js";
import { freshName, refused, serverDeadlineOutcome, skipWithout, untilKeys, useServer } from "../fixture.js";

const rangePath = "/etcdserverpb.KV/Range";

describe("Protocol", { skip: skipWithout() }, () => {
  const fixture = useServer();

  /** Runs with an HTTP/2 connection of its own, broken off afterwards. */
  async function withRaw<T>(use: (connection: RawConnection) => Promise<T>): Promise<T> {
    const connection = new RawConnection(fixture.server.endpoint);
    try {
      return await use(connection);
    } finally {
      connection.destroy();
    }
  }

  const rangeBody = (key: string) => envelope("etcdserverpb.KV/Range", { key: bytes(key) });

  test("an unknown method is UNIMPLEMENTED, and the text names it", () =>
    withRaw(async (connection) => {
      const body = Buffer.alloc(5);
      assert.equal(
        await rawOutcome(connection.call("/etcdserverpb.KV/Nonsense", body)),
        `${status.UNIMPLEMENTED} unknown method Nonsense for service etcdserverpb.KV`,
      );
      assert.equal(
        await rawOutcome(connection.call("/no.such.Service/Method", body)),
        `${status.UNIMPLEMENTED} unknown service no.such.Service`,
      );
    }));

  test("a path that is no method path is UNIMPLEMENTED, too", () =>
    withRaw(async (connection) => {
      const answer = await connection.call("/nonsense", Buffer.alloc(5)).answer;
      assert.equal(rawStatus(answer).code, status.UNIMPLEMENTED);
      assert.match(rawStatus(answer).details, /nonsense/);
    }));

  test("headers and trailers of a good answer", () =>
    withRaw(async (connection) => {
      const { headers, trailers, body } = await connection.call(rangePath, rangeBody("a")).answer;
      assert.equal(headers[":status"], 200);
      assert.equal(headers["content-type"], "application/grpc");
      assert.equal(trailers["grpc-status"], "0");
      assert.equal(body.readUInt8(0), 0);
      assert.equal(body.readUInt32BE(1), body.length - 5);
    }));

  test("content-type application/grpc+proto is served, too", () =>
    withRaw(async (connection) => {
      const { answer } = connection.call(rangePath, rangeBody("a"), { "content-type": "application/grpc+proto" });
      assert.equal(rawStatus(await answer).code, status.OK);
    }));

  test("a refusal's text arrives through percent-encoding unharmed", () =>
    withRaw(async (connection) => {
      const body = envelope("v3electionpb.Election/Proclaim", {});
      assert.equal(
        await rawOutcome(connection.call("/v3electionpb.Election/Proclaim", body)),
        `${status.UNKNOWN} "leader" field must be provided`,
      );
    }));

  test("LIM-1: a write above 1.5 MiB is refused", async () => {
    const call = fixture.client.put(freshName("large"), "x".repeat(1_572_864));
    await refused(call, status.INVALID_ARGUMENT, "etcdserver: request is too large");
    await fixture.client.put(freshName("large"), "x".repeat(1_572_864 - 1024));
  });

  test("LIM-2: a message above 2 MiB is refused by the transport", async () => {
    const key = bytes("k");
    const value = Buffer.alloc(2_097_152);
    const size = envelope("etcdserverpb.KV/Put", { key, value }).length - 5;
    await refused(
      fixture.client.call("etcdserverpb.KV/Put", { key, value }),
      status.RESOURCE_EXHAUSTED,
      `grpc: received message larger than max (${size} vs. 2097152)`,
    );
  });

  test("LIM-3: an answer may be larger than any request", async () => {
    const prefix = `${freshName("big")}/`;
    for (let n = 0; n < 6; n += 1) {
      await fixture.client.put(`${prefix}${n}`, "x".repeat(1_000_000));
    }
    const { kvs } = await fixture.client.prefix(prefix);
    assert.equal(
      kvs.reduce((sum, kv) => sum + kv.value.length, 0),
      6_000_000,
    );
  });

  test("a message that is not protobuf is refused and the connection lives on", () =>
    withRaw(async (connection) => {
      const body = Buffer.from([0, 0, 0, 0, 2, 0x0a, 0x7f]);
      const answer = await connection.call(rangePath, body).answer;
      assert.equal(rawStatus(answer).code, status.INTERNAL);
      assert.equal(await rawOutcome(connection.call(rangePath, rangeBody("a"))), "0 ");
    }));

  test("a unary call without a message is refused", () =>
    withRaw(async (connection) => {
      const answer = await connection.call(rangePath, Buffer.alloc(0)).answer;
      assert.notEqual(rawStatus(answer).code, status.OK);
    }));

  test("a compressed message is refused as UNIMPLEMENTED when the encoding is unknown", () =>
    withRaw(async (connection) => {
      const body = rangeBody("a");
      body.writeUInt8(1, 0);
      const { answer } = connection.call(rangePath, body, { "grpc-encoding": "nonsense" });
      assert.equal(rawStatus(await answer).code, status.UNIMPLEMENTED);
    }));

  test("a deadline that has passed already is DEADLINE_EXCEEDED", () =>
    withRaw(async (connection) => {
      const { answer } = connection.call(rangePath, rangeBody("a"), { "grpc-timeout": "0n" });
      assert.deepEqual(rawStatus(await answer), {
        code: status.DEADLINE_EXCEEDED,
        details: "context deadline exceeded",
      });
    }));

  test("a malformed deadline is refused", () =>
    withRaw(async (connection) => {
      const { answer } = connection.call(rangePath, rangeBody("a"), { "grpc-timeout": "soon" });
      assert.notEqual(rawStatus(await answer).code, status.OK);
    }));

  test("a stream's deadline ends it", () =>
    withRaw(async (connection) => {
      const create = envelope("etcdserverpb.Watch/Watch", { create_request: { key: bytes("a") } });
      const call = connection.call("/etcdserverpb.Watch/Watch", create, { "grpc-timeout": "200m" });
      assert.match(await rawOutcome(call), serverDeadlineOutcome);
    }));

  test("cancelling a unary call fails it with CANCELLED and harms no other", async () => {
    const name = freshName("cancel");
    await fixture.client.lock(name, await fixture.client.grant(60)).response;
    const waiter = fixture.client.lock(name, await fixture.client.grant(60));
    await untilKeys(fixture.client, `${name}/`, (kvs) => kvs.length === 2);
    waiter.cancel();
    await refused(waiter.response, status.CANCELLED, /Cancelled on client/);
    await untilKeys(fixture.client, `${name}/`, (kvs) => kvs.length === 1);
    await fixture.client.put(name, "x");
  });

  test("GEN-7, GEN-8, AUTH-3: hasleader, an API version and a stale token are taken without complaint", async () => {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries({ hasleader: "true", "client-api-version": "3.7", token: "stale.1" })) {
      metadata.set(key, value);
    }
    metadata.set("x-unknown", "anything");
    metadata.set("x-unknown-bin", Buffer.from([0, 255, 128]));
    await fixture.client.call("etcdserverpb.KV/Range", { key: bytes("a") }, { metadata });
    const stream = fixture.client.watchStream({ metadata });
    stream.send({ create_request: { key: bytes("a") } });
    assert.equal((await stream.next()).created, true);
    stream.cancel();
  });

  test("GEN-8: an API version that is no UTF-8 is refused", () =>
    withRaw(async (connection) => {
      const headers = { "client-api-version": Buffer.from([0xff, 0xfe]).toString("latin1") };
      const outcome = await rawOutcome(connection.call(rangePath, rangeBody("a"), headers));
      assert.equal(outcome, `${status.INVALID_ARGUMENT} etcdserver: invalid client api version`);
    }));

  test("GEN-3: which answers carry which header", async () => {
    const { client } = fixture;
    const put = await client.put(freshName("header"), "x");
    assert.ok(put.header !== null);
    const cluster = await client.call("etcdserverpb.Cluster/MemberList", { linearizable: true });
    assert.deepEqual(cluster.header, { ...put.header, revision: "0" });
    const full = [
      await client.call("etcdserverpb.Maintenance/Status", {}),
      await client.timeToLive("1"),
      await client.call("etcdserverpb.Lease/LeaseLeases", {}),
    ];
    for (const answer of full) {
      assert.deepEqual(answer.header, put.header);
    }
    const inner = { request_range: { key: bytes("a") } };
    const nested = await client.txn({ success: [inner, { request_txn: { success: [inner] } }] });
    const zero = { cluster_id: "0", member_id: "0", revision: "0", raft_term: "0" };
    assert.deepEqual(nested.responses[0]?.response_range?.header, { ...zero, revision: put.header.revision });
    assert.deepEqual(nested.responses[1]?.response_txn?.header, zero);
  });

  test("GEN-11: ids stay over a restart, the term grows, the revision stays", async () => {
    const before = (await fixture.client.put(freshName("restart"), "x")).header;
    await fixture.server.restart();
    const after = (await fixture.newClient().range("a")).header;
    assert.deepEqual([after?.cluster_id, after?.member_id], [before?.cluster_id, before?.member_id]);
    assert.equal(after?.revision, before?.revision);
    assert.ok(Number(after?.raft_term) > Number(before?.raft_term));
  });

  test("MAINT-1: Status names a version, sizes, and itself as leader", async () => {
    const answer = await fixture.newClient().call("etcdserverpb.Maintenance/Status", {});
    assert.match(answer.version, /^\d+\.\d+\.\d+/);
    assert.ok(Number(answer.dbSize) > 0);
    assert.equal(answer.leader, answer.header?.member_id);
    assert.equal(answer.raftTerm, answer.header?.raft_term);
    assert.equal(answer.isLearner, false);
  });

  test("Health: the empty service name is SERVING, another one is not known", async () => {
    const client = fixture.newClient();
    assert.equal((await client.call("grpc.health.v1.Health/Check", {})).status, "SERVING");
    const unknown = client.call("grpc.health.v1.Health/Check", { service: "nonsense" });
    await refused(unknown, status.NOT_FOUND, "unknown service");
    const { statuses } = await client.call("grpc.health.v1.Health/List", {});
    assert.deepEqual(statuses, { "": { status: "SERVING" } });
  });

  test("Health: Watch tells the present state and stays open", async () => {
    const client = fixture.newClient();
    for (const [service, expected] of [
      ["", "SERVING"],
      ["nonsense", "SERVICE_UNKNOWN"],
    ] as const) {
      const stream = client.serverStream("grpc.health.v1.Health/Watch", { service });
      assert.equal((await stream.next()).status, expected);
      stream.cancel();
      assert.equal((await stream.status).code, status.CANCELLED);
    }
  });

  test("a thousand calls at once on one connection are all answered", async () => {
    const client = fixture.newClient();
    const key = freshName("busy");
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, n) => client.put(key, `${n}`)));
    const revisions = new Set(answers.map(revisionOf));
    assert.equal(revisions.size, 1000);
    assert.equal((await client.get(key))?.version, "1000");
  });
});
