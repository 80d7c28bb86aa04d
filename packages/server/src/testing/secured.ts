/** Services with authentication on, and clients that speak for their users. */
import type { TestContext } from "node:test";
import { authService, createPermission, PermissionType } from "@holdfast/protocol";
import { Services, type ServicesOptions } from "./services.js";
import { byteString, type TestClient } from "./test-client.js";

const auth = authService.methods;

/** What a user may do: "r", "w" or "rw" on a key, or on `[key, rangeEnd)`. */
export type Grant = readonly [rights: keyof typeof permissionTypes, key: string, rangeEnd?: string];

const permissionTypes = { r: PermissionType.READ, w: PermissionType.WRITE, rw: PermissionType.READWRITE };

export interface Secured {
  readonly services: Services;
  /** Nobody. */
  readonly anonymous: TestClient;
  readonly root: TestClient;
  /** A client for a user, logged in anew. */
  as(name: string): Promise<TestClient>;
}

/**
 * Starts services, makes `root` and a user of each name in `users` with a role of the same name and the permissions given,
 * and switches authentication on. Everybody's password is the name.
 */
export async function startSecured(
  test: TestContext,
  users: Readonly<Record<string, readonly Grant[]>> = {},
  options: ServicesOptions = {},
): Promise<Secured> {
  const services = await Services.start(test, options);
  const client = await services.connect();
  await client.call(auth.userAdd, { name: "root", password: "root" });
  await client.call(auth.userGrantRole, { user: "root", role: "root" });
  for (const [name, grants] of Object.entries(users)) await addUser(client, name, grants);
  await client.call(auth.authEnable);
  const as = async (name: string): Promise<TestClient> => client.withToken(await logIn(client, name));
  return { services, anonymous: client, root: await as("root"), as };
}

/** Adds a user, and a role of the same name with these permissions, which the user gets. */
export async function addUser(client: TestClient, name: string, grants: readonly Grant[]): Promise<void> {
  await client.call(auth.userAdd, { name, password: name });
  await client.call(auth.roleAdd, { name });
  await client.call(auth.userGrantRole, { user: name, role: name });
  for (const grant of grants) await allow(client, name, grant);
}

/** Gives a role one more permission. */
export async function allow(client: TestClient, role: string, [rights, key, rangeEnd = ""]: Grant): Promise<void> {
  const range = { key: byteString(key), rangeEnd: byteString(rangeEnd) };
  const perm = createPermission({ permType: permissionTypes[rights], ...range });
  await client.call(auth.roleGrantPermission, { name: role, perm });
}

/** A token for a user whose password is the name. */
export async function logIn(client: TestClient, name: string, password = name): Promise<string> {
  return (await client.call(auth.authenticate, { name, password })).token;
}
