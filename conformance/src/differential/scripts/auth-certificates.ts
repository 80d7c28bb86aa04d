// AUTH-13 and AUTH-22: users by the name in their certificate.

import { script } from "../script.js";
import { addUser, auth, authRefusals, badToken, quickPasswords, secure, tokenOf } from "../secured.js";

const options = { args: quickPasswords, tls: true };

/** The scripts of this section. */
export const scripts = [
  script(
    "AUTH-13",
    "who sends no token is whom the certificate names",
    async (s) => {
      await secure(s, { ann: [["READWRITE", "a"]] });
      const ann = await s.connect({ certificate: "ann" });
      (await ann.put("a", "v")).succeeds();
      (await ann.put("b", "v")).refused(...authRefusals.denied);
      (await auth(ann, "UserGet", { name: "ann" })).shows({ roles: ["ann"] });
      (await auth(ann, "UserList")).refused(...authRefusals.denied);
      const root = await s.connect({ certificate: "root" });
      (await auth(root, "UserList")).shows({ users: ["ann", "root"] });
      (await root.range("a")).shows({ count: 1 });
      const watch = await ann.watch({ key: "a" });
      await root.put("a", "w");
      (await watch.next()).shows({ events: [{ kv: { value: "w" } }] });
    },
    options,
  ),
  script(
    "AUTH-13",
    "a token comes before the certificate, a bad one too",
    async (s) => {
      await secure(s, { ann: [["READ", "a"]], bob: [["READ", "b"]] });
      const token = await tokenOf(s, "bob");
      const ann = await s.connect({ certificate: "ann" });
      (await ann.range("b", {}, { metadata: { token } })).succeeds();
      (await ann.range("a", {}, { metadata: { token } })).refused(...authRefusals.denied);
      (await ann.range("a", {}, { metadata: { authorization: `Bearer ${token}` } })).refused(...authRefusals.denied);
      (await ann.range("a", {}, { metadata: { token: badToken } })).refused(...authRefusals.badToken);
      (await ann.range("a", {}, { metadata: { token: "" } })).refused(...authRefusals.badToken);
      (await ann.range("a")).succeeds();
    },
    options,
  ),
  script(
    "AUTH-13",
    "calls that came through a gateway have no certificate",
    async (s) => {
      await secure(s, { ann: [["READ", "a"]] });
      const ann = await s.connect({ certificate: "ann" });
      const metadata = { "grpcgateway-accept": "application/json" };
      (await ann.range("a", {}, { metadata })).refused(...authRefusals.userEmpty);
      (await ann.range("a", {}, { metadata: { "grpcgateway-accept": "" } })).refused(...authRefusals.userEmpty);
      (await ann.range("a", {}, { metadata: { "grpcgateway-user-agent": "x" } })).succeeds();
      const token = await tokenOf(s, "ann");
      (await ann.range("a", {}, { metadata: { ...metadata, token } })).succeeds();
    },
    options,
  ),
  script(
    "AUTH-13",
    "the gateway itself, called with a certificate",
    async (s) => {
      await addUser(s, "script", ["READ", "a"]);
      const root = await secure(s);
      (await s.range("a")).succeeds();
      const body = { key: Buffer.from("a").toString("base64") };
      const ignored =
        "CommonName of client sending a request against gateway will be ignored and not used as expected\n";
      (await s.http({ path: "/v3/kv/range", body })).shows(400, ignored);
      const headers = { authorization: await tokenOf(s, "script") };
      (await s.http({ path: "/v3/kv/range", body, headers })).shows(400, ignored);
      (await s.http({ path: "/v3/auth/authenticate", body: { name: "root", password: "root" } })).shows(400, ignored);
      (await s.http({ path: "/health" })).shows(200, { health: "true" });
      await auth(root, "AuthDisable");
      (await s.http({ path: "/v3/kv/range", body })).shows(200, {});
    },
    options,
  ),
  script(
    "AUTH-13",
    "a user without password, by certificate only",
    async (s) => {
      await auth(s, "UserAdd", { name: "ann", options: { no_password: true } });
      await auth(s, "RoleAdd", { name: "r" });
      await auth(s, "RoleGrantPermission", { name: "r", perm: { permType: "READ", key: "a" } });
      await auth(s, "UserGrantRole", { user: "ann", role: "r" });
      const root = await secure(s);
      const ann = await s.connect({ certificate: "ann" });
      (await ann.range("a")).succeeds();
      await auth(root, "UserRevokeRole", { name: "ann", role: "r" });
      (await ann.range("a")).refused(...authRefusals.denied);
      await auth(root, "UserGrantRole", { user: "ann", role: "r" });
      (await ann.range("a")).succeeds();
    },
    options,
  ),
  script(
    "AUTH-22",
    "a certificate of a user that does not exist",
    async (s) => {
      const root = await secure(s, { ann: [["READ", "a"]] });
      const ghost = await s.connect({ certificate: "ghost" });
      (await ghost.range("a")).refused(...authRefusals.denied);
      (await auth(ghost, "UserList")).refused(...authRefusals.userNotFound);
      (await auth(ghost, "AuthStatus")).shows({ enabled: true });
      (await ghost.grant(60, 7, { as: "grant" })).succeeds();
      const ann = await s.connect({ certificate: "ann" });
      (await ann.range("a")).succeeds();
      await auth(root, "UserDelete", { name: "ann" });
      (await ann.range("a")).refused(...authRefusals.denied);
    },
    {
      ...options,
      divergences: [
        {
          row: "AUTH-22",
          at: "grant",
          etcd: { status: "OK" },
          holdfast: { status: "PERMISSION_DENIED", message: authRefusals.denied[1] },
        },
      ],
    },
  ),
  script(
    "AUTH-13",
    "while authentication is off, no certificate is asked for a name",
    async (s) => {
      const ghost = await s.connect({ certificate: "ghost" });
      (await ghost.put("a", "v")).succeeds();
    },
    options,
  ),
];
