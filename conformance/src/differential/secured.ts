// What the scripts about authentication share: switching it on, users with rights, logging in.
//
// Every user made here has its own name as password, and holds one role, which has its name too.

import type { Answer } from "./answer.js";
import type { CallOptions, Client } from "./client.js";
import type { Session } from "./session.js";
import type { Request } from "./wire.js";

/** Flags with which the two servers hash passwords in a moment; scripts about anything but hashing use them. */
export const quickPasswords = ["--bcrypt-cost", "4"] as const;

/** What a role may do: `READ`, `WRITE` or `READWRITE`, a key, and for an interval its end. */
export type Grant = readonly [permType: string, key: string, rangeEnd?: string];

/** Refusals that have to do with who calls, as arguments of `refused`. */
export const authRefusals = {
  userEmpty: ["INVALID_ARGUMENT", "etcdserver: user name is empty"],
  roleEmpty: ["INVALID_ARGUMENT", "etcdserver: role name is empty"],
  denied: ["PERMISSION_DENIED", "etcdserver: permission denied"],
  badToken: ["UNAUTHENTICATED", "etcdserver: invalid auth token"],
  oldRevision: ["INVALID_ARGUMENT", "etcdserver: revision of auth store is old"],
  wrongPassword: ["INVALID_ARGUMENT", "etcdserver: authentication failed, invalid user ID or password"],
  noPassword: ["UNKNOWN", "auth: authentication failed, password was given for no password user"],
  notEnabled: ["FAILED_PRECONDITION", "etcdserver: authentication is not enabled"],
  rootStays: ["INVALID_ARGUMENT", "etcdserver: invalid auth management"],
  userNotFound: ["FAILED_PRECONDITION", "etcdserver: user name not found"],
  roleNotFound: ["FAILED_PRECONDITION", "etcdserver: role name not found"],
} as const satisfies Readonly<Record<string, readonly [string, string]>>;

/** A token that looks like one and is none. */
export const badToken = "abcdefghijklmnop.7";

/** A call of the Auth service. */
export function auth(client: Client, method: string, request: Request = {}, options?: CallOptions): Promise<Answer> {
  return client.unary(`etcdserverpb.Auth/${method}`, request, options);
}

/** Gives a role one permission more. */
export function allow(client: Client, role: string, [permType, key, range_end = ""]: Grant): Promise<Answer> {
  return auth(client, "RoleGrantPermission", { name: role, perm: { permType, key, range_end } });
}

/** Adds a user, and its role with these permissions. */
export async function addUser(client: Client, name: string, ...grants: readonly Grant[]): Promise<void> {
  await auth(client, "UserAdd", { name, password: name });
  await auth(client, "RoleAdd", { name });
  for (const grant of grants) {
    await allow(client, name, grant);
  }
  await auth(client, "UserGrantRole", { user: name, role: name });
}

/** Logs in, and returns the token. */
export async function tokenOf(client: Client, name: string, password = name): Promise<string> {
  return (await auth(client, "Authenticate", { name, password })).text("token");
}

/** Logs in, and returns a client whose every call carries the token. */
export async function logIn(s: Session, name: string, password = name): Promise<Client> {
  return await s.connect({ metadata: { token: await tokenOf(s, name, password) } });
}

/** Adds user `root` and whoever is named, switches authentication on, and returns a client of root's. */
export async function secure(s: Session, users: Readonly<Record<string, readonly Grant[]>> = {}): Promise<Client> {
  await addUser(s, "root");
  for (const [name, grants] of Object.entries(users)) {
    await addUser(s, name, ...grants);
  }
  await auth(s, "AuthEnable");
  return await logIn(s, "root");
}

/** The revision of users and roles. */
export async function authRevision(client: Client): Promise<number> {
  return (await auth(client, "AuthStatus")).number("authRevision");
}
