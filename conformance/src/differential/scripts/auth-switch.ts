// AUTH-1 to AUTH-6: switching authentication on and off. AUTH-25 and AUTH-26: the revisions.

import type { Metadata } from "../client.js";
import { script } from "../script.js";
import {
  addUser,
  allow,
  auth,
  authRefusals,
  authRevision,
  badToken,
  logIn,
  quickPasswords,
  secure,
} from "../secured.js";
import type { Session } from "../session.js";

const options = { args: quickPasswords };

const switching = [
  script(
    "AUTH-1",
    "enabling takes user root with role root; once enabled it is no change",
    async (s) => {
      (await auth(s, "AuthEnable")).refused("FAILED_PRECONDITION", "etcdserver: root user does not exist");
      await auth(s, "UserAdd", { name: "root", password: "root" });
      const noRole = ["FAILED_PRECONDITION", "etcdserver: root user does not have root role"] as const;
      (await auth(s, "AuthEnable")).refused(...noRole);
      await auth(s, "RoleAdd", { name: "root" });
      (await auth(s, "AuthEnable")).refused(...noRole);
      await auth(s, "UserGrantRole", { user: "root", role: "root" });
      (await auth(s, "AuthStatus")).shows({ enabled: false, authRevision: 4 });
      (await auth(s, "AuthEnable")).succeeds();
      (await auth(s, "AuthStatus")).shows({ enabled: true, authRevision: 4 });
      (await auth(s, "AuthEnable")).refused(...authRefusals.userEmpty);
      const root = await logIn(s, "root");
      (await auth(root, "AuthEnable")).succeeds();
      (await auth(root, "AuthStatus")).shows({ enabled: true, authRevision: 4 });
    },
    options,
  ),
  script(
    "AUTH-2",
    "role root can be held without being there; once added it shows everything",
    async (s) => {
      await auth(s, "UserAdd", { name: "root", password: "root" });
      (await auth(s, "UserGrantRole", { user: "root", role: "root" })).succeeds();
      (await auth(s, "UserGet", { name: "root" })).shows({ roles: ["root"] });
      (await auth(s, "RoleGet", { role: "root" })).refused(...authRefusals.roleNotFound);
      (await auth(s, "RoleList")).shows({ roles: [] });
      await auth(s, "AuthEnable");
      const root = await logIn(s, "root");
      (await auth(root, "RoleGet", { role: "root" })).refused(...authRefusals.roleNotFound);
      (await root.put("a", "1")).succeeds();
      (await auth(root, "RoleAdd", { name: "root" })).succeeds();
      const everything = { perm: [{ permType: "READWRITE", key: "", range_end: "\0" }] };
      (await auth(root, "RoleGet", { role: "root" })).shows(everything);
      await allow(root, "root", ["READ", "a"]);
      (await auth(root, "RoleGet", { role: "root" })).shows(everything);
      (await auth(root, "RoleList")).shows({ roles: ["root"] });
    },
    options,
  ),
  script(
    "AUTH-3",
    "while authentication is off, no token is looked at",
    async (s) => {
      const tokens: readonly Metadata[] = [{ token: badToken }, { authorization: "Bearer x" }, { token: "" }];
      for (const metadata of tokens) {
        const client = await s.connect({ metadata });
        (await client.put("a", "v")).succeeds();
        (await auth(client, "AuthStatus")).shows({ enabled: false });
        const watch = await client.watch({ key: "a", start_revision: 2 });
        (await watch.next()).shows({ watch_id: 0 });
        watch.cancel();
      }
      await addUser(s, "ann", ["READ", "x"]);
      const root = await secure(s);
      const ann = await logIn(s, "ann");
      (await ann.put("a", "v")).refused(...authRefusals.denied);
      await auth(root, "AuthDisable");
      (await ann.put("a", "v")).succeeds();
      (await auth(ann, "UserList")).shows({ users: ["ann", "root"] });
    },
    options,
  ),
  script(
    "AUTH-4",
    "nobody can log in while authentication is off",
    async (s) => {
      (await auth(s, "Authenticate", { name: "root", password: "root" })).refused(...authRefusals.notEnabled);
      (await auth(s, "Authenticate", {})).refused(...authRefusals.notEnabled);
      await addUser(s, "root");
      (await auth(s, "Authenticate", { name: "root", password: "root" })).refused(...authRefusals.notEnabled);
    },
    options,
  ),
  script(
    "AUTH-5",
    "root stays root while authentication is on",
    async (s) => {
      const root = await secure(s, { ann: [] });
      (await auth(root, "UserDelete", { name: "root" })).refused(...authRefusals.rootStays);
      (await auth(root, "RoleDelete", { role: "root" })).refused(...authRefusals.rootStays);
      (await auth(root, "UserRevokeRole", { name: "root", role: "root" })).refused(...authRefusals.rootStays);
      await auth(root, "UserGrantRole", { user: "ann", role: "root" });
      (await auth(root, "UserRevokeRole", { name: "ann", role: "root" })).succeeds();
      await auth(root, "AuthDisable");
      (await auth(s, "UserRevokeRole", { name: "root", role: "root" })).succeeds();
      (await auth(s, "RoleDelete", { role: "root" })).succeeds();
      (await auth(s, "UserDelete", { name: "root" })).succeeds();
    },
    options,
  ),
  script(
    "AUTH-5",
    "role root that was never added cannot be deleted either",
    async (s) => {
      await auth(s, "UserAdd", { name: "root", password: "root" });
      await auth(s, "UserGrantRole", { user: "root", role: "root" });
      await auth(s, "AuthEnable");
      const root = await logIn(s, "root");
      (await auth(root, "RoleDelete", { role: "root" })).refused(...authRefusals.rootStays);
      await auth(root, "AuthDisable");
      (await auth(s, "RoleDelete", { role: "root" })).refused(...authRefusals.roleNotFound);
    },
    options,
  ),
  script(
    "AUTH-6",
    "disabling drops every token and raises the auth revision",
    async (s) => {
      const root = await secure(s, { ann: [["READ", "a"]] });
      const ann = await logIn(s, "ann");
      const before = await authRevision(root);
      (await auth(root, "AuthDisable")).succeeds();
      s.equal(await authRevision(s), before + 1);
      (await auth(s, "AuthEnable")).succeeds();
      s.equal(await authRevision(s), before + 1);
      (await root.range("a")).refused(...authRefusals.badToken);
      (await ann.range("a")).refused(...authRefusals.badToken);
      (await (await logIn(s, "ann")).range("a")).succeeds();
    },
    options,
  ),
];

/** Does something and says by how much that raised the auth revision. */
async function raisedBy(s: Session, method: string, request = {}): Promise<number> {
  const before = await authRevision(s);
  (await auth(s, method, request)).succeeds();
  return (await authRevision(s)) - before;
}

const permission = (permType: string, key = "a") => ({ name: "r", perm: { permType, key } });

const revisions = [
  script(
    "AUTH-25",
    "every change raises the auth revision, what changes nothing does not",
    async (s) => {
      (await auth(s, "AuthStatus")).shows({ enabled: false, authRevision: 1 });
      s.equal(await raisedBy(s, "UserAdd", { name: "root", password: "root" }), 1);
      s.equal(await raisedBy(s, "UserAdd", { name: "ann", options: { no_password: true } }), 1);
      s.equal(await raisedBy(s, "RoleAdd", { name: "r" }), 1);
      s.equal(await raisedBy(s, "RoleGrantPermission", permission("READ")), 1);
      s.equal(await raisedBy(s, "RoleGrantPermission", permission("WRITE")), 1);
      s.equal(await raisedBy(s, "RoleGrantPermission", permission("WRITE")), 1);
      s.equal(await raisedBy(s, "UserGrantRole", { user: "ann", role: "r" }), 1);
      s.equal(await raisedBy(s, "UserGrantRole", { user: "ann", role: "r" }), 0);
      s.equal(await raisedBy(s, "UserChangePassword", { name: "root", password: "root" }), 1);
      s.equal(await raisedBy(s, "UserChangePassword", { name: "ann", password: "ann" }), 1);
      s.equal(await raisedBy(s, "RoleRevokePermission", { role: "r", key: "a" }), 1);
      s.equal(await raisedBy(s, "UserRevokeRole", { name: "ann", role: "r" }), 1);
      s.equal(await raisedBy(s, "RoleDelete", { role: "r" }), 1);
      s.equal(await raisedBy(s, "UserDelete", { name: "ann" }), 1);
      s.equal(await raisedBy(s, "AuthDisable"), 0);
      s.equal(await raisedBy(s, "UserGrantRole", { user: "root", role: "root" }), 1);
      s.equal(await raisedBy(s, "AuthEnable"), 0);
      (await auth(s, "UserAdd", { name: "root" })).refused(...authRefusals.userEmpty);
      const root = await logIn(s, "root");
      const before = await authRevision(root);
      (await auth(root, "UserAdd", { name: "root", password: "x" })).refused("FAILED_PRECONDITION", /already exists/);
      (await auth(root, "RoleDelete", { role: "none" })).refused(...authRefusals.roleNotFound);
      await auth(root, "AuthEnable");
      s.equal(await authRevision(root), before);
      await auth(root, "AuthDisable");
      s.equal(await authRevision(s), before + 1);
    },
    options,
  ),
  script(
    ["AUTH-25", "AUTH-26"],
    "the auth revision outlives a restart; the store's revision is not touched by it",
    async (s) => {
      const root = await secure(s, { ann: [["READ", "a"]] });
      (await root.range("a")).shows({ header: { revision: 1 } });
      (await auth(root, "RoleAdd", { name: "more" })).shows({ header: { revision: 1 } });
      const before = await authRevision(root);
      await s.restart();
      (await auth(s, "AuthStatus")).shows({ enabled: true, authRevision: before, header: { revision: 1 } });
      const again = await logIn(s, "root");
      (await again.put("a", "1")).shows({ header: { revision: 2 } });
      (await auth(again, "AuthDisable")).shows({ header: { revision: 2 } });
      (await s.range("a")).shows({ header: { revision: 2 } });
    },
    options,
  ),
];

/** The scripts of this section. */
export const scripts = [...switching, ...revisions];
