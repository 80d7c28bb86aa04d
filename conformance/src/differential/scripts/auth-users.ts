// AUTH-23 and AUTH-24: users and roles, and what cannot be done with them. The odd corners of AUTH-17 and AUTH-20.

import { script } from "../script.js";
import { addUser, allow, auth, authRefusals, logIn, quickPasswords, secure } from "../secured.js";

const options = { args: quickPasswords };
const userExists = ["FAILED_PRECONDITION", "etcdserver: user name already exists"] as const;
const roleExists = ["FAILED_PRECONDITION", "etcdserver: role name already exists"] as const;
const notGranted = ["FAILED_PRECONDITION", "etcdserver: role is not granted to the user"] as const;

const names = [
  script(
    "AUTH-23",
    "users: no name, known names, unknown names",
    async (s) => {
      (await auth(s, "UserAdd", { password: "x" })).refused(...authRefusals.userEmpty);
      (await auth(s, "UserAdd", {})).refused(...authRefusals.userEmpty);
      (await auth(s, "UserAdd", { name: "ann", password: "x" })).succeeds();
      (await auth(s, "UserAdd", { name: "ann", password: "x" })).refused(...userExists);
      (await auth(s, "UserAdd", { name: "ann", options: { no_password: true } })).refused(...userExists);
      for (const name of ["none", ""]) {
        (await auth(s, "UserGet", { name })).refused(...authRefusals.userNotFound);
        (await auth(s, "UserDelete", { name })).refused(...authRefusals.userNotFound);
        (await auth(s, "UserChangePassword", { name, password: "x" })).refused(...authRefusals.userNotFound);
        (await auth(s, "UserChangePassword", { name })).refused(...authRefusals.userNotFound);
        (await auth(s, "UserGrantRole", { user: name, role: "none" })).refused(...authRefusals.userNotFound);
        (await auth(s, "UserRevokeRole", { name, role: "none" })).refused(...authRefusals.userNotFound);
      }
      (await auth(s, "UserDelete", { name: "ann" })).succeeds();
      (await auth(s, "UserDelete", { name: "ann" })).refused(...authRefusals.userNotFound);
    },
    options,
  ),
  script(
    "AUTH-23",
    "roles: no name, known names, unknown names",
    async (s) => {
      (await auth(s, "RoleAdd", {})).refused(...authRefusals.roleEmpty);
      (await auth(s, "RoleAdd", { name: "r" })).succeeds();
      (await auth(s, "RoleAdd", { name: "r" })).refused(...roleExists);
      await auth(s, "UserAdd", { name: "ann", password: "x" });
      for (const name of ["none", ""]) {
        (await auth(s, "RoleGet", { role: name })).refused(...authRefusals.roleNotFound);
        (await auth(s, "RoleDelete", { role: name })).refused(...authRefusals.roleNotFound);
        (await auth(s, "UserGrantRole", { user: "ann", role: name })).refused(...authRefusals.roleNotFound);
        (await auth(s, "UserRevokeRole", { name: "ann", role: name })).refused(...notGranted);
        (await allow(s, name, ["READ", "a"])).refused(...authRefusals.roleNotFound);
      }
      (await auth(s, "UserRevokeRole", { name: "ann", role: "r" })).refused(...notGranted);
      (await auth(s, "UserGrantRole", { user: "ann", role: "r" })).succeeds();
      (await auth(s, "UserGrantRole", { user: "ann", role: "r" })).succeeds();
      (await auth(s, "UserGet", { name: "ann" })).shows({ roles: ["r"] });
      (await auth(s, "UserRevokeRole", { name: "ann", role: "r" })).succeeds();
      (await auth(s, "UserRevokeRole", { name: "ann", role: "r" })).refused(...notGranted);
      (await auth(s, "RoleGet", { role: "r" })).shows({ perm: [] });
    },
    options,
  ),
  script(
    "AUTH-24",
    "lists are sorted by bytes; deleting a role takes it from everybody",
    async (s) => {
      const unsorted = ["b", "a", "\u00e9", "B", "a b", "\u{1f9c0}", "\uff5e", "10", "9", "ab"];
      const sorted = [...unsorted].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
      for (const name of unsorted) {
        await auth(s, "UserAdd", { name, options: { no_password: true } });
        await auth(s, "RoleAdd", { name });
      }
      (await auth(s, "UserList")).shows({ users: sorted });
      (await auth(s, "RoleList")).shows({ roles: sorted });
      for (const role of [...unsorted, "root"]) {
        await auth(s, "UserGrantRole", { user: "b", role });
        await auth(s, "UserGrantRole", { user: "\u00e9", role });
      }
      const held = [...sorted, "root"].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
      (await auth(s, "UserGet", { name: "b" })).shows({ roles: held });
      await auth(s, "RoleDelete", { role: "a b" });
      for (const name of ["b", "\u00e9"]) {
        (await auth(s, "UserGet", { name })).shows({ roles: held.filter((role) => role !== "a b") });
      }
      await auth(s, "RoleAdd", { name: "a b" });
      (await auth(s, "UserGet", { name: "b" })).shows({ roles: held.filter((role) => role !== "a b") });
      await auth(s, "UserDelete", { name: "b" });
      (await auth(s, "UserList")).shows({ users: sorted.filter((name) => name !== "b") });
      await auth(s, "UserAdd", { name: "b", options: { no_password: true } });
      (await auth(s, "UserGet", { name: "b" })).shows({ roles: [] });
    },
    options,
  ),
  script(
    "AUTH-20",
    "users may look at themselves, and at the roles they hold",
    async (s) => {
      await secure(s, { ann: [["READ", "a"]], bob: [] });
      const ann = await logIn(s, "ann");
      (await auth(ann, "UserGet", { name: "ann" })).shows({ roles: ["ann"] });
      (await auth(ann, "RoleGet", { role: "ann" })).shows({ perm: [{ permType: "READ", key: "a" }] });
      (await auth(ann, "UserGet", { name: "bob" })).refused(...authRefusals.denied);
      (await auth(ann, "UserGet", { name: "none" })).refused(...authRefusals.denied);
      (await auth(ann, "UserGet", { name: "" })).refused(...authRefusals.denied);
      (await auth(ann, "RoleGet", { role: "bob" })).refused(...authRefusals.denied);
      (await auth(ann, "RoleGet", { role: "root" })).refused(...authRefusals.denied);
      (await auth(ann, "RoleGet", { role: "none" })).refused(...authRefusals.denied);
      (await auth(ann, "UserChangePassword", { name: "ann", password: "new" })).refused(...authRefusals.denied);
      (await auth(ann, "RoleList")).refused(...authRefusals.denied);
    },
    options,
  ),
];

const oddities = [
  script(
    "AUTH-20",
    "nobody may look at the user without a name, and try a transaction of nothing",
    async (s) => {
      await secure(s);
      const unnamed = await auth(s, "UserGet", { name: "" }, { as: "unnamed" });
      unnamed.refused(...authRefusals.userNotFound);
      (await s.txn({}, { as: "nothing" })).shows({ succeeded: true });
      (await s.txn({ success: [{ request_txn: {} }] }, { as: "nested nothing" })).shows({ succeeded: true });
      (await s.txn({}, { metadata: { token: "bad" } })).refused(...authRefusals.badToken);
      (await auth(s, "UserGet", { name: "root" })).refused(...authRefusals.userEmpty);
      (await auth(s, "RoleGet", { role: "" })).refused(...authRefusals.userEmpty);
    },
    {
      ...options,
      divergences: [
        {
          row: "AUTH-20",
          at: "unnamed",
          etcd: { status: "FAILED_PRECONDITION", message: authRefusals.userNotFound[1] },
          holdfast: { status: "INVALID_ARGUMENT", message: authRefusals.userEmpty[1] },
        },
        ...["nothing", "nested nothing"].map((at) => ({
          row: "AUTH-20",
          at,
          etcd: { status: "OK" },
          holdfast: { status: "INVALID_ARGUMENT", message: authRefusals.userEmpty[1] },
        })),
      ],
    },
  ),
  script(
    "AUTH-17",
    "permissions that begin at one key",
    async (s) => {
      await auth(s, "RoleAdd", { name: "r" });
      for (const end of ["b", "c"]) {
        (await allow(s, "r", ["READ", "a", end])).succeeds();
      }
      for (const end of ["b", "c"]) {
        (await allow(s, "r", ["WRITE", "a", end])).succeeds();
      }
      (await auth(s, "RoleGet", { role: "r" }, { as: "listed" })).succeeds();
    },
    {
      ...options,
      divergences: [
        {
          row: "AUTH-17",
          at: "listed.response.perm",
          etcd: [
            { permType: "WRITE", range_end: "b" },
            { permType: "READ", range_end: "c" },
            { permType: "WRITE", range_end: "c" },
          ],
          holdfast: [
            { permType: "WRITE", range_end: "b" },
            { permType: "WRITE", range_end: "c" },
          ],
        },
      ],
    },
  ),
  script(
    "AUTH-23",
    "names of any kind",
    async (s) => {
      await addUser(s, "root");
      const odd = [" ", "a/b", "r\u00f6le", "x".repeat(64), "line\nbreak", "null\0byte"];
      for (const name of odd) {
        await addUser(s, name, ["READ", "a"]);
      }
      await auth(s, "AuthEnable");
      for (const name of odd) {
        const client = await logIn(s, name);
        (await client.range("a")).succeeds();
        (await auth(client, "UserGet", { name })).shows({ roles: [name] });
      }
    },
    options,
  ),
];

/** The scripts of this section. */
export const scripts = [...names, ...oddities];
