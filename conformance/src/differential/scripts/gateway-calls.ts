// HTTP-4: every unary binding of the JSON gateway, with input that is good and input that is not.

import { base64, post, refusal } from "../gateway.js";
import { script } from "../script.js";
import { quickPasswords } from "../secured.js";
import type { Session } from "../session.js";

const a = base64("a");
const v = base64("v");
const header = { cluster_id: /^\d+$/, member_id: /^\d+$/, raft_term: /^\d+$/ };

const keys = [
  script("HTTP-4", "kv/put, kv/range and kv/deleterange", async (s) => {
    (await post(s, "kv/put", { key: a, value: v })).shows(200, { header: { ...header, revision: "2" } });
    (await post(s, "kv/put", { key: a, value: base64("w"), prev_kv: true })).shows(200, {
      prev_kv: { key: a, value: v, version: "1", create_revision: "2", mod_revision: "2" },
    });
    (await post(s, "kv/range", { key: a })).shows(200, {
      kvs: [{ key: a, value: base64("w"), version: "2" }],
      count: "1",
    });
    (await post(s, "kv/range", { key: a, revision: 2 })).shows(200, { kvs: [{ value: v }] });
    (await post(s, "kv/range", { key: base64("none") })).shows(200, { header });
    await post(s, "kv/put", { key: base64("b") });
    const all = { key: a, range_end: base64("z") };
    (await post(s, "kv/range", { ...all, limit: "1" })).shows(200, { kvs: [{}], more: true, count: "2" });
    await post(s, "kv/range", { ...all, keys_only: true, sort_order: "DESCEND", sort_target: "KEY" });
    (await post(s, "kv/range", { ...all, count_only: true })).shows(200, { count: "2" });
    (await post(s, "kv/range", { ...all, min_mod_revision: "4", serializable: true })).shows(200, { kvs: [{}] });
    (await post(s, "kv/put")).shows(400, refusal(3, "etcdserver: key is not provided"));
    (await post(s, "kv/put", { key: a, lease: "9" })).shows(404, refusal(5, "etcdserver: requested lease not found"));
    (await post(s, "kv/put", { key: a, value: v, ignore_value: true })).shows(400, refusal(3, /./));
    (await post(s, "kv/range")).shows(400, refusal(3, "etcdserver: key is not provided"));
    (await post(s, "kv/range", { key: a, revision: "99" })).shows(400, refusal(11, /future revision$/));
    (await post(s, "kv/deleterange", { ...all, prev_kv: true })).shows(200, { deleted: "2", prev_kvs: [{}, {}] });
    (await post(s, "kv/deleterange", all)).shows(200, { header: { revision: "5" } });
    (await post(s, "kv/deleterange")).shows(400, refusal(3, "etcdserver: key is not provided"));
  }),
  script("HTTP-4", "kv/txn", async (s) => {
    const put = { request_put: { key: a, value: v } };
    const range = { request_range: { key: a } };
    (await post(s, "kv/txn", { success: [put, range] })).shows(200, {
      succeeded: true,
      responses: [{ response_put: {} }, { response_range: { kvs: [{ key: a }] } }],
    });
    const compare = [{ key: a, target: "VERSION", result: "GREATER", version: "5" }];
    (await post(s, "kv/txn", { compare, success: [put], failure: [{ request_delete_range: { key: a } }] })).shows(200, {
      responses: [{ response_delete_range: { deleted: "1" } }],
    });
    (await post(s, "kv/txn", { success: [{ requestTxn: { failure: [range] } }, range] })).shows(200, {
      responses: [{ response_txn: { succeeded: true } }, { response_range: {} }],
    });
    (await post(s, "kv/txn")).shows(200, { succeeded: true });
    (await post(s, "kv/txn", { success: [{}] })).shows(400, refusal(3, "etcdserver: key not found"));
    (await post(s, "kv/txn", { success: [put, put] })).shows(400, refusal(3, /duplicate key/));
  }),
  script("HTTP-4", "kv/compaction", async (s) => {
    await post(s, "kv/put", { key: a });
    await post(s, "kv/put", { key: a });
    (await post(s, "kv/compaction", { revision: "2", physical: true })).shows(200, { header: { revision: "3" } });
    (await post(s, "kv/compaction", { revision: "2" })).shows(400, refusal(11, /has been compacted$/));
    (await post(s, "kv/compaction", { revision: 9 })).shows(400, refusal(11, /future revision$/));
    (await post(s, "kv/compaction")).shows(400, refusal(11, /has been compacted$/));
    (await post(s, "kv/range", { key: a, revision: 1 })).shows(400, refusal(11, /has been compacted$/));
  }),
];

const leases = [
  script("HTTP-4", "leases under both of their paths", async (s) => {
    (await post(s, "lease/grant", { ID: 7, TTL: 600 })).shows(200, { ID: "7", TTL: "600" });
    (await post(s, "lease/grant", { ID: "8", TTL: "600" })).shows(200, { ID: "8" });
    (await post(s, "lease/grant", { ID: 7, TTL: 600 })).shows(400, refusal(9, "etcdserver: lease already exists"));
    (await post(s, "lease/grant", { TTL: "9000000001" })).shows(400, refusal(11, /./));
    (await post(s, "lease/grant", { TTL: 600 })).shows(200, { ID: /^\d+$/, TTL: "600" });
    await post(s, "kv/put", { key: a, lease: 7 });
    for (const root of ["lease", "kv/lease"]) {
      (await post(s, `${root}/timetolive`, { ID: 7, keys: true })).shows(200, { grantedTTL: "600", keys: [a] });
      (await post(s, `${root}/timetolive`, { ID: 99 })).shows(200, { ID: "99", TTL: "-1" });
      (await post(s, `${root}/timetolive`)).shows(200, { TTL: "-1" });
      (await post(s, `${root}/revoke`, { ID: 99 })).shows(404, refusal(5, "etcdserver: requested lease not found"));
      (await post(s, `${root}/revoke`)).shows(404, refusal(5, "etcdserver: requested lease not found"));
    }
    for (const id of (await leaseIds(s)).filter((id) => id.length > 1)) {
      (await post(s, "lease/revoke", { ID: id })).shows(200, {});
    }
    for (const root of ["lease", "kv/lease"]) {
      (await post(s, `${root}/leases`)).shows(200, { leases: [{ ID: "7" }, { ID: "8" }] });
    }
    (await post(s, "kv/lease/revoke", { ID: 7 })).shows(200, { header: { revision: "3" } });
    (await post(s, "lease/revoke", { ID: 8 })).shows(200, { header: { revision: "3" } });
    (await post(s, "lease/leases")).shows(200, { header });
    (await post(s, "kv/lease/grant", { ID: 7, TTL: 600 })).shows(404, refusal(5, "Not Found"));
    (await post(s, "kv/lease/keepalive", { ID: 7 })).shows(404, refusal(5, "Not Found"));
  }),
];

async function leaseIds(s: Session): Promise<readonly string[]> {
  const { json } = await post(s, "lease/leases", {}, { unobserved: "a server chose one of them" });
  return (json.leases as readonly { ID: string }[]).map(({ ID }) => ID);
}

const locks = [
  script("HTTP-4", "lock/lock and lock/unlock", async (s) => {
    await s.grant(600, 7);
    const key = base64("l/7");
    (await post(s, "lock/lock", { name: base64("l"), lease: "7" })).shows(200, { header: { revision: "2" }, key });
    (await post(s, "lock/unlock", { key })).shows(200, { header: { revision: "3" } });
    (await post(s, "lock/unlock", { key })).shows(200, { header: { revision: "3" } });
    (await post(s, "lock/lock", { name: base64("l"), lease: 99 })).shows(500, refusal(2, /lease not found/));
    (await post(s, "lock/unlock")).shows(500, refusal(2, "etcdserver: key is not provided"));
    (await post(s, "lock/lock", { lease: 7 })).shows(200, { key: base64("/7") });
  }),
  script("HTTP-4", "the unary calls of elections", async (s) => {
    await s.grant(600, 7);
    const name = base64("e");
    const won = await post(s, "election/campaign", { name, lease: 7, value: v });
    won.shows(200, { leader: { name, key: base64("e/7"), rev: "2", lease: "7" } });
    const leader = { name, key: base64("e/7"), rev: "2", lease: "7" };
    (await post(s, "election/leader", { name })).shows(200, { kv: { key: base64("e/7"), value: v } });
    (await post(s, "election/proclaim", { leader, value: base64("w") })).shows(200, { header: { revision: "3" } });
    (await post(s, "election/proclaim", { value: v })).shows(500, refusal(2, /./));
    (await post(s, "election/proclaim", { leader: { ...leader, rev: 9 }, value: v })).shows(500, refusal(2, /./));
    (await post(s, "election/resign", { leader })).shows(200, { header: { revision: "4" } });
    (await post(s, "election/resign", { leader })).shows(200, { header: { revision: "4" } });
    (await post(s, "election/leader", { name })).shows(500, refusal(2, "election: no leader"));
    (await post(s, "election/campaign", { name, lease: 99 })).shows(500, refusal(2, /lease not found/));
  }),
];

const cluster = [
  script(
    "HTTP-4",
    "cluster/member",
    async (s) => {
      const list = await post(s, "cluster/member/list", {}, { as: "list" });
      list.shows(200, { members: [{ name: "default", ID: /^\d+$/, clientURLs: [/^http:/] }] });
      const { ID } = (list.json.members as readonly [{ ID: string }])[0];
      (await post(s, "cluster/member/add")).shows(400, refusal(3, "etcdserver: given member URLs are invalid"));
      (await post(s, "cluster/member/add", { peerURLs: ["x"] })).shows(400, refusal(3, /URLs are invalid$/));
      (await post(s, "cluster/member/remove", { ID })).shows(500, refusal(2, /not enough started members$/));
      for (const call of ["remove", "update", "promote"]) {
        (await post(s, `cluster/member/${call}`, { ID: "9" })).shows(404, refusal(5, "etcdserver: member not found"));
      }
      (await post(s, "cluster/member/promote", { ID })).shows(400, refusal(9, /only promote a learner member$/));
      (await post(s, "cluster/member/list", { linearizable: true }, { as: "linearizable" })).shows(200, {
        members: [{}],
      });
    },
    {
      divergences: ["list", "linearizable"].map((name) => ({
        row: "CLUS-1",
        at: `${name}.body`,
        etcd: /"name":"default","peerURLs":\["http:\/\/127.0.0.1:0"\],"clientURLs":\["http:\/\/\(endpoint\)"\]\}\]\}$/,
        holdfast: /"name":"default","clientURLs":\["http:\/\/\(endpoint\)"\]\}\]\}$/,
      })),
    },
  ),
];

const maintenance = [
  script("HTTP-4", "the unary calls of maintenance", async (s) => {
    await s.put("a", "v");
    const alarms = { alarms: [{ memberID: "5", alarm: "NOSPACE" }] };
    (await post(s, "maintenance/alarm")).shows(200, { header });
    (await post(s, "maintenance/alarm", { action: "ACTIVATE", alarm: "NOSPACE", memberID: 5 })).shows(200, alarms);
    (await post(s, "maintenance/alarm", { action: 0, alarm: 1 })).shows(200, alarms);
    (await post(s, "kv/put", { key: a })).shows(429, refusal(8, "etcdserver: mvcc: database space exceeded"));
    (await post(s, "maintenance/alarm", { action: 2, alarm: 1, memberID: "5" })).shows(200, alarms);
    (await post(s, "maintenance/defragment")).shows(200, "{}");
    (await post(s, "maintenance/hashkv", { revision: 9 })).shows(400, refusal(11, /future revision$/));
    const own = (await s.range("a")).text("header.member_id");
    (await post(s, "maintenance/transfer-leadership", { targetID: own })).shows(200, "{}");
    (await post(s, "maintenance/transfer-leadership")).shows(400, refusal(9, "etcdserver: bad leader transferee"));
    (await post(s, "maintenance/downgrade", { action: "VALIDATE", version: "3.6" })).shows(200, { version: "3.7" });
    (await post(s, "maintenance/downgrade", { action: "ENABLE", version: "3.5" })).shows(400, refusal(3, /./));
    (await post(s, "maintenance/downgrade", { action: 9 })).shows(500, refusal(2, "etcdserver: unknown method"));
    (await post(s, "maintenance/downgrade", { action: "CANCEL" })).shows(200, { version: "3.7" });
    const unobserved = "the sizes and hashes are each server's own; the scripts of Maintenance compare the rest";
    (await post(s, "maintenance/hash", {}, { unobserved })).shows(200, { header });
    (await post(s, "maintenance/hashkv", {}, { unobserved })).shows(200, {
      compact_revision: "-1",
      hash_revision: "2",
    });
    (await post(s, "maintenance/status", {}, { unobserved })).shows(200, {
      header: { revision: "2" },
      version: "3.7.1",
      raftTerm: /^\d+$/,
      dbSizeQuota: "2147483648",
      downgradeInfo: {},
    });
  }),
];

const users = [
  script(
    "HTTP-4",
    "every call of auth",
    async (s) => {
      const auth = (call: string, body: object = {}) => post(s, `auth/${call}`, body);
      (await auth("status")).shows(200, { authRevision: "1" });
      (await auth("enable")).shows(400, refusal(9, "etcdserver: root user does not exist"));
      (await auth("disable")).shows(200, { header });
      (await auth("user/add", { name: "u", password: "p" })).shows(200, { header });
      (await auth("user/add", { name: "u", password: "p" })).shows(400, refusal(9, /already exists$/));
      (await auth("user/add")).shows(400, refusal(3, "etcdserver: user name is empty"));
      (await auth("user/add", { name: "n", options: { no_password: true } })).shows(200, { header });
      (await auth("role/add", { name: "r" })).shows(200, { header });
      (await auth("role/add")).shows(400, refusal(3, "etcdserver: role name is empty"));
      const perm = { permType: "READWRITE", key: a, range_end: base64("b") };
      (await auth("role/grant", { name: "r", perm })).shows(200, { header });
      (await auth("role/grant", { name: "r" })).shows(400, refusal(3, /./));
      (await auth("role/get", { role: "r" })).shows(200, { perm: [perm] });
      (await auth("role/get", { role: "x" })).shows(400, refusal(9, "etcdserver: role name not found"));
      (await auth("role/list")).shows(200, { roles: ["r"] });
      (await auth("user/grant", { user: "u", role: "r" })).shows(200, { header });
      (await auth("user/grant", { user: "u", role: "x" })).shows(400, refusal(9, /./));
      (await auth("user/get", { name: "u" })).shows(200, { roles: ["r"] });
      (await auth("user/get", { name: "x" })).shows(400, refusal(9, "etcdserver: user name not found"));
      (await auth("user/list")).shows(200, { users: ["n", "u"] });
      (await auth("user/changepw", { name: "u", password: "q" })).shows(200, { header });
      (await auth("user/changepw", { name: "x", password: "q" })).shows(400, refusal(9, /./));
      (await auth("authenticate", { name: "u", password: "q" })).shows(400, refusal(9, /not enabled$/));
      (await auth("role/revoke", { role: "r", key: a, range_end: base64("b") })).shows(200, { header });
      (await auth("role/revoke", { role: "r", key: a })).shows(400, refusal(9, /./));
      (await auth("user/revoke", { name: "u", role: "r" })).shows(200, { header });
      (await auth("user/revoke", { name: "u", role: "r" })).shows(400, refusal(9, /./));
      (await auth("role/delete", { role: "r" })).shows(200, { header });
      (await auth("role/delete", { role: "r" })).shows(400, refusal(9, "etcdserver: role name not found"));
      (await auth("user/delete", { name: "u" })).shows(200, { header });
      (await auth("user/delete", { name: "u" })).shows(400, refusal(9, "etcdserver: user name not found"));
      await auth("user/add", { name: "root", password: "root" });
      await auth("user/grant", { user: "root", role: "root" });
      (await auth("enable")).shows(200, { header });
      (await auth("authenticate", { name: "root", password: "x" })).shows(
        400,
        refusal(3, /invalid user ID or password$/),
      );
      (await auth("authenticate", { name: "root", password: "root" })).shows(200, { token: /./ });
      (await auth("status")).shows(200, { enabled: true });
      (await auth("disable")).shows(400, refusal(3, "etcdserver: user name is empty"));
    },
    { args: [...quickPasswords] },
  ),
];

/** The scripts of this section. */
export const scripts = [...keys, ...leases, ...locks, ...cluster, ...maintenance, ...users];
