// HTTP-4 and GEN-9 over HTTP: paths and verbs, headers that become metadata, deadlines, tokens, CORS and host names.

import { base64, post, refusal, unreadable } from "../gateway.js";
import type { HttpRequest } from "../http.js";
import { script } from "../script.js";
import { authRefusals, badToken, quickPasswords, secure, tokenOf } from "../secured.js";

const key = base64("a");
const text404 = "404 page not found\n";

const routing = [
  script("HTTP-4", "verbs and paths that are not the gateway's", async (s) => {
    for (const method of ["GET", "PUT", "DELETE", "PATCH", "HEAD", "TRACE"]) {
      const answer = await s.http({ method, path: "/v3/kv/range", as: method });
      answer.shows(501, method === "HEAD" ? "" : { code: 12, message: "Method Not Allowed" });
    }
    for (const path of [
      "",
      "kv",
      "kv/",
      "kv/range/",
      "kv/Range",
      "kv/rangestream",
      "nobody",
      "lease/grant/x",
      "kv//range",
    ]) {
      await post(s, path, { key });
    }
    (await post(s, "kv/nobody", { key })).shows(404, refusal(5, "Not Found"));
    (await s.http({ path: "/v3/nobody" })).shows(404, refusal(5, "Not Found"));
    (await s.http({ method: "POST", path: "/v3", body: "{}" })).shows(307, "");
    await s.http({ path: "/v3" });
    await s.http({ path: "/v3?x=y" });
    (await post(s, "kv/range?key=x", { key })).shows(200, { header: {} });
    (await post(s, "kv/%72ange", { key })).shows(200, { header: {} });
    await post(s, "kv%2Frange", { key });
    await post(s, "kv/range%", { key });
    await post(s, "kv/../kv/range", { key });
    await post(s, "kv/range;x=y", { key });
    await post(s, "kv/range:x", { key });
  }),
  script("HTTP-4", "the names of older versions", async (s) => {
    (await s.http({ path: "/v3beta/kv/put", body: { key } })).shows(200, { header: { revision: "2" } });
    (await s.http({ path: "/v3beta/kv/range", body: { key } })).shows(200, { count: "1" });
    (await s.http({ path: "/v3beta/nobody", body: {} })).shows(404, refusal(5, "Not Found"));
    (await s.http({ path: "/v3beta/kv/range" })).shows(501, refusal(12, "Method Not Allowed"));
    for (const path of ["/v3alpha/kv/range", "/v3beta", "/v3betakv/range", "/V3/kv/range", "/v2/keys/a"]) {
      (await s.http({ path, body: { key } })).shows(404, text404);
    }
    await s.http({ path: "/v3beta/../v3/kv/range", body: { key } });
  }),
  script("HTTP-4", "a verb in place of another", async (s) => {
    const override = (method: string): HttpRequest => ({
      path: "/v3/kv/range",
      method: "POST",
      body: { key },
      headers: { "x-http-method-override": method },
      as: `override ${method}`,
    });
    (await s.http(override("POST"))).shows(200, {});
    await s.http(override("GET"));
    await s.http(override("PUT"));
    const form = { "content-type": "application/x-www-form-urlencoded" };
    await s.http({ ...override("GET"), headers: { ...form, "x-http-method-override": "GET" }, as: "form overridden" });
    await s.http({ path: "/v3/kv/range", method: "POST", headers: form, body: { key }, as: "form" });
    await s.http({ path: "/v3/kv/range", method: "POST", headers: form, body: `key=${key}`, as: "real form" });
  }),
  script(
    "HTTP-4",
    "without the gateway its paths are nobody's",
    async (s) => {
      for (const path of ["/v3/kv/range", "/v3beta/kv/range", "/v3/", "/v3", "/v3/nobody"]) {
        (await s.http({ path, body: { key } })).shows(404, text404);
      }
      (await s.http({ path: "/version" })).shows(200, {});
      (await s.http({ path: "/health" })).shows(200, {});
      (await s.put("a", "v")).succeeds();
    },
    { args: ["--enable-grpc-gateway=false"] },
  ),
];

const types = [
  script(
    "HTTP-4",
    "the type of a request does not matter, nor what it accepts",
    async (s) => {
      const heads: Record<string, Record<string, string>> = {
        none: {},
        form: { "content-type": "application/x-www-form-urlencoded" },
        text: { "content-type": "text/plain" },
        proto: { "content-type": "application/x-protobuf" },
        octets: { "content-type": "application/octet-stream" },
        nonsense: { "content-type": "nonsense" },
        "accept nothing known": { accept: "image/png" },
        "accept proto": { accept: "application/x-protobuf" },
        "accept events": { accept: "text/event-stream" },
        "te trailers": { te: "trailers" },
        agent: { "user-agent": "somebody", referer: "http://elsewhere/", cookie: "token=x" },
      };
      for (const [as, headers] of Object.entries(heads)) {
        (await post(s, "kv/range", { key }, { as, headers })).shows(200, { header: {} });
      }
      (await post(s, "kv/range", {}, { headers: { te: "trailers" }, as: "refused with trailers" })).shows(400, {});
    },
    {
      divergences: [
        {
          row: "HTTP-4",
          at: "refused with trailers.headers.trailer",
          etcd: "Grpc-Trailer-Content-Type",
          holdfast: undefined as unknown as string,
        },
      ],
    },
  ),
];

const deadlines = [
  script("HTTP-4", "Grpc-Timeout is the deadline of the call", async (s) => {
    for (const timeout of ["1H", "1M", "10S", "00010S", "99999999S", "+5S", "0S", ""]) {
      const answer = await post(s, "kv/range", { key }, { headers: { "grpc-timeout": timeout }, as: `"${timeout}"` });
      answer.shows(200, {});
    }
    for (const timeout of ["5", "S", "x", "5x", "1.5S", "5 S", "5s", "H5"]) {
      const answer = await post(s, "kv/range", { key }, { headers: { "grpc-timeout": timeout }, as: `"${timeout}"` });
      answer.shows(400, refusal(3, /^invalid grpc-timeout/));
    }
    for (const timeout of ["1n", "-5S"]) {
      const answer = await post(s, "kv/range", { key }, { headers: { "grpc-timeout": timeout }, as: `"${timeout}"` });
      answer.shows(504, refusal(4, /deadline exceeded$/));
    }
    await s.grant(600, 7);
    await s.grant(600, 8);
    (await post(s, "lock/lock", { name: key, lease: 7 })).shows(200, {});
    for (const timeout of ["200m", "200000u", "200000000n"]) {
      const unobserved = "etcd says one of two things, as its two ends of the call come to the deadline";
      const headers = { "grpc-timeout": timeout };
      const late = await post(s, "lock/lock", { name: key, lease: 8 }, { headers, unobserved });
      late.shows(504, { code: 4, message: /./ });
    }
  }),
  script("HTTP-4", "a deadline ends a watch", async (s) => {
    const headers = { "grpc-timeout": "300m" };
    const unobserved = "etcd says one of two things, as its two ends of the call come to the deadline";
    const lines = await s.httpLines({ path: "/v3/watch", body: { create_request: { key } }, headers, unobserved });
    (await lines.next()).shows({ result: { created: true } });
    s.ok(
      /"code":4/.test((await lines.rest()).at(-1)?.replaceAll(" ", "") ?? ""),
      "the last line tells of the deadline",
    );
    (await post(s, "kv/range", { key }, { headers: { "grpc-timeout": "5S" } })).shows(200, {});
  }),
];

const unreadableBinary = ["!", "A", "AQI==", "_-8", "AQI=AQI="];

const tokens = [
  script(
    ["GEN-9", "HTTP-4"],
    "a token in the headers of a request",
    async (s) => {
      await secure(s, { alice: [["READWRITE", "a", "b"]] });
      const alice = await tokenOf(s, "alice");
      const heads: Record<string, Record<string, string>> = {
        plain: { authorization: alice },
        bearer: { authorization: `Bearer ${alice}` },
        metadata: { "grpc-metadata-token": alice },
        "metadata bearer": { "grpc-metadata-token": `Bearer ${alice}` },
        "metadata authorization": { "grpc-metadata-authorization": alice },
        "token first": { "grpc-metadata-token": alice, authorization: badToken },
      };
      for (const [as, headers] of Object.entries(heads)) {
        (await post(s, "kv/range", { key }, { as, headers })).shows(200, { header: {} });
      }
      const bad: Record<string, Record<string, string>> = {
        unknown: { authorization: badToken },
        "lower bearer": { authorization: `bearer ${alice}` },
        basic: { authorization: `Basic ${alice}` },
        "twice bearer": { authorization: `Bearer Bearer ${alice}` },
        "token first": { "grpc-metadata-token": badToken, authorization: alice },
      };
      for (const [name, headers] of Object.entries(bad)) {
        const answer = await post(s, "kv/range", { key }, { as: `bad ${name}`, headers });
        answer.shows(401, refusal(16, authRefusals.badToken[1]));
        s.ok("www-authenticate" in answer.headers, "it asks for authentication");
      }
      (await post(s, "kv/range", { key })).shows(400, refusal(3, authRefusals.userEmpty[1]));
      (await post(s, "kv/range", { key }, { headers: { token: alice }, as: "bare" })).shows(400, {});
      (await post(s, "kv/range", { key }, { headers: { cookie: `token=${alice}` }, as: "cookie" })).shows(400, {});
      const other = { key: base64("x") };
      const denied = await post(s, "kv/range", other, { headers: { authorization: alice }, as: "denied" });
      denied.shows(403, refusal(7, authRefusals.denied[1]));
      const streams = {
        path: "/v3/watch",
        body: { create_request: { key: base64("x") } },
        headers: { authorization: alice },
      };
      const lines = await s.httpLines({ ...streams, as: "watch denied" });
      (await lines.next()).shows({ result: { canceled: true, cancel_reason: /permission denied/ } });
      const outside = await s.httpLines({ ...streams, headers: { authorization: badToken }, as: "watch unknown" });
      await outside.next();
      outside.close();
    },
    { args: [...quickPasswords] },
  ),
  script(
    "HTTP-4",
    "headers that become metadata",
    async (s) => {
      const leader = { "grpc-metadata-hasleader": "true" };
      (await post(s, "kv/range", { key }, { headers: leader, as: "hasleader" })).shows(200, {});
      const version = { "grpc-metadata-client-api-version": "3.7" };
      (await post(s, "kv/range", { key }, { headers: version, as: "version" })).shows(200, {});
      const binary = { "grpc-metadata-x-bin": "AQI=" };
      (await post(s, "kv/range", { key }, { headers: binary, as: "binary" })).shows(200, {});
      for (const value of ["AQI", "AQIDBA==", ""]) {
        const answer = await post(
          s,
          "kv/range",
          { key },
          { headers: { "grpc-metadata-x-bin": value }, as: `binary "${value}"` },
        );
        answer.shows(200, {});
      }
      for (const value of unreadableBinary) {
        await unreadable(s, "kv/range", { key }, { headers: { "grpc-metadata-x-bin": value }, as: `binary ${value}` });
      }
      const odd = { "grpc-metadata-grpc-timeout": "1n", "grpc-metadata-content-type": "x" };
      await post(s, "kv/range", { key }, { headers: odd, as: "reserved" });
    },
    {
      divergences: unreadableBinary.map((value) => ({
        row: "HTTP-4",
        at: `binary ${value}.body`,
        etcd: /illegal base64 data at input byte \d"/,
        holdfast: /illegal base64 data"/,
      })),
    },
  ),
];

/** Requests that look like those of a browser's page. */
const pages = (origin: string): readonly HttpRequest[] => [
  { path: "/v3/kv/range", body: { key }, headers: { origin }, as: `call from ${origin}` },
  { path: "/v3/nobody", headers: { origin }, as: `unknown from ${origin}` },
  { path: "/version", headers: { origin }, as: `version from ${origin}`, unobserved: "storage is learnt late" },
  { path: "/nobody", headers: { origin }, as: `nobody from ${origin}` },
  { method: "OPTIONS", path: "/v3/kv/range", headers: { origin }, as: `options from ${origin}` },
];

const browsers = [
  script("HTTP-4", "by default every page may call; OPTIONS is answered everywhere", async (s) => {
    for (const request of pages("http://page.example")) {
      s.equal((await s.http(request)).headers["access-control-allow-origin"], "*");
    }
    for (const path of ["/v3/kv/range", "/nobody", "/health", "/metrics", "/", "*"]) {
      (await s.http({ method: "OPTIONS", path, as: `options ${path}` })).shows(200, "");
    }
    const asked = { "access-control-request-method": "PUT", "access-control-request-headers": "x-any" };
    (await s.http({ method: "OPTIONS", path: "/v3/kv/put", headers: asked, as: "asked" })).shows(200, "");
    (
      await s.http({
        method: "OPTIONS",
        path: "/v3/kv/put",
        headers: { "content-length": 2 },
        body: "{}",
        as: "with a body",
      })
    ).shows(200, "");
  }),
  script(
    "HTTP-4",
    "origins that are listed are named back, others get no headers",
    async (s) => {
      for (const origin of ["http://page.example:80", "https://other.example:8080"]) {
        for (const request of pages(origin)) {
          s.equal((await s.http(request)).headers["access-control-allow-origin"], origin);
        }
      }
      for (const origin of [
        "http://stranger.example",
        "https://page.example:80",
        "http://page.example:8080",
        "null",
        "*",
      ]) {
        for (const request of pages(origin)) {
          s.equal((await s.http(request)).headers["access-control-allow-origin"], undefined);
        }
      }
      s.equal((await s.http({ path: "/health" })).headers["access-control-allow-origin"], undefined);
    },
    { args: ["--cors", "http://page.example:80,https://other.example:8080"] },
  ),
  script(
    "HTTP-4",
    "hosts that are not listed are turned away",
    async (s) => {
      const ask = async (host: string, path = "/health") => {
        const unobserved = "the page that explains it is in each server's own words";
        const { status, headers } = await s.http({ path, headers: { host }, unobserved });
        s.observe(`${host} ${path}`, { status, headers: headers as Record<string, string> });
        return status;
      };
      for (const host of ["db.example", "db.example:80", "10.0.0.1", "10.0.0.1:2379", "DB.example", "[::1]:1", "::1"]) {
        await ask(host);
      }
      for (const host of ["127.0.0.1", "other.example", "localhost", "db.example.", "x.db.example", ""]) {
        s.equal(await ask(host), 421);
      }
      for (const path of ["/v3/kv/range", "/nobody", "/metrics"]) {
        s.equal(await ask("other.example", path), 421);
        s.ok((await ask("db.example", path)) !== 421, "it is let in");
      }
      const options = { method: "OPTIONS", path: "/health", headers: { host: "other.example" }, as: "options" };
      s.equal((await s.http({ ...options, unobserved: "as above" })).status, 421);
      (await s.put("a", "v")).succeeds();
    },
    { args: ["--host-whitelist", "db.example,10.0.0.1,::1"] },
  ),
  script("HTTP-4", "by default any host will do", async (s) => {
    for (const host of ["other.example", "other.example:1", "127.0.0.1"]) {
      await s.http({ path: "/health", headers: { host }, as: host });
    }
    (await s.http({ path: "/health" })).shows(200, {});
  }),
];

/** The scripts of this section. */
export const scripts = [...routing, ...types, ...deadlines, ...tokens, ...browsers];
