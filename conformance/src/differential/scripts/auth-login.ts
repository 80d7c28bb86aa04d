// AUTH-7 to AUTH-9, AUTH-12, AUTH-14 and AUTH-15: passwords and simple tokens. GEN-9: where a token is looked for.

import type { Metadata } from "../client.js";
import { script } from "../script.js";
import { addUser, auth, authRefusals, badToken, logIn, quickPasswords, secure, tokenOf } from "../secured.js";

/** Logins of users that were made without a password, by the name of the exchange. */
const withoutPassword = {
  "no password given": { name: "ann", password: "" },
  "a password given": { name: "ann", password: "ann" },
  "the password that was dropped": { name: "bob", password: "bob" },
  "no password given for the one dropped": { name: "bob", password: "" },
};

const options = { args: quickPasswords };

const logins = [
  script(
    "AUTH-7",
    "a wrong password and an unknown user get one answer",
    async (s) => {
      await secure(s, { ann: [] });
      for (const login of [
        { name: "ann", password: "wrong" },
        { name: "ann" },
        { name: "nobody", password: "wrong" },
        { name: "nobody" },
        { password: "ann" },
        {},
        { name: "Ann", password: "ann" },
        { name: "ann", password: "ann " },
      ]) {
        (await auth(s, "Authenticate", login)).refused(...authRefusals.wrongPassword);
      }
      (await auth(s, "Authenticate", { name: "ann", password: "ann" })).succeeds();
    },
    options,
  ),
  script(
    "AUTH-8",
    "a user without password cannot log in",
    async (s) => {
      await addUser(s, "root");
      await auth(s, "UserAdd", { name: "ann", options: { no_password: true } });
      await auth(s, "UserAdd", { name: "bob", password: "bob", options: { no_password: true } });
      await auth(s, "AuthEnable");
      for (const [at, { name, password }] of Object.entries(withoutPassword)) {
        await auth(s, "Authenticate", { name, password }, { as: at });
      }
      const root = await logIn(s, "root");
      (await auth(root, "UserChangePassword", { name: "ann", password: "ann" })).succeeds();
      await auth(s, "Authenticate", { name: "ann", password: "ann" }, { as: "still none" });
    },
    {
      ...options,
      // To etcd a user without a password is another thing than one that there is not: names can be told by it.
      divergences: [...Object.keys(withoutPassword), "still none"].map((at) => {
        const [etcdStatus, etcdMessage] = authRefusals.noPassword;
        const [status, message] = authRefusals.wrongPassword;
        return { row: "AUTH-8", at, etcd: { status: etcdStatus, message: etcdMessage }, holdfast: { status, message } };
      }),
    },
  ),
  script(
    "AUTH-9",
    "a token is 16 letters, a dot and a number, and another one at each login",
    async (s) => {
      await secure(s, { ann: [["READ", "a"]] });
      const tokens = [await tokenOf(s, "ann"), await tokenOf(s, "ann")];
      s.ok(
        tokens.every((token) => /^[A-Za-z]{16}\.\d+$/.test(token)),
        "tokens look so",
      );
      s.ok(tokens[0] !== tokens[1], "each login makes another token");
      for (const token of tokens) {
        (await s.range("a", {}, { metadata: { token } })).succeeds();
      }
    },
    options,
  ),
  script(
    "AUTH-9",
    "a change of the password and the user's end void its tokens, a change of roles does not",
    async (s) => {
      const root = await secure(s, { ann: [["READ", "a"]], bob: [["READ", "a"]] });
      const [ann, again, bob] = [await logIn(s, "ann"), await logIn(s, "ann"), await logIn(s, "bob")];
      await auth(root, "RoleAdd", { name: "more" });
      await auth(root, "UserGrantRole", { user: "ann", role: "more" });
      await auth(root, "UserRevokeRole", { name: "ann", role: "more" });
      (await ann.range("a")).succeeds();
      await auth(root, "UserChangePassword", { name: "ann", password: "ann" });
      (await ann.range("a")).refused(...authRefusals.badToken);
      (await again.range("a")).refused(...authRefusals.badToken);
      (await bob.range("a")).succeeds();
      await auth(root, "UserDelete", { name: "bob" });
      (await bob.range("a")).refused(...authRefusals.badToken);
      (await auth(s, "Authenticate", { name: "bob", password: "bob" })).refused(...authRefusals.wrongPassword);
      await addUser(root, "bob", ["READ", "a"]);
      (await bob.range("a")).refused(...authRefusals.badToken);
      (await (await logIn(s, "bob")).range("a")).succeeds();
      (await (await logIn(s, "ann")).range("a")).succeeds();
    },
    options,
  ),
  script(
    "AUTH-9",
    "a restart voids every token; users, roles and passwords stay",
    async (s) => {
      const root = await secure(s, { ann: [["READ", "a"]] });
      await s.restart();
      (await root.range("a")).refused(...authRefusals.badToken);
      (await (await logIn(s, "ann")).range("a")).succeeds();
      await s.restart("SIGKILL");
      (await (await logIn(s, "ann")).range("b")).refused(...authRefusals.denied);
      const again = await logIn(s, "root");
      (await auth(again, "RoleGet", { role: "ann" })).shows({ perm: [{ permType: "READ", key: "a" }] });
    },
    options,
  ),
  script(
    "AUTH-9",
    "an unused token expires",
    async (s) => {
      await secure(s, { ann: [["READ", "a"]] });
      const ann = await logIn(s, "ann");
      (await ann.range("a")).succeeds();
      const lease = await logIn(s, "root");
      await lease.grant(6, 7);
      await lease.put("clock", "", { lease: 7 });
      const watch = await lease.watch({ key: "clock" });
      // The one clock both servers have: a lease that ends long after the token.
      await watch.events(1);
      (await ann.range("a")).refused(...authRefusals.badToken);
    },
    { args: [...quickPasswords, "--auth-token-ttl", "2"] },
  ),
  script(
    "AUTH-9",
    "each use of a token starts its time anew",
    async (s) => {
      await secure(s, { ann: [["READ", "a"]] });
      const ann = await logIn(s, "ann");
      for (const id of [7, 8]) {
        const clock = await logIn(s, "root");
        await clock.grant(5, id);
        await clock.put("clock", "", { lease: id });
        const watch = await clock.watch({ key: "clock" });
        await watch.events(1);
        (await ann.range("a")).succeeds();
      }
    },
    { args: [...quickPasswords, "--auth-token-ttl", "8"] },
  ),
];

const tokens = [
  script(
    ["AUTH-12", "AUTH-20"],
    "no token and a bad token",
    async (s) => {
      await secure(s, { ann: [["READ", "a"]] });
      (await s.range("a")).refused(...authRefusals.userEmpty);
      (await auth(s, "UserList")).refused(...authRefusals.userEmpty);
      const good = await tokenOf(s, "ann");
      const [letters = "", number = ""] = good.split(".");
      const others = [
        badToken,
        letters,
        `${letters}.`,
        `.${number}`,
        `${good}x`,
        `${good}.1`,
        "x",
        "a.b",
        ".",
        "1.2.3",
      ];
      for (const token of [...others, good.toLowerCase() === good ? good.toUpperCase() : good.toLowerCase()]) {
        (await s.range("a", {}, { metadata: { token } })).refused(...authRefusals.badToken);
        (await auth(s, "UserList", {}, { metadata: { token } })).refused(...authRefusals.badToken);
      }
      (await s.range("a", {}, { metadata: { token: good } })).succeeds();
    },
    options,
  ),
  script(
    "AUTH-12",
    "an empty token is a bad one",
    async (s) => {
      await secure(s);
      for (const token of ["", "Bearer", "Bearer."]) {
        (await s.range("a", {}, { metadata: { token } })).refused(...authRefusals.badToken);
        (await s.range("a", {}, { metadata: { authorization: token } })).refused(...authRefusals.badToken);
      }
    },
    options,
  ),
  script(
    ["GEN-9", "AUTH-12"],
    "token comes before authorization; Bearer is taken off",
    async (s) => {
      await secure(s, { ann: [["READ", "a"]] });
      const good = await tokenOf(s, "ann");
      const fitting: readonly Metadata[] = [
        { token: good },
        { token: `Bearer ${good}` },
        { authorization: good },
        { authorization: `Bearer ${good}` },
        { token: good, authorization: badToken },
      ];
      for (const metadata of fitting) {
        (await s.range("a", {}, { metadata })).succeeds();
      }
      const unfitting: readonly Metadata[] = [
        { token: badToken, authorization: good },
        { token: "", authorization: good },
        { token: `bearer ${good}` },
        { authorization: `BEARER ${good}` },
        { authorization: `Basic ${good}` },
        { authorization: `Bearer Bearer ${good}` },
        { authorization: `Bearer  ${good}` },
      ];
      for (const metadata of unfitting) {
        (await s.range("a", {}, { metadata })).refused(...authRefusals.badToken);
      }
    },
    options,
  ),
  script(
    "GEN-9",
    "of several tokens the first counts",
    async (s) => {
      await secure(s, { ann: [["READ", "a"]] });
      const good = await tokenOf(s, "ann");
      (await s.range("a", {}, { metadata: { token: [good, badToken] } })).succeeds();
      (await s.range("a", {}, { metadata: { token: [badToken, good] } })).refused(...authRefusals.badToken);
    },
    options,
  ),
  script(
    ["GEN-7", "GEN-8", "GEN-9"],
    "the other metadata with a token: hasleader, client-api-version",
    async (s) => {
      await secure(s, { ann: [["READ", "a"]] });
      const token = await tokenOf(s, "ann");
      (await s.range("a", {}, { metadata: { token, hasleader: "true", "client-api-version": "3.7" } })).succeeds();
      const version = "caf\xe9";
      (await s.range("a", {}, { metadata: { token: badToken, "client-api-version": version } })).refused(
        "INVALID_ARGUMENT",
        "etcdserver: invalid client api version",
      );
      (await s.range("", {}, { metadata: { token, "client-api-version": version } })).refused(
        "INVALID_ARGUMENT",
        /api/,
      );
    },
    options,
  ),
];

const passwords = [
  script(
    "AUTH-14",
    "any text is a password, the empty one too",
    async (s) => {
      const texts = ["", " ", "p".repeat(72), "k\u00e4se \u{1f9c0}", "null\0byte"];
      const root = await secure(s);
      for (const [index, password] of texts.entries()) {
        const name = `user ${index}`;
        (await auth(root, "UserAdd", { name, password })).succeeds();
        (await auth(s, "Authenticate", { name, password })).succeeds();
        (await auth(s, "Authenticate", { name, password: `x${password}` })).refused(...authRefusals.wrongPassword);
        await auth(root, "UserChangePassword", { name, password: `new ${index}` });
        (await auth(s, "Authenticate", { name, password })).refused(...authRefusals.wrongPassword);
        (await auth(s, "Authenticate", { name, password: `new ${index}` })).succeeds();
      }
    },
    options,
  ),
  script(
    "AUTH-14",
    "passwords above 72 bytes",
    async (s) => {
      const root = await secure(s, { ann: [] });
      const password = "p".repeat(73);
      const long = ["UNKNOWN", "bcrypt: password length exceeds 72 bytes"] as const;
      (await auth(root, "UserAdd", { name: "bob", password }, { as: "add" })).refused(...long);
      (await auth(root, "UserChangePassword", { name: "ann", password }, { as: "change" })).refused(...long);
      (await auth(s, "Authenticate", { name: "root", password })).refused(...authRefusals.wrongPassword);
    },
    {
      ...options,
      divergences: ["add", "change"].map((at) => ({
        row: "AUTH-14",
        at,
        etcd: { status: "UNKNOWN", message: "bcrypt: password length exceeds 72 bytes" },
        holdfast: { status: "OK" },
      })),
    },
  ),
  script(
    "AUTH-14",
    "UserAdd hashes the password itself, whatever hash comes along",
    async (s) => {
      const root = await secure(s);
      const hashedPassword = Buffer.from("$2a$04$abcdefghijklmnopqrstuv").toString("base64");
      (await auth(root, "UserAdd", { name: "ann", password: "ann", hashedPassword })).succeeds();
      (await auth(s, "Authenticate", { name: "ann", password: "ann" })).succeeds();
      (await auth(root, "UserAdd", { name: "bob", hashedPassword: "not base64!" })).succeeds();
      (await auth(s, "Authenticate", { name: "bob", password: "" })).succeeds();
    },
    options,
  ),
  script(
    "AUTH-14",
    "UserChangePassword with a password ignores a hash that comes along",
    async (s) => {
      const root = await secure(s, { ann: [] });
      const hashedPassword = "not base64!";
      (await auth(root, "UserChangePassword", { name: "ann", password: "new", hashedPassword })).succeeds();
      (await auth(s, "Authenticate", { name: "ann", password: "new" })).succeeds();
    },
    options,
  ),
  script(
    "AUTH-14",
    "UserChangePassword without a password stores the hash that comes along",
    async (s) => {
      const root = await secure(s, { ann: [] });
      const change = (hashedPassword: string, as: string) =>
        auth(root, "UserChangePassword", { name: "ann", hashedPassword }, { as });
      (await change("not base64!", "no base64")).refused(...authRefusals.noPassword);
      (await auth(s, "Authenticate", { name: "ann", password: "ann" })).succeeds();
      (await change(Buffer.from("rubbish").toString("base64"), "no hash")).succeeds();
      const wrong = await auth(s, "Authenticate", { name: "ann", password: "wrong" });
      wrong.refused(...authRefusals.wrongPassword);
    },
    {
      ...options,
      divergences: [
        {
          row: "AUTH-14",
          at: "no hash",
          etcd: { status: "OK" },
          holdfast: { status: "UNKNOWN", message: authRefusals.noPassword[1] },
        },
      ],
    },
  ),
  script(
    "AUTH-15",
    "after a change to the empty password nobody can log in",
    async (s) => {
      const root = await secure(s, { ann: [] });
      (await auth(root, "UserChangePassword", { name: "ann", password: "" })).succeeds();
      for (const password of ["", "ann"]) {
        (await auth(s, "Authenticate", { name: "ann", password })).refused(...authRefusals.wrongPassword);
      }
      (await auth(root, "UserChangePassword", { name: "ann", password: "new" })).succeeds();
      (await auth(s, "Authenticate", { name: "ann", password: "new" })).succeeds();
    },
    options,
  ),
];

/** The scripts of this section. */
export const scripts = [...logins, ...tokens, ...passwords];
