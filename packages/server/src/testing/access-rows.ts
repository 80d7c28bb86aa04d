/**
 * Who may make which call, told once more from the rules (AUTH-20) and not from the table that the server goes by, with a
 * request for each that gets as far as the question.
 */
import {
  AlarmAction,
  type AnyMethodDescriptor,
  createAlarmRequest,
  createLeaderKey,
  createPutRequest,
  createRequestOp,
  createWatchCreateRequest,
  methodsByPath,
} from "@holdfast/protocol";
import { byteString } from "./test-client.js";

/** What it takes to be let through. */
export type Needed =
  /** Nothing. */
  | "nothing"
  /** Nothing, but a token must be good if there is one. */
  | "no bad token"
  | "any user"
  /** Rights to keys that those have who may read and write all keys. */
  | "keys"
  | "root";

export interface AccessRow {
  readonly method: AnyMethodDescriptor;
  readonly needed: Needed;
  /** The fields of a request; `turn` is another number for each call. */
  readonly request: (turn: number) => object;
}

/** A key under a lease, an election with a leader: what the requests are about. */
export const subject = { key: byteString("k"), lease: 5n, elected: byteString("elected"), leaderLease: 6n };

const { key, lease } = subject;
const leader = createLeaderKey({ name: key, key: byteString("k/5"), rev: 1, lease });

type Told = readonly [needed: Needed, request?: object | ((turn: number) => object)];

const told: Readonly<Record<string, Told | readonly Told[]>> = {
  "/etcdserverpb.KV/Range": ["keys", { key }],
  "/etcdserverpb.KV/RangeStream": ["keys", { key }],
  "/etcdserverpb.KV/Put": [
    ["keys", { key }],
    ["keys", { key: byteString("other"), lease }],
  ],
  "/etcdserverpb.KV/DeleteRange": ["keys", { key: byteString("gone") }],
  "/etcdserverpb.KV/Txn": ["keys", { success: [createRequestOp({ requestPut: createPutRequest({ key }) })] }],
  "/etcdserverpb.KV/Compact": ["root"],
  "/etcdserverpb.Watch/Watch": ["keys", { createRequest: createWatchCreateRequest({ key }) }],
  "/etcdserverpb.Lease/LeaseGrant": ["any user"],
  "/etcdserverpb.Lease/LeaseRevoke": ["keys", { id: lease }],
  "/etcdserverpb.Lease/LeaseKeepAlive": ["keys", { id: lease }],
  "/etcdserverpb.Lease/LeaseTimeToLive": [
    ["keys", { id: lease, keys: true }],
    ["any user", { id: lease }],
  ],
  "/etcdserverpb.Lease/LeaseLeases": ["keys"],
  "/etcdserverpb.Cluster/MemberAdd": ["root"],
  "/etcdserverpb.Cluster/MemberRemove": ["root"],
  "/etcdserverpb.Cluster/MemberUpdate": ["root"],
  "/etcdserverpb.Cluster/MemberList": ["any user"],
  "/etcdserverpb.Cluster/MemberPromote": ["root"],
  "/etcdserverpb.Maintenance/Alarm": [
    ["any user"],
    ["root", createAlarmRequest({ action: AlarmAction.ACTIVATE })],
    ["root", createAlarmRequest({ action: AlarmAction.DEACTIVATE })],
  ],
  "/etcdserverpb.Maintenance/Status": ["any user"],
  "/etcdserverpb.Maintenance/Defragment": ["root"],
  "/etcdserverpb.Maintenance/Hash": ["root"],
  "/etcdserverpb.Maintenance/HashKV": ["root"],
  "/etcdserverpb.Maintenance/Snapshot": ["root"],
  "/etcdserverpb.Maintenance/MoveLeader": ["root"],
  "/etcdserverpb.Maintenance/Downgrade": ["root"],
  "/etcdserverpb.Auth/AuthEnable": ["root"],
  "/etcdserverpb.Auth/AuthDisable": ["root"],
  "/etcdserverpb.Auth/AuthStatus": ["no bad token"],
  "/etcdserverpb.Auth/Authenticate": ["nothing"],
  // One without a name would be refused with the same words as a caller without one.
  "/etcdserverpb.Auth/UserAdd": ["root", { name: "new", password: "new" }],
  "/etcdserverpb.Auth/UserGet": ["root", { name: "root" }],
  "/etcdserverpb.Auth/UserList": ["root"],
  "/etcdserverpb.Auth/UserDelete": ["root"],
  "/etcdserverpb.Auth/UserChangePassword": ["root", { name: "new", password: "new" }],
  "/etcdserverpb.Auth/UserGrantRole": ["root"],
  "/etcdserverpb.Auth/UserRevokeRole": ["root"],
  "/etcdserverpb.Auth/RoleAdd": ["root"],
  "/etcdserverpb.Auth/RoleGet": ["root", { role: "root" }],
  "/etcdserverpb.Auth/RoleList": ["root"],
  "/etcdserverpb.Auth/RoleDelete": ["root"],
  "/etcdserverpb.Auth/RoleGrantPermission": ["root"],
  "/etcdserverpb.Auth/RoleRevokePermission": ["root"],
  "/grpc.health.v1.Health/Check": ["nothing"],
  "/grpc.health.v1.Health/List": ["nothing"],
  "/grpc.health.v1.Health/Watch": ["nothing"],
  "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": ["nothing", { listServices: "" }],
  "/v3electionpb.Election/Campaign": ["keys", (turn) => ({ name: byteString(`election ${turn}`) })],
  "/v3electionpb.Election/Proclaim": ["keys", { leader }],
  "/v3electionpb.Election/Leader": ["keys", { name: subject.elected }],
  "/v3electionpb.Election/Observe": ["keys", { name: subject.elected }],
  "/v3electionpb.Election/Resign": ["keys", { leader }],
  "/v3lockpb.Lock/Lock": ["keys", (turn) => ({ name: byteString(`lock ${turn}`) })],
  "/v3lockpb.Lock/Unlock": ["keys", { key: byteString("gone") }],
};

/** Switches authentication off when it succeeds, so it comes last. */
export const switchesOff = "/etcdserverpb.Auth/AuthDisable";

/** Methods that the .proto files have and nobody has told here what they need. */
export function untoldMethods(): readonly string[] {
  return [...methodsByPath.keys()].filter((path) => told[path] === undefined);
}

/** Every row; more than one for methods whose requests need different things. */
export const accessRows: readonly AccessRow[] = Object.entries(told)
  .flatMap(([path, one]) => rowsOf(path, isSeveral(one) ? one : [one]))
  .sort((left, right) => Number(left.method.path === switchesOff) - Number(right.method.path === switchesOff));

function isSeveral(one: Told | readonly Told[]): one is readonly Told[] {
  return typeof one[0] !== "string";
}

function rowsOf(path: string, rows: readonly Told[]): AccessRow[] {
  const method = methodsByPath.get(path);
  if (method === undefined) throw new Error(`there is no method ${path}`);
  return rows.map(([needed, request = {}]) => ({
    method,
    needed,
    request: typeof request === "function" ? (request as AccessRow["request"]) : () => request,
  }));
}
