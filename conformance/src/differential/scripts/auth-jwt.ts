// AUTH-10 and AUTH-12 with JSON web tokens: those a server signs, and those others sign with its key.

import { createSigner } from "fast-jwt";
import {
  type Claims,
  claiming,
  claimsOf,
  files,
  inAnHour,
  onCurve,
  privatePem,
  secret,
  secureWithAnn,
  servers,
  sign,
  signAnything,
  stranger,
  withToken,
} from "../json-web-tokens.js";
import { script } from "../script.js";
import { auth, authRefusals, authRevision, logIn, tokenOf } from "../secured.js";
import type { Session } from "../session.js";

const issued = [
  script(
    "AUTH-10",
    "a token that the server signed",
    async (s) => {
      const revision = await secureWithAnn(s);
      const token = await tokenOf(s, "ann");
      const { username, revision: signed, exp, ...others } = claimsOf(token);
      s.equal([username, signed, Object.keys(others)], ["ann", revision, []]);
      const secondsLeft = Number(exp) - Date.now() / 1000;
      s.ok(secondsLeft > 290 && secondsLeft <= 301, `it lives five minutes, not ${secondsLeft} s`);
      s.observe("header", Buffer.from(token.split(".")[0] ?? "", "base64url").toString());
      const ann = await withToken(s, token);
      (await ann.put("a", "v")).succeeds();
      (await ann.put("b", "v")).refused(...authRefusals.denied);
      await s.restart();
      (await ann.range("a")).shows({ count: 1 });
    },
    onCurve,
  ),
  script(
    "AUTH-10",
    "its own time to live",
    async (s) => {
      await secureWithAnn(s);
      const { exp } = claimsOf(await tokenOf(s, "ann"));
      const secondsLeft = Number(exp) - Date.now() / 1000;
      s.ok(secondsLeft > 3590 && secondsLeft <= 3601, `it lives an hour, not ${secondsLeft} s`);
    },
    servers("sign-method=ES256,pub-key={files}/curve.pub,priv-key={files}/curve.pem,ttl=1h"),
  ),
  script(
    "AUTH-10",
    "with a public key only, tokens are checked and not made",
    async (s) => {
      await secureFromOutside(s);
      const nobody = await auth(s, "Authenticate", { name: "ann", password: "ann" });
      nobody.refused("UNKNOWN", "auth: token signing attempted with verify-only key");
      const wrong = await auth(s, "Authenticate", { name: "ann", password: "wrong" });
      wrong.refused(...authRefusals.wrongPassword);
      const ann = await claiming(s, { username: "ann", revision: await authRevision(s) });
      (await ann.put("a", "v")).succeeds();
    },
    servers("sign-method=ES256,pub-key={files}/curve.pub"),
  ),
  script(
    "AUTH-10",
    "RS256, and no other method with the same key",
    async (s) => {
      const revision = await secureWithAnn(s);
      const ann = await logIn(s, "ann");
      (await ann.put("a", "v")).succeeds();
      const outside = createSigner({ key: files["rsa.pem"], algorithm: "RS256", noTimestamp: true });
      const token = outside({ username: "ann", revision, exp: inAnHour() });
      (await (await withToken(s, token)).range("a")).shows({ count: 1 });
      const other = createSigner({ key: files["rsa.pem"], algorithm: "RS512", noTimestamp: true });
      const otherMethod = await withToken(s, other({ username: "ann", revision, exp: inAnHour() }));
      (await otherMethod.range("a")).refused(...authRefusals.badToken);
    },
    servers("sign-method=RS256,pub-key={files}/rsa.pub,priv-key={files}/rsa.pem"),
  ),
  script(
    "AUTH-10",
    "PS512, and no secret in its place",
    async (s) => {
      const revision = await secureWithAnn(s);
      (await (await logIn(s, "ann")).put("a", "v")).succeeds();
      const forged = createSigner({ key: secret, algorithm: "HS256", noTimestamp: true });
      const claims = { username: "root", revision, exp: inAnHour() };
      (await (await withToken(s, forged(claims))).range("a")).refused(...authRefusals.badToken);
    },
    servers("sign-method=PS512,pub-key={files}/rsa.pub,priv-key={files}/rsa.pem"),
  ),
  script(
    "AUTH-10",
    "a shared secret",
    async (s) => {
      const revision = await secureWithAnn(s);
      (await (await logIn(s, "ann")).put("a", "v")).succeeds();
      const outside = createSigner({ key: secret, algorithm: "HS256", noTimestamp: true });
      const claims = { username: "ann", revision, exp: inAnHour() };
      (await (await withToken(s, outside(claims))).range("a")).shows({ count: 1 });
    },
    servers("sign-method=HS256,priv-key={files}/secret"),
  ),
];

/** As `secureWithAnn`, for servers that do not make tokens. */
async function secureFromOutside(s: Session): Promise<void> {
  await auth(s, "UserAdd", { name: "root", password: "root" });
  await auth(s, "UserGrantRole", { user: "root", role: "root" });
  await auth(s, "UserAdd", { name: "ann", password: "ann" });
  await auth(s, "RoleAdd", { name: "ann" });
  await auth(s, "RoleGrantPermission", { name: "ann", perm: { permType: "READWRITE", key: "a" } });
  await auth(s, "UserGrantRole", { user: "ann", role: "ann" });
  await auth(s, "AuthEnable");
}

const forged = [
  script(
    ["AUTH-10", "AUTH-12"],
    "tokens that are none, or not signed as they should be",
    async (s) => {
      const revision = await secureWithAnn(s);
      const claims = { username: "ann", revision, exp: inAnHour() };
      const good = sign(claims);
      const [header = "", body = "", signature = ""] = good.split(".");
      const asRoot = Buffer.from(JSON.stringify({ ...claims, username: "root" })).toString("base64url");
      const noneHeader = Buffer.from(JSON.stringify({ alg: "none", typ: "JWT" })).toString("base64url");
      const bySecret = createSigner({ key: files["curve.pub"].replaceAll("PUBLIC", "ANY"), algorithm: "HS256" });
      const strangers = createSigner({ key: stranger.privateKey.export(privatePem).toString(), algorithm: "ES256" });
      for (const token of [
        "x",
        "a.b.c",
        "..",
        `${header}.${body}`,
        `${header}.${body}.`,
        `${header}.${asRoot}.${signature}`,
        `${header}.${body}.${signature.slice(0, -4)}`,
        `${noneHeader}.${body}.`,
        `${noneHeader}.${body}.${signature}`,
        `${good}.${signature}`,
        bySecret(claims),
        strangers(claims),
      ]) {
        (await (await withToken(s, token)).range("a")).refused(...authRefusals.badToken);
      }
      (await (await withToken(s, good)).range("a")).succeeds();
      (await (await withToken(s, `Bearer ${good}`)).range("a")).succeeds();
      (await s.range("a", {}, { metadata: { authorization: `Bearer ${good}` } })).succeeds();
    },
    onCurve,
  ),
  script(
    ["AUTH-10", "AUTH-12"],
    "claims that are missing, or not what they should be",
    async (s) => {
      const revision = await secureWithAnn(s);
      for (const claims of [
        {},
        { username: "ann" },
        { revision },
        { username: 7, revision },
        { username: ["ann"], revision },
        { username: null, revision },
        { username: "ann", revision: String(revision) },
        { username: "ann", revision: null },
        { username: "ann", revision: true },
      ]) {
        (await (await claiming(s, claims)).range("a")).refused(...authRefusals.badToken);
      }
      const more = { username: "ann", revision, roles: ["root"], iss: "somebody", sub: "root", aud: "others" };
      (await (await claiming(s, more)).range("a")).succeeds();
      (await (await claiming(s, more)).range("b")).refused(...authRefusals.denied);
    },
    onCurve,
  ),
  script(
    ["AUTH-10", "AUTH-12"],
    "times: past, future, none",
    async (s) => {
      const revision = await secureWithAnn(s);
      const now = Math.floor(Date.now() / 1000);
      const ann = { username: "ann", revision };
      const reading = async (claims: Claims) => (await withToken(s, signAnything({ ...ann, ...claims }))).range("a");
      (await reading({})).succeeds();
      (await reading({ exp: now + 60.5 })).succeeds();
      (await reading({ exp: now - 60 })).refused(...authRefusals.badToken);
      (await reading({ exp: 0.5 })).refused(...authRefusals.badToken);
      (await reading({ exp: -1 })).refused(...authRefusals.badToken);
      (await reading({ exp: now + 60, nbf: now - 60 })).succeeds();
      (await reading({ exp: now + 60, nbf: now + 60 })).refused(...authRefusals.badToken);
      (await reading({ exp: now + 60, iat: now - 60 })).succeeds();
      (await reading({ exp: now + 60, iat: now + 60 })).succeeds();
      for (const odd of ["soon", String(now + 60), true, [now + 60], {}, null]) {
        (await reading({ exp: odd })).refused(...authRefusals.badToken);
        (await reading({ nbf: odd })).refused(...authRefusals.badToken);
      }
      (await reading({ nbf: 0 })).succeeds();
      (await reading({ iat: "x" })).succeeds();
      (await reading({ iat: null })).succeeds();
    },
    onCurve,
  ),
  script(
    "AUTH-10",
    "an end in 1970",
    async (s) => {
      const revision = await secureWithAnn(s);
      const ann = await withToken(s, signAnything({ username: "ann", revision, exp: 0 }));
      (await ann.range("a", {}, { as: "reads" })).succeeds();
    },
    {
      ...onCurve,
      divergences: [
        {
          row: "AUTH-10",
          at: "reads",
          etcd: { status: "OK" },
          holdfast: { status: "UNAUTHENTICATED", message: authRefusals.badToken[1] },
        },
      ],
    },
  ),
];

/** The scripts of this section. */
export const scripts = [...issued, ...forged];
