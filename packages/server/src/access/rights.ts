/**
 * Who may make which call while authentication is on (AUTH-20): one row for every method there is. A method without a row
 * is not offered at all.
 *
 * What a user may do with which keys is decided where it is done, by the state machine; such calls say `execution` here.
 */
import {
  AlarmAction,
  authService,
  clusterService,
  electionService,
  healthService,
  kvService,
  leaseService,
  lockService,
  type MessageCodec,
  type MethodDescriptor,
  type MethodKind,
  maintenanceService,
  type ServiceDescriptor,
  serverReflectionService,
  watchService,
} from "@holdfast/protocol";

/** What a call needs before its handler sees it. */
export type Need =
  /** Nothing; a token is not even looked at. */
  | "open"
  /** No user; but a token, if there is one, must be good. */
  | "anyone"
  /** Some user. */
  | "authenticated"
  /** A user with the role `root`. */
  | "admin"
  /** The handler sees to it: what is needed follows from keys, leases and names. */
  | "execution";

type Right<Request> = Need | ((request: Request) => Need);

type RequestOf<Descriptor> = Descriptor extends { readonly request: MessageCodec<infer Request> } ? Request : never;

/** A row for each method: one that is missing, or not a method, does not compile. */
type Rights<Service> =
  Service extends ServiceDescriptor<infer Methods>
    ? { readonly [Name in keyof Methods]: Right<RequestOf<Methods[Name]>> }
    : never;

const kv: Rights<typeof kvService> = {
  range: "execution",
  put: "execution",
  deleteRange: "execution",
  txn: "execution",
  compact: "admin",
  rangeStream: "execution",
};

const watch: Rights<typeof watchService> = { watch: "execution" };

const lease: Rights<typeof leaseService> = {
  leaseGrant: "execution",
  leaseRevoke: "execution",
  leaseKeepAlive: "execution",
  leaseTimeToLive: "execution",
  leaseLeases: "execution",
};

const cluster: Rights<typeof clusterService> = {
  memberAdd: "admin",
  memberRemove: "admin",
  memberUpdate: "admin",
  memberList: "authenticated",
  memberPromote: "admin",
};

const maintenance: Rights<typeof maintenanceService> = {
  alarm: ({ action }) => (action === AlarmAction.GET ? "authenticated" : "admin"),
  status: "authenticated",
  defragment: "admin",
  hash: "admin",
  hashKv: "admin",
  snapshot: "admin",
  moveLeader: "admin",
  downgrade: "admin",
};

const auth: Rights<typeof authService> = {
  authEnable: "admin",
  authDisable: "admin",
  authStatus: "anyone",
  authenticate: "open",
  userAdd: "admin",
  userGet: "execution",
  userList: "admin",
  userDelete: "admin",
  userChangePassword: "admin",
  userGrantRole: "admin",
  userRevokeRole: "admin",
  roleAdd: "admin",
  roleGet: "execution",
  roleList: "admin",
  roleDelete: "admin",
  roleGrantPermission: "admin",
  roleRevokePermission: "admin",
};

const health: Rights<typeof healthService> = { check: "open", list: "open", watch: "open" };

/** What anybody may read in the .proto files anyway. */
const serverReflection: Rights<typeof serverReflectionService> = { serverReflectionInfo: "open" };

const election: Rights<typeof electionService> = {
  campaign: "execution",
  proclaim: "execution",
  leader: "execution",
  observe: "execution",
  resign: "execution",
};

const lock: Rights<typeof lockService> = { lock: "execution", unlock: "execution" };

type AnyRight = Right<never>;

/** Every row, by gRPC path. */
export const rightsByPath: ReadonlyMap<string, AnyRight> = new Map([
  ...rows(kvService, kv),
  ...rows(watchService, watch),
  ...rows(leaseService, lease),
  ...rows(clusterService, cluster),
  ...rows(maintenanceService, maintenance),
  ...rows(authService, auth),
  ...rows(healthService, health),
  ...rows(serverReflectionService, serverReflection),
  ...rows(electionService, election),
  ...rows(lockService, lock),
]);

/** The row of `method`. Throws if there is none: what nobody has thought about is not offered. */
export function rightOf<Request>(method: MethodDescriptor<Request, unknown, MethodKind>): Right<Request> {
  const right = rightsByPath.get(method.path);
  if (right === undefined) throw new Error(`no rights are laid down for ${method.path}`);
  // The row was typed by the same descriptor that the path comes from.
  return right as Right<Request>;
}

function rows<Methods extends object>(
  { methods }: ServiceDescriptor<Methods>,
  rights: { readonly [Name in keyof Methods]: AnyRight },
): [string, AnyRight][] {
  const names = Object.keys(methods) as (keyof Methods & string)[];
  return names.map((name) => [(methods[name] as { readonly path: string }).path, rights[name]]);
}
