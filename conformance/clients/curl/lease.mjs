// Leases over the gateway, under both of their paths.

import { check, demand, equal, pause } from "./check.mjs";
import { ask, b64, call, stream } from "./curl.mjs";
import { put, values } from "./kv.mjs";

const shortTtlSeconds = 2;
const keptAliveMs = 3000;
const renewalPeriodMs = 600;

export async function checkLease() {
  await check("lease: kept alive beyond its TTL, then expires with its keys", keepAlive);
  await check("lease: several renewals in one body", severalRenewals);
  for (const base of ["/v3/lease", "/v3/kv/lease"]) {
    await check(`lease: time to live, list and revoke under ${base}`, (prefix) => bothPaths(prefix, base));
  }
  await check("lease: answers for one that is gone, and for a bad grant", gone);
}

/** The id of a new lease. */
export async function grant(ttlSeconds) {
  const { ID: id, TTL: ttl } = await ask("/v3/lease/grant", { TTL: ttlSeconds });
  equal("TTL", ttl, String(ttlSeconds));
  return id;
}

async function keepAlive(prefix) {
  const id = await grant(shortTtlSeconds);
  await put(`${prefix}a`, "1", { lease: id });
  const watch = stream("/v3/watch", { create_request: { key: b64(`${prefix}a`) } });
  equal("created", (await watch.next()).result.created, true);
  const until = performance.now() + keptAliveMs;
  while (performance.now() < until) {
    const { result } = await ask("/v3/lease/keepalive", { ID: id });
    equal("renewed", [result.ID, result.TTL], [id, String(shortTtlSeconds)]);
    await pause(renewalPeriodMs);
  }
  equal("while kept alive", await values(prefix, "a"), ["a=1"]);
  const { result } = await watch.next();
  equal("event", result.events[0].type, "DELETE");
  watch.end();
  const late = await ask("/v3/lease/keepalive", { ID: id });
  equal("TTL when gone", late.result.TTL, undefined);
}

async function severalRenewals() {
  const id = await grant(60);
  const line = `{"ID":"${id}"}\n`;
  const { text } = await call("/v3/lease/keepalive", line + line + line);
  const answers = text.split("\n").filter((part) => part !== "");
  equal(
    "TTLs",
    answers.map((part) => JSON.parse(part).result.TTL),
    ["60", "60", "60"],
  );
  await ask("/v3/lease/revoke", { ID: id });
}

async function bothPaths(prefix, base) {
  const id = await grant(60);
  await put(`${prefix}a`, "1", { lease: id });
  const left = await ask(`${base}/timetolive`, { ID: id, keys: true });
  equal("granted, keys", [left.grantedTTL, left.keys], ["60", [b64(`${prefix}a`)]]);
  demand("time left is near the TTL", Number(left.TTL) > 50 && Number(left.TTL) <= 60);
  const { leases } = await ask(`${base}/leases`, {});
  demand(
    "the lease is listed",
    leases.some((lease) => lease.ID === id),
  );
  await ask(`${base}/revoke`, { ID: id });
  equal("left", await values(prefix, "a"), []);
}

async function gone() {
  const revoked = await call("/v3/lease/revoke", { ID: 4711 });
  const notFound = { code: 5, message: "etcdserver: requested lease not found" };
  equal("revoke", [revoked.status, revoked.json], [404, notFound]);
  equal("time to live", (await ask("/v3/lease/timetolive", { ID: 4711 })).TTL, "-1");
  const large = await call("/v3/lease/grant", { TTL: "9000000001" });
  equal("grant", [large.status, large.json], [400, { code: 11, message: "etcdserver: too large lease TTL" }]);
}
