// CLI-1 to CLI-13 and CTL-1 to CTL-5: what Go's clientv3 and etcdctl rely on. The real etcdctl is run by the suites in
// ../../etcdctl; here is what it sends.

import { putKeys, readAll, refusals } from "../phrases.js";
import { script } from "../script.js";
import { addUser, auth, authRefusals, logIn, quickPasswords, secure, tokenOf } from "../secured.js";
import type { Request } from "../wire.js";

const watchMethod = "etcdserverpb.Watch/Watch";
const keepAlive = "etcdserverpb.Lease/LeaseKeepAlive";

const connections = [
  script(
    ["CLI-1", "CLI-4"],
    "metadata of every call; logging in again after a token went bad",
    async (s) => {
      const root = await secure(s, { ann: [["READWRITE", "a"]] });
      await root.grant(600, 7);
      const usual = { "client-api-version": "3.7" };
      const go = await s.connect({ metadata: { ...usual, token: await tokenOf(s, "ann") } });
      (await go.put("a", "v")).succeeds();
      const stream = go.stream(keepAlive, undefined, { metadata: { hasleader: "true" } });
      stream.send({ ID: 7 });
      (await stream.next()).shows({ TTL: 600 });
      await auth(root, "UserChangePassword", { name: "ann", password: "new" });
      (await go.put("a", "v")).refused(...authRefusals.badToken);
      const again = await s.connect({ metadata: { ...usual, token: await tokenOf(s, "ann", "new") } });
      (await again.put("a", "v")).succeeds();
      (await s.put("a", "v", {}, { metadata: usual })).refused(...authRefusals.userEmpty);
    },
    { args: quickPasswords },
  ),
  script(
    "CLI-4",
    "a client with a password, of a server without authentication, goes on without a token",
    async (s) => {
      (await auth(s, "Authenticate", { name: "ann", password: "ann" })).refused(...authRefusals.notEnabled);
      (await s.put("a", "v")).succeeds();
    },
  ),
  script(["CLI-2", "CLI-3"], "what is definite is not Unavailable", async (s) => {
    await putKeys(s, "a", "a");
    await s.compact(3);
    (await s.range("a", { revision: 1 })).refused(...refusals.compacted);
    (await s.range("a", { revision: 9 })).refused(...refusals.future);
    (await s.put("a", "v", { lease: 9 })).refused(...refusals.leaseNotFound);
    (await s.put("", "v")).refused(...refusals.keyMissing);
    (await s.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 9 })).refused(...refusals.leaseNotFound);
    (await auth(s, "UserGet", { name: "ann" })).refused(...authRefusals.userNotFound);
  }),
  script(
    "CLI-10",
    "a linearizable list of members; Status, HashKV and Defragment on a connection of their own",
    async (s) => {
      const unobserved = "peer addresses, hashes and sizes; compared by the Cluster and Maintenance scripts";
      const members = await s.unary("etcdserverpb.Cluster/MemberList", { linearizable: true }, { unobserved });
      members.shows({ members: [{ name: /./, isLearner: false, clientURLs: [/^http:\/\/127\.0\.0\.1:\d+$/] }] });
      s.ok(members.text("members.0.clientURLs.0").endsWith(s.endpoint), "the address serves");
      const other = await s.connect();
      (await other.unary("etcdserverpb.Maintenance/Status", {}, { unobserved })).succeeds();
      (await other.unary("etcdserverpb.Maintenance/HashKV", {}, { unobserved })).succeeds();
      (await other.unary("etcdserverpb.Maintenance/Defragment", {})).succeeds();
    },
  ),
];

const streams = [
  script("CLI-5", "keepalive: one stream for all leases; once, with the sending side closed", async (s) => {
    for (const id of [7, 8]) {
      await s.grant(600, id);
    }
    const stream = s.stream(keepAlive);
    for (const ID of [7, 8, 9, 7]) {
      stream.send({ ID });
      (await stream.next()).shows({ ID, TTL: ID === 9 ? 0 : 600 });
    }
    stream.cancel();
    const once = s.stream(keepAlive, { ID: 7 });
    (await once.next()).shows({ ID: 7, TTL: 600 });
    (await once.end()).succeeds();
    const none = s.stream(keepAlive, { ID: 9 });
    (await none.next()).shows({ ID: 9, TTL: 0 });
    (await none.end()).succeeds();
  }),
  script(
    ["CLI-6", "CLI-9"],
    "creates are answered one by one in order; an unknown watcher is cancelled in vain",
    async (s) => {
      const stream = s.stream(watchMethod);
      for (const [index, key] of ["a", "b", "a"].entries()) {
        stream.send({ create_request: { key } });
        (await stream.next()).shows({ created: true, watch_id: index, events: [] });
      }
      stream.send({ create_request: { key: "a", start_revision: -5 } });
      (await stream.next()).shows({ created: true, canceled: true, watch_id: -1 });
      stream.send({ cancel_request: { watch_id: 99 } });
      stream.send({ create_request: { key: "c" } });
      (await stream.next()).shows({ created: true, watch_id: 3 });
      stream.send({ cancel_request: { watch_id: 0 } });
      (await stream.next()).shows({ canceled: true, watch_id: 0 });
      await putKeys(s, "c");
      (await stream.next()).shows({ watch_id: 3, events: [{ kv: { key: "c" } }] });
    },
  ),
  script(["CLI-7", "CLI-8"], "a watch is taken up again where it stopped", async (s) => {
    await putKeys(s, "a");
    const stream = s.stream(watchMethod);
    stream.send({ create_request: { key: "a" } });
    const created = await stream.next();
    created.shows({ created: true, header: { revision: 2 } });
    stream.cancel();
    await putKeys(s, "b", "a", "a");
    const again = s.stream(watchMethod);
    again.send({ create_request: { key: "a", start_revision: created.revision } });
    (await again.next()).shows({ created: true });
    const events = await again.events(3);
    s.equal(
      events.map(({ kv }) => (kv as Request).mod_revision),
      [2, 4, 5],
    );
    again.cancel();
    await s.compact(5);
    const late = s.stream(watchMethod);
    late.send({ create_request: { key: "a", start_revision: 3 } });
    (await late.next()).shows({ created: true, canceled: false });
    (await late.next()).shows({ canceled: true, compact_revision: 5, events: [] });
  }),
];

const oldest = (prefix: string, rangeEnd: string): Request => ({
  request_range: { key: prefix, range_end: rangeEnd, sort_order: "ASCEND", sort_target: "CREATE", limit: 1 },
});

const recipes = [
  script(["CLI-11", "CLI-13", "CTL-2"], "a mutex as concurrency.Mutex makes it", async (s) => {
    for (const id of [7, 8]) {
      await s.grant(60, id);
    }
    const acquire = (id: number) => {
      const key = `lock/${id.toString(16)}`;
      return s.txn({
        compare: [{ key, target: "CREATE", create_revision: 0 }],
        success: [{ request_put: { key, lease: id } }, oldest("lock/", "lock0")],
        failure: [{ request_range: { key } }, oldest("lock/", "lock0")],
      });
    };
    (await acquire(7)).shows({
      succeeded: true,
      responses: [{}, { response_range: { kvs: [{ key: "lock/7", create_revision: 2 }] } }],
    });
    (await acquire(8)).shows({
      responses: [{}, { response_range: { kvs: [{ key: "lock/7" }], count: 2, more: true } }],
    });
    (await acquire(8)).shows({ succeeded: false, responses: [{ response_range: { kvs: [{ lease: 8 }] } }, {}] });
    const before = {
      range_end: "lock0",
      sort_order: "DESCEND",
      sort_target: "CREATE",
      limit: 1,
      max_create_revision: 2,
    };
    (await s.range("lock/", before)).shows({ kvs: [{ key: "lock/7" }] });
    const watch = await s.watch({ key: "lock/7", start_revision: 4 });
    (await s.unary("etcdserverpb.Lease/LeaseRevoke", { ID: 7 })).succeeds();
    (await watch.next()).shows({ events: [{ type: "DELETE", kv: { key: "lock/7" } }] });
    (await s.range("lock/", before)).shows({ kvs: [] });
    (await s.range("lock/8")).shows({ count: 1 });
  }),
  script(["CLI-12", "CLI-11"], "ascending by key is sent as no order at all; large answers", async (s) => {
    await putKeys(s, "b", "a");
    for (const sort_order of ["NONE", "ASCEND"]) {
      (await s.range("a", { range_end: "z", sort_order, sort_target: "KEY" })).shows({
        kvs: [{ key: "a" }, { key: "b" }],
      });
    }
    for (const key of ["a", "b", "c"]) {
      await s.put(key, "x".repeat(1_000_000));
    }
    (await s.range("a", { range_end: "z" })).shows({ count: 3 });
  }),
  script(["CTL-1", "CTL-3"], "get, put, del, txn and compaction as etcdctl sends them; endpoint health", async (s) => {
    await putKeys(s, "a", "b");
    (await readAll(s)).shows({ count: 2 });
    (await s.deleteRange("a", { prev_kv: true })).shows({ deleted: 1, prev_kvs: [{ key: "a" }] });
    (await s.range("health")).shows({ count: 0 });
    (await s.unary("etcdserverpb.Maintenance/Alarm", { action: "GET", alarm: "NONE" })).shows({ alarms: [] });
    (await s.compact(4, { physical: true })).succeeds();
    (await s.unary("etcdserverpb.Maintenance/Alarm", { action: "ACTIVATE", alarm: "NOSPACE" })).succeeds();
    (await s.unary("etcdserverpb.Maintenance/Alarm", { action: "GET", alarm: "NONE" })).shows({ alarms: [{}] });
  }),
  script(
    ["CTL-3", "AUTH-21"],
    "endpoint health: to be denied the key is healthy",
    async (s) => {
      await secure(s, { ann: [] });
      const ann = await logIn(s, "ann");
      (await ann.range("health")).refused(...authRefusals.denied);
      (await ann.unary("etcdserverpb.Maintenance/Alarm", { action: "GET" })).shows({ alarms: [] });
    },
    { args: quickPasswords },
  ),
  script("CTL-4", "auth enable, until root has its role", async (s) => {
    await auth(s, "UserAdd", { name: "root", password: "root" });
    const refused = await auth(s, "AuthEnable");
    refused.refused("FAILED_PRECONDITION", "etcdserver: root user does not have root role");
    (await auth(s, "RoleAdd", { name: "root" })).succeeds();
    (await auth(s, "UserGrantRole", { user: "root", role: "root" })).succeeds();
    (await auth(s, "AuthEnable")).succeeds();
    await addUser(await logIn(s, "root"), "ann");
  }),
  script("CTL-5", "move-leader finds the leader by Status; alarms are disarmed one by one", async (s) => {
    const unobserved = "etcd tells another storage version while it starts; compared by the Maintenance scripts";
    const answer = await s.unary("etcdserverpb.Maintenance/Status", {}, { unobserved });
    s.equal(answer.at("leader"), answer.at("header.member_id"));
    const targetID = BigInt(answer.text("leader"));
    (await s.unary("etcdserverpb.Maintenance/MoveLeader", { targetID })).succeeds();
    const alarm = "etcdserverpb.Maintenance/Alarm";
    await s.unary(alarm, { action: "ACTIVATE", alarm: "NOSPACE", memberID: 3 });
    (await s.unary(alarm, { action: "GET" })).shows({ alarms: [{ memberID: 3, alarm: "NOSPACE" }] });
    const cleared = await s.unary(alarm, { action: "DEACTIVATE", alarm: "NOSPACE", memberID: 3 });
    cleared.shows({ alarms: [{ memberID: 3 }] });
    (await s.unary(alarm, { action: "GET" })).shows({ alarms: [] });
  }),
];

/** The scripts of this section. */
export const scripts = [...connections, ...streams, ...recipes];
