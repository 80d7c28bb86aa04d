// Authentication with a token, on the server that is there for it; and TLS with client certificates.

import { check, demand, equal } from "./check.mjs";
import { ask, b64, call, stream } from "./curl.mjs";
import { endOf } from "./kv.mjs";

const root = { name: "root", password: "root-secret" };
const limited = { name: "curl-user", password: "limited-secret" };
const limitedRole = "curl-role";
const allowed = "curl/auth/";
const plain = { url: `http://${process.env.HOLDFAST_AUTH_ENDPOINT}` };

export async function checkSecure() {
  await check("auth: enable, token, limited user, refusals, disable", auth);
  await check("auth: the server is left without users and roles", leftClean);
  await check("tls: with a client certificate", withCertificate);
  await check("tls: refused without a client certificate, and in plain text", withoutCertificate);
}

/** Whatever the round itself says, the server is left without authentication, users and roles. */
async function auth() {
  try {
    await authRound();
  } finally {
    await attempt(async () => ask("/v3/auth/disable", {}, await login(root)));
    for (const { name } of [limited, root]) {
      await attempt(() => ask("/v3/auth/user/delete", { name }, plain));
    }
    for (const role of [limitedRole, "root"]) {
      await attempt(() => ask("/v3/auth/role/delete", { role }, plain));
    }
    await attempt(() => ask("/v3/kv/deleterange", { key: b64("curl/"), range_end: endOf("curl/") }, plain));
  }
}

/** Runs a step of the clean-up, which must not hide why the round failed. */
async function attempt(step) {
  try {
    await step();
  } catch {
    // Left for the check that the server is clean.
  }
}

async function login(user) {
  return { ...plain, token: (await ask("/v3/auth/authenticate", user, plain)).token };
}

async function refused(what, answer, status, code, message) {
  const { status: gotStatus, json } = await answer;
  equal(what, [gotStatus, json], [status, { code, message }]);
}

async function authRound() {
  await addUsers();
  await ask("/v3/auth/enable", {}, plain);
  const asRoot = await login(root);
  const asLimited = await login(limited);
  await allowedAndRefused(asLimited);
  const wrong = call("/v3/auth/authenticate", { ...limited, password: "wrong" }, plain);
  const message = "etcdserver: authentication failed, invalid user ID or password";
  await refused("wrong password", wrong, 400, 3, message);
  const key = b64(`${allowed}a`);
  const range = (options) => call("/v3/kv/range", { key }, options);
  await refused("no token", range(plain), 400, 3, "etcdserver: user name is empty");
  await refused("bad token", range({ ...plain, token: "nobody.1" }), 401, 16, "etcdserver: invalid auth token");
  await ask("/v3/kv/put", { key: b64("curl/elsewhere"), value: b64("1") }, asRoot);
  await ask("/v3/auth/disable", {}, asRoot);
  await ask("/v3/kv/put", { key, value: b64("open again") }, plain);
}

async function addUsers() {
  await refused("too early", call("/v3/auth/enable", {}, plain), 400, 9, "etcdserver: root user does not exist");
  const steps = [
    ["role/add", { name: "root" }],
    ["user/add", root],
    ["user/grant", { user: "root", role: "root" }],
    ["role/add", { name: limitedRole }],
    [
      "role/grant",
      { name: limitedRole, perm: { permType: "READWRITE", key: b64(allowed), range_end: endOf(allowed) } },
    ],
    ["user/add", limited],
    ["user/grant", { user: limited.name, role: limitedRole }],
  ];
  for (const [path, body] of steps) {
    await ask(`/v3/auth/${path}`, body, plain);
  }
  const { perm } = await ask("/v3/auth/role/get", { role: limitedRole }, plain);
  equal("permitted", perm, [{ permType: "READWRITE", key: b64(allowed), range_end: endOf(allowed) }]);
  equal("roles", (await ask("/v3/auth/user/get", { name: limited.name }, plain)).roles, [limitedRole]);
  equal("users", (await ask("/v3/auth/user/list", {}, plain)).users.toSorted(), [limited.name, "root"].toSorted());
}

async function allowedAndRefused(as) {
  const own = { key: b64(`${allowed}a`), value: b64("1") };
  const other = { key: b64("curl/elsewhere"), value: b64("1") };
  await ask("/v3/kv/put", own, as);
  equal("allowed", (await ask("/v3/kv/range", { key: b64(allowed), range_end: endOf(allowed) }, as)).count, "1");
  const denied = (what, path, body) => refused(what, call(path, body, as), 403, 7, "etcdserver: permission denied");
  await denied("put", "/v3/kv/put", other);
  await denied("range", "/v3/kv/range", { key: b64("curl/"), range_end: endOf("curl/") });
  await denied("txn", "/v3/kv/txn", { success: [{ request_put: own }, { request_put: other }] });
  await denied("user", "/v3/auth/user/add", { name: "another", password: "x" });
  const watch = stream("/v3/watch", { create_request: { key: other.key } }, as);
  equal("watch", (await watch.next()).result.canceled, true);
  watch.end();
}

async function leftClean() {
  equal("enabled", (await ask("/v3/auth/status", {}, plain)).enabled, undefined);
  equal("users", (await ask("/v3/auth/user/list", {}, plain)).users, undefined);
  equal("roles", (await ask("/v3/auth/role/list", {}, plain)).roles, undefined);
}

const { HOLDFAST_TLS_ENDPOINT: tlsEndpoint, HOLDFAST_TLS_CA: authority } = process.env;
const certificate = ["--cert", process.env.HOLDFAST_TLS_CERT, "--key", process.env.HOLDFAST_TLS_KEY];

async function withCertificate(prefix) {
  const secure = { url: `https://${tlsEndpoint}`, args: ["--cacert", authority, ...certificate] };
  const key = b64(`${prefix}a`);
  await ask("/v3/kv/put", { key, value: b64("1") }, secure);
  // Without a version of its own, curl offers both and the server chooses.
  for (const version of ["--http1.1", "--compressed"]) {
    const got = await call("/v3/kv/range", { key }, { ...secure, version });
    equal(`value with ${version}`, [got.status, got.json?.kvs?.[0]?.value], [200, b64("1")]);
  }
  const watch = stream("/v3/watch", { create_request: { key } }, secure);
  equal("created", (await watch.next()).result.created, true);
  await ask("/v3/kv/put", { key, value: b64("2") }, secure);
  equal("event", (await watch.next()).result.events[0].kv.value, b64("2"));
  watch.end();
  equal("health", (await call("/health", undefined, secure)).json, { health: "true", reason: "" });
}

/**
 * What curl's manual says of a call that the other side does not take: handshake failed (35), empty answer (52), sending
 * or receiving failed (55, 56), authority unknown (60).
 */
const refusedCodes = [35, 52, 55, 56, 60];

/** The check before proves that somebody listens. */
async function withoutCertificate(prefix) {
  const attempts = {
    "without a client certificate": { url: `https://${tlsEndpoint}`, args: ["--cacert", authority] },
    "without the authority": { url: `https://${tlsEndpoint}`, args: certificate },
    "in plain text": { url: `http://${tlsEndpoint}` },
  };
  for (const [words, options] of Object.entries(attempts)) {
    const outcome = await call("/v3/kv/range", { key: b64(prefix) }, options).catch((error) => error);
    // A server may also say over plain HTTP that it wants TLS.
    const refusal = refusedCodes.includes(outcome.exitCode) || outcome.status === 400;
    demand(`a call ${words} is refused (${outcome.message ?? outcome.status})`, refusal);
  }
}
