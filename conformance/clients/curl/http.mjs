// HTTP itself: pages, errors of the request's form, large bodies, connections, HTTP/2.

import { check, demand, equal } from "./check.mjs";
import { ask, b64, call, output, plainUrl } from "./curl.mjs";
import { put, values } from "./kv.mjs";

export async function checkHttp() {
  await check("pages: health, version, metrics, livez, readyz", pages);
  await check("maintenance: status, members, alarms", maintenance);
  await check("errors: body that is no JSON, or of the wrong type", badBodies);
  await check("errors: unknown path, other method, missing key", badRequests);
  await check("headers: type of the answer, other origins", headers);
  await check("bodies: empty, chunked, large, too large", bodies);
  await check("connection: kept for the next call", kept);
  await check("paths: the older prefix /v3beta", olderPrefix);
  if (process.env.HOLDFAST_TARGET !== "etcd") {
    // etcd answers JSON over HTTP/2 only under TLS; Holdfast does on the plain port too.
    await check("http/2: gateway and pages with prior knowledge", http2);
  }
}

const get = (path, options = {}) => call(path, undefined, options);

async function pages() {
  const health = await get("/health");
  equal("health", [health.status, health.json], [200, { health: "true", reason: "" }]);
  equal("serializable health", (await get("/health?serializable=true")).json.health, "true");
  const version = await get("/version");
  equal("fields of the version", Object.keys(version.json).toSorted(), ["etcdcluster", "etcdserver", "storage"]);
  demand("the version is one of etcd 3", /^3\.\d+\.\d+$/.test(version.json.etcdserver));
  const metrics = await get("/metrics");
  equal("metrics", [metrics.status, metrics.headers["content-type"].split(";")[0]], [200, "text/plain"]);
  for (const name of ["etcd_server_has_leader 1", "process_resident_memory_bytes", "grpc_server_started_total"]) {
    demand(`there is a metric ${name}`, metrics.text.includes(`\n${name}`));
  }
  for (const path of ["/livez", "/readyz"]) {
    const page = await get(path);
    equal(path, [page.status, page.text], [200, "ok\n"]);
  }
}

async function maintenance() {
  const status = await ask("/v3/maintenance/status", {});
  demand("the status names version, leader and size", /^3\./.test(status.version) && Number(status.dbSize) > 0);
  const { members } = await ask("/v3/cluster/member/list", {});
  equal(
    "the leader is the member",
    members.map(({ ID }) => ID),
    [status.leader],
  );
  equal("alarms", (await ask("/v3/maintenance/alarm", { action: "GET" })).alarms, undefined);
  equal("auth", (await ask("/v3/auth/status", {})).enabled, undefined);
}

async function badBodies() {
  const bodies = ["{", '{"key":5}', '{"key":"*"}', "[]", '{"key":"YQ==","lease":"x"}', '{"key":"YQ==","lease":1.5}'];
  for (const body of bodies) {
    const { status, json } = await call("/v3/kv/put", body);
    equal(body, [status, json?.code, typeof json?.message], [400, 3, "string"]);
  }
}

async function badRequests() {
  const unknown = await call("/v3/nosuch", {});
  equal("unknown call", [unknown.status, unknown.json], [404, { code: 5, message: "Not Found" }]);
  const slash = await call("/v3/kv/put/", {});
  equal("slash too many", [slash.status, slash.json], [404, { code: 5, message: "Not Found" }]);
  equal("unknown page", (await get("/nosuch")).status, 404);
  const method = await get("/v3/kv/range");
  equal("other method", [method.status, method.json], [501, { code: 12, message: "Method Not Allowed" }]);
  const missing = await call("/v3/kv/put", {});
  const message = "etcdserver: key is not provided";
  equal("missing key", [missing.status, missing.json], [400, { code: 3, message }]);
}

async function headers(prefix) {
  const answer = await call("/v3/kv/range", { key: b64(prefix) });
  equal("type", answer.headers["content-type"], "application/json");
  equal("origins", answer.headers["access-control-allow-origin"], "*");
  const preflight = await get("/v3/kv/range", { method: "OPTIONS" });
  equal("before a call from elsewhere", preflight.status, 200);
  demand("the call may be a POST", preflight.headers["access-control-allow-methods"].includes("POST"));
}

async function bodies(prefix) {
  const key = b64(`${prefix}a`);
  equal("empty", (await call("/v3/kv/put", "")).json, { code: 3, message: "etcdserver: key is not provided" });
  const chunked = { args: ["--header", "Transfer-Encoding: chunked"] };
  await ask("/v3/kv/put", { key, value: b64("chunked") }, chunked);
  equal("chunked", await values(prefix, "a"), ["a=chunked"]);
  const value = "v".repeat(1_300_000);
  await put(`${prefix}a`, value);
  equal("large", (await values(prefix, "a"))[0].length, value.length + 2);
  const { status, json } = await call("/v3/kv/put", { key, value: b64("v".repeat(1_700_000)) });
  equal("too large", [status, json], [400, { code: 3, message: "etcdserver: request is too large" }]);
}

/** Two calls of one curl: the second opens no connection. */
async function kept(prefix) {
  const body = JSON.stringify({ key: b64(prefix) });
  const first = [`${plainUrl}/v3/kv/range`, "--http1.1", "--data", body, "--output", "/dev/null"];
  const written = ["--write-out", "%{http_code} %{num_connects},"];
  const more = [...first, ...written, "--next", "--output", "/dev/null", ...written];
  equal("status and new connections", await output("/v3/kv/range", body, {}, more), "200 1,200 0,");
}

async function olderPrefix(prefix) {
  await ask("/v3beta/kv/put", { key: b64(`${prefix}a`), value: b64("1") });
  equal("value", await values(prefix, "a"), ["a=1"]);
}

async function http2(prefix) {
  const options = { version: "--http2-prior-knowledge" };
  await ask("/v3/kv/put", { key: b64(`${prefix}a`), value: b64("1") }, options);
  const got = await call("/v3/kv/range", { key: b64(`${prefix}a`) }, options);
  equal("version, status", [got.version, got.status], ["HTTP/2", 200]);
  equal("value", got.json.kvs[0].value, b64("1"));
  const wrong = await call("/v3/kv/put", {}, options);
  equal("error", [wrong.status, wrong.json.code], [400, 3]);
  equal("health", (await get("/health", options)).json, { health: "true", reason: "" });
}
