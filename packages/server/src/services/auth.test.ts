import assert from "node:assert/strict";
import { test } from "node:test";
import { authService, createPermission, createUserAddOptions, etcdErrors, PermissionType } from "@holdfast/protocol";
import { startSecured } from "../testing/secured.js";
import { Services } from "../testing/services.js";
import { rejectsAs } from "../testing/status-error.js";
import { byteString, type TestClient } from "../testing/test-client.js";

const auth = authService.methods;

/** A client of services with authentication off. */
async function open(test: Parameters<typeof Services.start>[0]): Promise<TestClient> {
  return (await Services.start(test)).connect();
}

function permission(permType: number, key: string, rangeEnd = ""): ReturnType<typeof createPermission> {
  return createPermission({ permType, key: byteString(key), rangeEnd: byteString(rangeEnd) });
}

async function authRevision(client: TestClient): Promise<number> {
  return (await client.call(auth.authStatus)).authRevision;
}

test("AUTH-1: enabling takes user root, holding role root; once enabled it is no change", async (t) => {
  const client = await open(t);
  await rejectsAs(client.call(auth.authEnable), etcdErrors.rootUserNotExist);
  await client.call(auth.userAdd, { name: "root", password: "pw" });
  await rejectsAs(client.call(auth.authEnable), etcdErrors.rootRoleNotExist);
  await client.call(auth.userGrantRole, { user: "root", role: "root" });
  assert.equal((await client.call(auth.authStatus)).enabled, false);
  await client.call(auth.authEnable);
  assert.equal((await client.call(auth.authStatus)).enabled, true);
  const { token } = await client.call(auth.authenticate, { name: "root", password: "pw" });
  await client.withToken(token).call(auth.authEnable);
});

test("AUTH-2: role root shows the permission for everything, once it was added", async (t) => {
  const client = await open(t);
  await rejectsAs(client.call(auth.roleGet, { role: "root" }), etcdErrors.roleNotFound);
  await client.call(auth.roleAdd, { name: "root" });
  const { perm } = await client.call(auth.roleGet, { role: "root" });
  assert.deepEqual(perm, [permission(PermissionType.READWRITE, "", "\0")]);
});

test("AUTH-3: with authentication off a token is not looked at", async (t) => {
  const client = (await open(t)).withToken("rubbish");
  await client.put("a", "1");
  assert.equal((await client.call(auth.authStatus)).enabled, false);
});

test("AUTH-5: root stays root while authentication is on", async (t) => {
  const { root } = await startSecured(t);
  await root.call(auth.roleAdd, { name: "root" });
  await rejectsAs(root.call(auth.userDelete, { name: "root" }), etcdErrors.invalidAuthMgmt);
  await rejectsAs(root.call(auth.roleDelete, { role: "root" }), etcdErrors.invalidAuthMgmt);
  await rejectsAs(root.call(auth.userRevokeRole, { name: "root", role: "root" }), etcdErrors.invalidAuthMgmt);
});

test("AUTH-17, AUTH-18: permissions are granted, replaced and revoked by their exact range", async (t) => {
  const client = await open(t);
  await client.call(auth.roleAdd, { name: "r" });
  const grant = (perm?: ReturnType<typeof permission>): Promise<unknown> =>
    client.call(auth.roleGrantPermission, { name: "r", perm });
  const revoke = (key: string, rangeEnd = ""): Promise<unknown> =>
    client.call(auth.roleRevokePermission, { role: "r", key: byteString(key), rangeEnd: byteString(rangeEnd) });
  await rejectsAs(grant(), etcdErrors.permissionNotGiven);
  await rejectsAs(grant(permission(PermissionType.READ, "")), etcdErrors.invalidAuthMgmt);
  await rejectsAs(grant(permission(PermissionType.READ, "b", "a")), etcdErrors.invalidAuthMgmt);
  await grant(permission(PermissionType.READ, "m", "n"));
  await grant(permission(PermissionType.READ, "a", "\0"));
  await grant(permission(PermissionType.WRITE, "m", "n"));
  const { perm } = await client.call(auth.roleGet, { role: "r" });
  assert.deepEqual(perm, [permission(PermissionType.READ, "a", "\0"), permission(PermissionType.WRITE, "m", "n")]);
  await rejectsAs(revoke("m"), etcdErrors.permissionNotGranted);
  await revoke("m", "n");
  await rejectsAs(revoke("m", "n"), etcdErrors.permissionNotGranted);
  assert.equal((await client.call(auth.roleGet, { role: "r" })).perm.length, 1);
});

test("AUTH-23: what is missing, there already, or has no name", async (t) => {
  const client = await open(t);
  await client.call(auth.userAdd, { name: "ann", password: "pw" });
  await client.call(auth.roleAdd, { name: "r" });
  await rejectsAs(client.call(auth.userAdd, { name: "" }), etcdErrors.userEmpty);
  await rejectsAs(client.call(auth.userAdd, { name: "ann" }), etcdErrors.userAlreadyExist);
  await rejectsAs(client.call(auth.userGet, { name: "bob" }), etcdErrors.userNotFound);
  await rejectsAs(client.call(auth.userDelete, { name: "bob" }), etcdErrors.userNotFound);
  await rejectsAs(client.call(auth.userChangePassword, { name: "bob", password: "x" }), etcdErrors.userNotFound);
  await rejectsAs(client.call(auth.userGrantRole, { user: "bob", role: "s" }), etcdErrors.userNotFound);
  await rejectsAs(client.call(auth.userGrantRole, { user: "ann", role: "s" }), etcdErrors.roleNotFound);
  await rejectsAs(client.call(auth.userRevokeRole, { name: "bob", role: "r" }), etcdErrors.userNotFound);
  await rejectsAs(client.call(auth.userRevokeRole, { name: "ann", role: "r" }), etcdErrors.roleNotGranted);
  await rejectsAs(client.call(auth.roleAdd, { name: "" }), etcdErrors.roleEmpty);
  await rejectsAs(client.call(auth.roleAdd, { name: "r" }), etcdErrors.roleAlreadyExist);
  await rejectsAs(client.call(auth.roleGet, { role: "s" }), etcdErrors.roleNotFound);
  await rejectsAs(client.call(auth.roleDelete, { role: "s" }), etcdErrors.roleNotFound);
  await client.call(auth.userGrantRole, { user: "ann", role: "r" });
  await client.call(auth.userGrantRole, { user: "ann", role: "r" });
});

test("AUTH-24: lists are in byte order, and a deleted role is nobody's any more", async (t) => {
  const client = await open(t);
  for (const name of ["b", "a", "\u{1F600}", "\uFF5E"]) {
    await client.call(auth.roleAdd, { name });
    await client.call(auth.userAdd, { name, options: createUserAddOptions({ noPassword: true }) });
    await client.call(auth.userGrantRole, { user: "b", role: name }).catch(() => undefined);
  }
  const order = ["a", "b", "\uFF5E", "\u{1F600}"];
  assert.deepEqual((await client.call(auth.userList)).users, order);
  assert.deepEqual((await client.call(auth.roleList)).roles, order);
  assert.deepEqual((await client.call(auth.userGet, { name: "b" })).roles, order);
  await client.call(auth.roleDelete, { role: "a" });
  assert.deepEqual((await client.call(auth.userGet, { name: "b" })).roles, order.slice(1));
});

test("AUTH-25, AUTH-26, GEN-3: the auth revision grows with each change, the store's does not; headers are full", async (t) => {
  const client = await open(t);
  assert.equal(await authRevision(client), 1);
  const { header } = await client.call(auth.userAdd, { name: "root", password: "pw" });
  assert.deepEqual([header?.clusterId, header?.memberId, header?.revision], [7n, 8n, 1]);
  assert.ok((header?.raftTerm ?? 0) > 0);
  await client.call(auth.userGrantRole, { user: "root", role: "root" });
  assert.equal(await authRevision(client), 3);
  await client.call(auth.authEnable);
  assert.equal(await authRevision(client), 3);
  const { token } = await client.call(auth.authenticate, { name: "root", password: "pw" });
  await client.withToken(token).call(auth.authDisable);
  assert.equal(await authRevision(client), 4);
  assert.equal(await client.revision(), 1);
});

test("AUTH-20: one may look at oneself and at roles one holds, at nothing else", async (t) => {
  const { as, root } = await startSecured(t, { ann: [["r", "a"]], bob: [] });
  const ann = await as("ann");
  assert.deepEqual((await ann.call(auth.userGet, { name: "ann" })).roles, ["ann"]);
  assert.equal((await ann.call(auth.roleGet, { role: "ann" })).perm.length, 1);
  await rejectsAs(ann.call(auth.userGet, { name: "bob" }), etcdErrors.permissionDenied);
  await rejectsAs(ann.call(auth.userGet, { name: "nobody" }), etcdErrors.permissionDenied);
  await rejectsAs(ann.call(auth.roleGet, { role: "bob" }), etcdErrors.permissionDenied);
  await rejectsAs(ann.call(auth.userChangePassword, { name: "ann", password: "x" }), etcdErrors.permissionDenied);
  await root.call(auth.userRevokeRole, { name: "ann", role: "ann" });
  await rejectsAs(ann.call(auth.roleGet, { role: "ann" }), etcdErrors.permissionDenied);
});

test("LIM-1: a name above the request limit is refused", async (t) => {
  const services = await Services.start(t, { serviceLimits: { requestBytes: 1_000 } });
  const client = await services.connect();
  await rejectsAs(client.call(auth.roleAdd, { name: "r".repeat(1_000) }), etcdErrors.requestTooLarge);
  await client.call(auth.roleAdd, { name: "r".repeat(900) });
});

test("AUTH-8, F47: a user made without a password has none, whatever was sent along, and is refused as if missing", async (t) => {
  const { root, anonymous } = await startSecured(t);
  const options = createUserAddOptions({ noPassword: true });
  await root.call(auth.userAdd, { name: "np", password: "pw", options });
  for (const password of ["", "pw"]) {
    await rejectsAs(anonymous.call(auth.authenticate, { name: "np", password }), etcdErrors.authFailed);
  }
  await root.call(auth.userChangePassword, { name: "np", password: "pw" });
  await rejectsAs(anonymous.call(auth.authenticate, { name: "np", password: "pw" }), etcdErrors.authFailed);
});
