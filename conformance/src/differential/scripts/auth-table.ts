// AUTH-20, and section 5.4 of docs/reference/etcd-v3-wire.md: every method there is, called by nobody, with a bad token,
// by a user without rights, by a user with rights for some keys, and by root.

import type { Answer } from "../answer.js";
import type { CallOptions, Client } from "../client.js";
import { script } from "../script.js";
import { authRefusals, badToken, logIn, quickPasswords, secure } from "../secured.js";
import type { Session } from "../session.js";
import { methodNames, type Request } from "../wire.js";

/** What a call needs, in the words of AUTH-20. */
type Need = "nothing" | "no bad token" | "any user" | "the right" | "root";

/** How a call that was let through ends: OK, or refused for something else. */
type End = "OK" | readonly [status: string, details: string | RegExp];

interface Row {
  readonly method: string;
  readonly need: Need;
  readonly request: Request;
  readonly end: End;
  /** Why what root is answered is not compared. */
  readonly unobserved?: string;
}

const noMember = ["NOT_FOUND", "etcdserver: member not found"] as const;
const starting = "etcd tells another storage version while it starts; compared by the Maintenance scripts";
const own = "each server's own hash or file; compared by the Maintenance scripts";

function row(method: string, need: Need, request: Request = {}, end: End = "OK", unobserved?: string): Row {
  return { method, need, request, end, ...(unobserved === undefined ? {} : { unobserved }) };
}

const kv = "etcdserverpb.KV/";
const lease = "etcdserverpb.Lease/";
const cluster = "etcdserverpb.Cluster/";
const maintenance = "etcdserverpb.Maintenance/";
const auth = "etcdserverpb.Auth/";
const election = "v3electionpb.Election/";
const key = "k";

/** Key `k` belongs to lease 5, and is what user `some` has the rights for. */
const keyRows: readonly Row[] = [
  row(`${kv}Range`, "the right", { key }),
  row(`${kv}RangeStream`, "the right", { key }),
  row(`${kv}Put`, "the right", { key, lease: 5, prev_kv: true }),
  row(`${kv}Txn`, "the right", {
    compare: [{ key, target: "VERSION", result: "GREATER" }],
    success: [{ request_put: { key, lease: 5 } }],
    failure: [{ request_range: { key } }],
  }),
  row("etcdserverpb.Watch/Watch", "the right", { create_request: { key } }),
  row(`${lease}LeaseGrant`, "any user", { TTL: 60 }),
  row(`${lease}LeaseKeepAlive`, "the right", { ID: 5 }),
  row(`${lease}LeaseTimeToLive`, "the right", { ID: 5, keys: true }),
  row(`${lease}LeaseLeases`, "the right"),
  row(`${kv}DeleteRange`, "the right", { key: "k0" }),
];

/** What the lock and election services do under `k/` is for whoever may use the keys there. */
const coordinationRows: readonly Row[] = [
  row("v3lockpb.Lock/Lock", "the right", { name: key, lease: 6 }),
  row("v3lockpb.Lock/Unlock", "the right", { key: "k/6" }),
  row(`${election}Campaign`, "the right", { name: "k/e", lease: 6, value: "v" }),
  row(`${election}Proclaim`, "the right", { leader: { name: "k/e", key: "k/e/9", rev: 9, lease: 9 } }, [
    "UNKNOWN",
    "election: not leader",
  ]),
  row(`${election}Leader`, "the right", { name: "k/e" }),
  row(`${election}Resign`, "the right", { leader: { name: "k/e", key: "k/e/9", rev: 9, lease: 9 } }),
];

const clusterRows: readonly Row[] = [
  row(`${cluster}MemberList`, "any user", {}, "OK", "peer addresses (CLUS-1); compared by the Cluster scripts"),
  row(`${cluster}MemberRemove`, "root", { ID: 1 }, noMember),
  row(`${cluster}MemberUpdate`, "root", { ID: 1, peerURLs: ["http://127.0.0.1:1"] }, noMember),
  row(`${cluster}MemberPromote`, "root", { ID: 1 }, noMember),
  row(`${maintenance}Status`, "any user", {}, "OK", starting),
  row(`${maintenance}Alarm`, "any user", { action: "GET" }),
  row(`${maintenance}Defragment`, "root"),
  row(`${maintenance}Hash`, "root", {}, "OK", own),
  row(`${maintenance}HashKV`, "root", {}, "OK", own),
  row(`${maintenance}Snapshot`, "root", {}, "OK", own),
  row(`${maintenance}MoveLeader`, "root", { targetID: 1 }, [
    "FAILED_PRECONDITION",
    "etcdserver: bad leader transferee",
  ]),
  row(
    `${maintenance}Downgrade`,
    "root",
    { action: "CANCEL" },
    "OK",
    "its version is compared by the Maintenance scripts",
  ),
  row(`${kv}Compact`, "root", { revision: 1 }),
];

const authRows: readonly Row[] = [
  row(`${auth}AuthStatus`, "no bad token"),
  row(`${auth}Authenticate`, "nothing", { name: "some", password: "some" }),
  row(`${auth}AuthEnable`, "root"),
  row(`${auth}UserAdd`, "root", { name: "new", password: "new" }),
  row(`${auth}UserGet`, "root", { name: "new" }),
  row(`${auth}UserList`, "root"),
  row(`${auth}UserChangePassword`, "root", { name: "new", password: "newer" }),
  row(`${auth}RoleAdd`, "root", { name: "new" }),
  row(`${auth}RoleGrantPermission`, "root", { name: "new", perm: { permType: "READ", key: "n" } }),
  row(`${auth}RoleGet`, "root", { role: "new" }),
  row(`${auth}RoleList`, "root"),
  row(`${auth}UserGrantRole`, "root", { user: "new", role: "new" }),
  row(`${auth}UserRevokeRole`, "root", { name: "new", role: "new" }),
  row(`${auth}RoleRevokePermission`, "root", { role: "new", key: "n" }),
  row(`${auth}RoleDelete`, "root", { role: "new" }),
  row(`${auth}UserDelete`, "root", { name: "new" }),
  row("grpc.health.v1.Health/Check", "nothing"),
  row("grpc.health.v1.Health/List", "nothing"),
  row("grpc.health.v1.Health/Watch", "nothing"),
];

/** What no row can come after: these end leases, and authentication itself. */
const lastRows: readonly Row[] = [
  row(`${lease}LeaseRevoke`, "the right", { ID: 7 }),
  row(`${auth}AuthDisable`, "root"),
];

/** Methods with a script of their own: root's call would leave etcd waiting for a member that never comes. */
const elsewhere: ReadonlySet<string> = new Set([`${cluster}MemberAdd`]);

/** Methods whose refusals the lock and election services forward, without their code. */
function isForwarded(method: string): boolean {
  return method.startsWith("v3lockpb.") || method.startsWith(election);
}

const streams: ReadonlySet<string> = new Set([
  `${kv}RangeStream`,
  "etcdserverpb.Watch/Watch",
  `${lease}LeaseKeepAlive`,
  `${maintenance}Snapshot`,
  `${election}Observe`,
  "grpc.health.v1.Health/Watch",
]);

type Refusal = readonly [string, string];

/** What the call must end with for a caller who may not make it. */
async function demandRefusal(answer: Answer, method: string, [status, details]: Refusal): Promise<void> {
  answer.refused(isForwarded(method) ? "UNKNOWN" : status, details);
}

function watchRefusal([status, details]: Refusal): string {
  const names: Readonly<Record<string, string>> = {
    INVALID_ARGUMENT: "InvalidArgument",
    UNAUTHENTICATED: "Unauthenticated",
    PERMISSION_DENIED: "PermissionDenied",
  };
  return `rpc error: code = ${names[status]} desc = ${details}`;
}

/** Makes the call and demands that it ends with the refusal, or, where there is none, as the row says. */
async function demand(client: Client, who: string, one: Row, refusal: Refusal | undefined): Promise<void> {
  const { method, request, end, unobserved } = one;
  const options: CallOptions = {
    as: `${who}: ${method.slice(method.indexOf(".") + 1)}`,
    ...(unobserved === undefined || refusal !== undefined ? {} : { unobserved }),
  };
  if (method === "etcdserverpb.Watch/Watch") {
    const stream = client.stream(method, undefined, options);
    stream.send(request);
    const cancel_reason = refusal === undefined ? "" : watchRefusal(refusal);
    (await stream.next()).shows({ created: true, canceled: refusal !== undefined, cancel_reason });
    stream.cancel();
    return;
  }
  if (method === "grpc.health.v1.Health/Watch") {
    const stream = client.stream(method, request, options);
    (await stream.next()).shows({ status: "SERVING" });
    stream.cancel();
    return;
  }
  const isStream = streams.has(method);
  const answer = await (isStream
    ? client.stream(method, request, options).end()
    : client.unary(method, request, options));
  if (refusal !== undefined) {
    await demandRefusal(answer, method, refusal);
  } else if (end === "OK") {
    answer.succeeds();
  } else {
    answer.refused(...end);
  }
}

/** Root, a user with the rights for everything under `k`, one without any, one with a bad token, and nobody. */
async function callers(s: Session) {
  const root = await secure(s, { none: [], some: [["READWRITE", "k", "l"]] });
  for (const id of [5, 6]) {
    await root.grant(600, id);
  }
  await root.put("k", "v", { lease: 5 });
  await grantSeven(root);
  const [some, none] = [await logIn(s, "some"), await logIn(s, "none")];
  const bad = await s.connect({ metadata: { token: badToken } });
  return { root, some, none, bad };
}

/** Goes through rows as nobody, then with a bad token, without rights, with rights, and as root. */
async function walk(s: Session, rows: readonly Row[]): Promise<void> {
  const { root, some, none, bad } = await callers(s);
  for (const one of rows) {
    const { need } = one;
    await demand(s, "nobody", one, need === "nothing" || need === "no bad token" ? undefined : authRefusals.userEmpty);
    await demand(bad, "bad token", one, need === "nothing" ? undefined : authRefusals.badToken);
    const isForAll = need === "nothing" || need === "no bad token" || need === "any user";
    await demand(none, "no rights", one, isForAll ? undefined : authRefusals.denied);
    await demand(some, "some rights", one, isForAll || need === "the right" ? undefined : authRefusals.denied);
    if (one.method === `${lease}LeaseRevoke`) {
      await grantSeven(root);
    }
    await demand(root, "root", one, undefined);
  }
}

/** Lease 7 with a key of its own, which is revoked more than once. */
async function grantSeven(root: Client): Promise<void> {
  await root.grant(600, 7);
  await root.put("k7", "v", { lease: 7 });
}

const tables = { keys: keyRows, coordination: coordinationRows, cluster: clusterRows, auth: authRows, last: lastRows };

const others = [
  script(
    "AUTH-20",
    "the tables of these scripts have every method there is",
    async (s) => {
      await secure(s);
      const named = new Set(Object.values(tables).flatMap((rows) => rows.map(({ method }) => method)));
      const ownScripts = [...elsewhere, `${election}Observe`];
      const unknown = methodNames().filter((name) => !named.has(name) && !ownScripts.includes(name));
      // Reflection is no part of etcd (GEN-10).
      s.equal(
        unknown.filter((name) => !name.startsWith("grpc.reflection.")),
        [],
      );
    },
    { args: quickPasswords },
  ),
  script(
    "AUTH-20",
    "MemberAdd, and raising and clearing alarms",
    async (s) => {
      const { root, some, bad } = await callers(s);
      const add = row(`${cluster}MemberAdd`, "root", { peerURLs: ["http://127.0.0.1:1"], isLearner: true });
      const raise = row(`${maintenance}Alarm`, "root", { action: "ACTIVATE", alarm: "NOSPACE" });
      const clear = row(`${maintenance}Alarm`, "root", { action: "DEACTIVATE", alarm: "NOSPACE" });
      for (const [name, one] of Object.entries({ add, raise, clear })) {
        await demand(s, `nobody ${name}`, one, authRefusals.userEmpty);
        await demand(bad, `bad token ${name}`, one, authRefusals.badToken);
        await demand(some, `some rights ${name}`, one, authRefusals.denied);
      }
      await demand(root, "root raises", raise, undefined);
      (await some.put("k", "v")).refused("RESOURCE_EXHAUSTED", /space exceeded/);
      (await bad.put("k", "v")).refused(...authRefusals.badToken);
      await demand(root, "root clears", clear, undefined);
      const elsewhereAdded = await root.unary(add.method, add.request, { as: "root adds" });
      elsewhereAdded.succeeds();
    },
    {
      args: quickPasswords,
      divergences: [
        {
          row: "CLUS-4",
          at: "root adds",
          etcd: { status: "OK" },
          holdfast: { status: "FAILED_PRECONDITION", message: "etcdserver: not capable" },
        },
      ],
    },
  ),
];

/** The scripts of this section. */
export const scripts = [
  ...Object.entries(tables).map(([name, rows]) =>
    script("AUTH-20", `who may make which call: ${name}`, (s) => walk(s, rows), { args: quickPasswords }),
  ),
  ...others,
];
