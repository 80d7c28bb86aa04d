// HTTP-5: what each address serves.

import { base64 } from "../gateway.js";
import type { HttpAnswer } from "../http.js";
import { script } from "../script.js";
import { secure, tokenOf } from "../secured.js";
import type { Session } from "../session.js";

const pages = [
  "/version",
  "/health",
  "/livez",
  "/readyz",
  "/readyz/non_learner",
  "/debug/vars",
  "/metrics",
  "/nobody",
  "/v3",
  "/",
];
const body = { key: base64("a") };

/** What an address says of every page, without the bodies that are each server's own. */
async function serves(s: Session, to: string): Promise<ReadonlyMap<string, number>> {
  const statuses = new Map<string, number>();
  const ask = async (name: string, request: object): Promise<void> => {
    const unobserved = "the scripts of the pages compare the bodies";
    const { status, headers }: HttpAnswer = await s.http({ path: "/", ...request, to, unobserved });
    statuses.set(name, status);
    s.observe(name, { status, headers: headers as Record<string, string> });
  };
  for (const path of pages) {
    await ask(path, { path });
    await ask(`POST ${path}`, { path, method: "POST" });
  }
  await ask("gateway", { path: "/v3/kv/range", body });
  await ask("old gateway", { path: "/v3beta/kv/range", body });
  await ask("unknown", { path: "/v3/nobody", body });
  await ask("OPTIONS", { method: "OPTIONS", path: "/health" });
  await ask("other host", { path: "/health", headers: { host: "other.example" } });
  return statuses;
}

const http = "{files}/http.sock";
const metrics = "{free}";

/** The scripts of this section. */
export const scripts = [
  script("HTTP-5", "one address serves both", async (s) => {
    (await s.put("a", "v")).succeeds();
    (await s.http({ path: "/v3/kv/range", body })).shows(200, { count: "1" });
    (await s.range("a")).shows({ count: 1 });
  }),
  script(
    ["HTTP-5", "HTTP-4"],
    "an address for HTTP only",
    async (s) => {
      const served = await serves(s, http);
      s.equal(served.get("gateway"), 200);
      s.equal(served.get("/version"), 200);
      s.equal(served.get("/metrics"), 200);
      s.equal(served.get("other host"), 421);
      (await s.put("a", "v")).succeeds();
    },
    { args: ["--listen-client-http-urls", `unix://${http}`, "--host-whitelist", "localhost,127.0.0.1"] },
  ),
  script(
    ["HTTP-5", "HTTP-3"],
    "an address for metrics only",
    async (s) => {
      const served = await serves(s, metrics);
      s.equal(served.get("/metrics"), 200);
      s.equal(served.get("/health"), 200);
      s.equal(served.get("/version"), 404);
      s.equal(served.get("gateway"), 404);
      (await s.http({ path: "/v3/kv/range", body })).shows(200, {});
      (await s.http({ path: "/health" })).shows(200, {});
    },
    { args: ["--listen-metrics-urls", `http://${metrics}`, "--host-whitelist", "localhost,127.0.0.1"] },
  ),
  script(
    ["HTTP-5", "HTTP-4"],
    "with TLS the gateway refuses certificates with a name while authentication is on",
    async (s) => {
      const call = (headers = {}): Promise<HttpAnswer> => s.http({ path: "/v3/kv/range", body, headers });
      (await s.put("a", "v")).succeeds();
      (await call()).shows(200, { count: "1" });
      await secure(s, { script: [["READ", "a"]] });
      const token = await tokenOf(s, "script");
      const named = "CommonName of client sending a request against gateway will be ignored and not used as expected";
      (await call()).shows(400, `${named}\n`);
      (await call({ authorization: token })).shows(400, `${named}\n`);
      (await s.http({ path: "/v3/nobody" })).shows(400, `${named}\n`);
      (await s.http({ method: "OPTIONS", path: "/v3/kv/range" })).shows(400, `${named}\n`);
      (await s.http({ path: "/health" })).shows(200, { health: "true" });
      (await s.http({ path: "/v3beta/kv/range", body })).shows(400, `${named}\n`);
      (await s.range("a")).shows({ count: 1 });
    },
    { tls: true, args: ["--bcrypt-cost", "4", "--host-whitelist", "nobody.example"] },
  ),
];
