// Authentication: users, roles and permissions on a server that starts without them, and is left without them.

import assert from "node:assert/strict";
import {
  EtcdAuthenticationFailedError,
  EtcdPermissionDeniedError,
  EtcdRoleExistsError,
  EtcdUserNotFoundError,
  GRPCInvalidArgumentError,
  Range,
} from "etcd3";
import { freshName, variable } from "../environment.mjs";

const rootAuth = { username: "root", password: "root-password" };
const readerAuth = { username: "reader", password: "reader-password" };

export async function authRound(checks) {
  const endpoint = variable("HOLDFAST_AUTH_ENDPOINT");
  const run = (words, body) =>
    checks.run(words, (open) => body((auth) => open(endpoint, auth === undefined ? {} : { auth })));
  const allowed = freshName("allowed/");
  const elsewhere = freshName("elsewhere");

  await run("auth: users, roles and a permission are made and listed", (open) => prepare(open(), allowed));
  await run("auth: enabled", (open) => open().auth.authEnable());
  await run("auth: root may do everything", (open) => rootMay(open(rootAuth), allowed, elsewhere));
  await run("auth: the limited user may read where its role lets it", (open) => mayRead(open(readerAuth), allowed));
  await run("auth: the limited user is refused elsewhere", (open) => refused(open(readerAuth), allowed, elsewhere));
  await run("auth: watches follow the same permissions", (open) => watches(open, allowed, elsewhere));
  await run("auth: a wrong password is refused", (open) => wrongPassword(open, allowed));
  await run("auth: no credentials are refused", (open) => noCredentials(open(), allowed));
  await run("auth: a new password and a revoked role count at once", (open) => changes(open, allowed));
  await run("auth: disabled, and everything removed", cleanUp);
}

async function prepare(etcd, allowed) {
  await etcd.user(rootAuth.username).create(rootAuth.password);
  await etcd.role("root").create();
  await etcd.user(rootAuth.username).addRole("root");
  await etcd.user(readerAuth.username).create(readerAuth.password);
  await etcd.role("reading").create();
  await assert.rejects(etcd.role("reading").create(), EtcdRoleExistsError);
  await assert.rejects(etcd.user("nobody").addRole("reading"), EtcdUserNotFoundError);
  await etcd.role("reading").grant({ permission: "Read", range: Range.prefix(allowed) });
  await etcd.role("reading").addUser(readerAuth.username);

  assert.deepEqual(namesOf(await etcd.getUsers()), ["reader", "root"]);
  assert.deepEqual(namesOf(await etcd.getRoles()), ["reading", "root"]);
  assert.deepEqual(namesOf(await etcd.user("reader").roles()), ["reading"]);
  const [permission] = await etcd.role("reading").permissions();
  assert.equal(permission.permission, "Read");
  assert.equal(permission.range.start.toString(), allowed);
}

const namesOf = (usersOrRoles) => usersOrRoles.map(({ name }) => name).sort();

async function rootMay(etcd, allowed, elsewhere) {
  await etcd.put(`${allowed}a`).value("for the reader");
  await etcd.put(elsewhere).value("not for the reader");
  assert.equal(await etcd.get(elsewhere).string(), "not for the reader");
}

async function mayRead(etcd, allowed) {
  assert.equal(await etcd.get(`${allowed}a`).string(), "for the reader");
  assert.equal(await etcd.getAll().prefix(allowed).count(), 1);
}

async function refused(etcd, allowed, elsewhere) {
  await assert.rejects(etcd.put(`${allowed}a`).value("no"), EtcdPermissionDeniedError);
  await assert.rejects(etcd.get(elsewhere).string(), EtcdPermissionDeniedError);
  await assert.rejects(etcd.getAll().all().keys(), EtcdPermissionDeniedError);
  await assert.rejects(etcd.delete().prefix(allowed), EtcdPermissionDeniedError);
  const put = etcd.if(`${allowed}a`, "Version", ">", 0).then(etcd.put(`${allowed}a`).value("no"));
  await assert.rejects(put.commit(), EtcdPermissionDeniedError);
  await assert.rejects(etcd.user("other").create("password"), EtcdPermissionDeniedError);
}

async function watches(open, allowed, elsewhere) {
  const watcher = await open(readerAuth).watch().prefix(allowed).create();
  const event = new Promise((resolve) => watcher.once("put", resolve));
  await open(rootAuth).put(`${allowed}b`).value("seen");
  assert.equal((await event).value.toString(), "seen");
  await watcher.cancel();
  await assert.rejects(open(readerAuth).watch().key(elsewhere).create(), /permission denied/);
}

async function wrongPassword(open, allowed) {
  const etcd = open({ ...readerAuth, password: "wrong" });
  await assert.rejects(etcd.get(`${allowed}a`).string(), EtcdAuthenticationFailedError);
}

async function noCredentials(etcd, allowed) {
  await assert.rejects(etcd.get(`${allowed}a`).string(), (error) => {
    return error instanceof GRPCInvalidArgumentError && /user name is empty/.test(error.message);
  });
}

async function changes(open, allowed) {
  const root = open(rootAuth);
  const newAuth = { ...readerAuth, password: "another password" };
  await root.user("reader").setPassword(newAuth.password);
  await assert.rejects(open(readerAuth).get(`${allowed}a`).string(), EtcdAuthenticationFailedError);
  const reader = open(newAuth);
  assert.equal(await reader.get(`${allowed}a`).string(), "for the reader");
  await root.user("reader").removeRole("reading");
  await assert.rejects(reader.get(`${allowed}a`).string(), EtcdPermissionDeniedError);
}

async function cleanUp(open) {
  await open(rootAuth).auth.authDisable();
  const etcd = open();
  for (const user of await etcd.getUsers()) {
    await user.delete();
  }
  for (const role of await etcd.getRoles()) {
    await role.delete();
  }
  assert.deepEqual(await etcd.getUsers(), []);
  assert.deepEqual(await etcd.getRoles(), []);
  await etcd.delete().all();
}
