// GEN-1 to GEN-11: what holds for every call.

import { envelope } from "../grpc-call.js";
import { everything, putKeys, readAll, refusals } from "../phrases.js";
import { script } from "../script.js";

const full = (revision: number) => ({ header: { revision, cluster_id: /^\d+$/, member_id: /^\d+$/ } });

/** The scripts of this section. */
export const scripts = [
  script("GEN-1", "a fresh store is at revision 1", async (s) => {
    (await readAll(s)).shows({ header: { revision: 1 }, count: 0 });
    (await s.put("a", "v")).shows({ header: { revision: 2 } });
  }),
  script("GEN-2", "headers tell the current revision, whatever was read", async (s) => {
    await putKeys(s, "a", "b", "c");
    (await s.range("a", { revision: 2 })).shows({ header: { revision: 4 } });
    (await s.range("a", { revision: 2, count_only: true, serializable: true })).shows({ header: { revision: 4 } });
    (await s.txn({ success: [{ request_range: { key: "a", revision: 2 } }] })).shows({ header: { revision: 4 } });
  }),
  script("GEN-3", "headers of KV, Lease, Lock, Election and Watch are full", async (s) => {
    (await s.put("a", "v")).shows(full(2));
    (await s.range("a")).shows(full(2));
    (await s.deleteRange("a")).shows(full(3));
    (await s.txn({})).shows(full(3));
    (await s.compact(2)).shows(full(3));
    (await s.grant(600, 7)).shows(full(3));
    (await s.unary("etcdserverpb.Lease/LeaseTimeToLive", { ID: 7 })).shows(full(3));
    (await s.unary("etcdserverpb.Lease/LeaseTimeToLive", { ID: 8 })).shows(full(3));
    (await s.unary("etcdserverpb.Lease/LeaseLeases", {})).shows(full(3));
    const locked = await s.unary("v3lockpb.Lock/Lock", { name: "l", lease: 7 });
    locked.shows(full(4));
    (await s.unary("v3lockpb.Lock/Unlock", { key: locked.text("key") })).shows(full(5));
    const won = await s.unary("v3electionpb.Election/Campaign", { name: "e", lease: 7, value: "v" });
    won.shows(full(6));
    (await s.unary("v3electionpb.Election/Leader", { name: "e" })).shows(full(6));
    const keepAlive = s.stream("etcdserverpb.Lease/LeaseKeepAlive");
    keepAlive.send({ ID: 7 });
    (await keepAlive.next()).shows(full(6));
    const watch = s.stream("etcdserverpb.Watch/Watch");
    watch.send({ create_request: everything });
    (await watch.next()).shows(full(6));
    (await s.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 7 })).shows(full(7));
    (await watch.next()).shows(full(7));
  }),
  script("GEN-3", "headers of Cluster have no revision; Defragment has none at all", async (s) => {
    await putKeys(s, "a");
    const unobserved = "the Cluster and Maintenance scripts compare the rest";
    for (const linearizable of [true, false]) {
      const members = await s.unary("etcdserverpb.Cluster/MemberList", { linearizable }, { unobserved });
      members.shows(full(0));
    }
    (await s.unary("etcdserverpb.Maintenance/Status", {}, { unobserved })).shows(full(2));
    (await s.unary("etcdserverpb.Maintenance/HashKV", {}, { unobserved })).shows(full(2));
    (await s.unary("etcdserverpb.Maintenance/Defragment", {})).shows({ header: null });
  }),
  script("GEN-4", "an error without a code of its own is Unknown with its text", async (s) => {
    const missing = { leader: { name: "e", key: "e/1", rev: 1, lease: 1 } };
    (await s.unary("v3electionpb.Election/Proclaim", { ...missing, value: "v" })).refused("UNKNOWN", /./);
    (await s.unary("v3electionpb.Election/Leader", { name: "nobody" })).refused("UNKNOWN", /./);
  }),
  script("GEN-5", "a deadline that passes while a call waits is DeadlineExceeded", async (s) => {
    await s.grant(600, 7);
    await s.grant(600, 8);
    (await s.unary("v3lockpb.Lock/Lock", { name: "l", lease: 7 })).succeeds();
    const unobserved = "etcd's library may reset the stream (CANCEL) before the handler answers";
    const waiting = await s.unary("v3lockpb.Lock/Lock", { name: "l", lease: 8 }, { deadlineMs: 300, unobserved });
    s.ok(["DEADLINE_EXCEEDED", "RESET 8"].includes(waiting.status), `the deadline passed, got ${waiting.status}`);
    const cancelled = s.start("v3lockpb.Lock/Lock", { name: "m", lease: 7 });
    (await cancelled.answer).succeeds();
    (await readAll(s)).shows({ count: 2 });
  }),
  script("GEN-7", "hasleader changes nothing where there is a leader", async (s) => {
    const metadata = { hasleader: "true" };
    (await s.put("a", "v", {}, { metadata })).shows({ header: { revision: 2 } });
    const watch = await s.watch({ key: "a" }, { metadata });
    await putKeys(s, "a");
    (await watch.next()).shows({ events: [{ kv: { version: 2 } }] });
    (await s.range("a", {}, { metadata: { hasleader: "nonsense" } })).shows({ count: 1 });
  }),
  script("GEN-8", "client-api-version is taken as it comes", async (s) => {
    for (const version of ["3.7", "3.7.1", "nonsense", ""]) {
      (await s.range("a", {}, { metadata: { "client-api-version": version } })).shows({ count: 0 });
    }
    const metadata = { "client-api-version": "caf\xe9" };
    (await s.range("a", {}, { metadata })).refused("INVALID_ARGUMENT", "etcdserver: invalid client api version");
    const stream = s.stream("etcdserverpb.Watch/Watch", { create_request: { key: "a" } }, { metadata });
    (await stream.end()).refused("INVALID_ARGUMENT", "etcdserver: invalid client api version");
  }),
  script("GEN-10", "services and methods that exist, and those that do not", async (s) => {
    (await s.unary("grpc.health.v1.Health/Check", {})).shows({ status: "SERVING" });
    (await s.unary("grpc.health.v1.Health/Check", { service: "nobody" })).refused("NOT_FOUND", /./);
    const empty = envelope(new Uint8Array());
    (await s.raw("/etcdserverpb.KV/Nothing", empty)).refused("UNIMPLEMENTED", /./);
    (await s.raw("/etcdserverpb.Nothing/Range", empty)).refused("UNIMPLEMENTED", /./);
    (await s.raw("/nonsense", empty)).refused("UNIMPLEMENTED", /./);
  }),
  script(
    "GEN-10",
    "etcd has no reflection",
    async (s) => {
      const empty = envelope(new Uint8Array());
      const path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
      (await s.raw(path, empty, { as: "reflection" })).refused("UNIMPLEMENTED", /unknown service/);
    },
    {
      divergences: [{ row: "GEN-10", at: "reflection", etcd: { status: "UNIMPLEMENTED" }, holdfast: { status: "OK" } }],
    },
  ),
  script("GEN-11", "a restart changes the term and keeps the ids", async (s) => {
    const before = await s.put("a", "v");
    await s.restart();
    const after = await s.range("a");
    s.equal(after.at("header.cluster_id"), before.at("header.cluster_id"));
    s.equal(after.at("header.member_id"), before.at("header.member_id"));
    s.ok(after.number("header.raft_term") > before.number("header.raft_term"), "the term grows");
    after.shows({ header: { revision: 2 } });
  }),
  script("ORD-2", "a range's shape is looked at before its revision", async (s) => {
    (await s.range("", { revision: 99 })).refused(...refusals.keyMissing);
    (await s.range("a", { revision: 99, sort_order: 5 })).refused(...refusals.sortUnknown);
    (await s.range("", { sort_order: 5 })).refused(...refusals.keyMissing);
  }),
];
