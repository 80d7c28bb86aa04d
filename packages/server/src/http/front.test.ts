/** The checks before any request, CORS and routing (etcd-v3-wire.md 4.8, 4.9); answers are those of etcd 3.7.1. */
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { type TestContext, test } from "node:test";
import type { Route } from "../ops/route.js";
import { clearDoor, HttpHarness } from "./testing/http-harness.js";

const corsHeaders = {
  "access-control-allow-headers": "accept, content-type, authorization",
  "access-control-allow-methods": "POST, GET, OPTIONS, PUT, DELETE",
};

interface Got {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly text: string;
}

/** `fetch` sets `host` and cleans paths by itself. */
function ask(harness: HttpHarness, method: string, path: string, headers: Record<string, string> = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port: harness.port, method, path, headers, agent: false };
    const request = httpRequest(options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
    });
    request.on("error", reject);
    request.end();
  });
}

function corsOf({ headers }: Got): unknown[] {
  return Object.entries(headers).filter(([name]) => name.startsWith("access-control-"));
}

async function start(t: TestContext, options: Parameters<typeof HttpHarness.start>[1] = {}): Promise<HttpHarness> {
  return HttpHarness.start(t, options);
}

test("what nobody serves is 404, in Go's words", async (t) => {
  const harness = await start(t);
  for (const path of ["/", "/nope", "/v3alpha/kv/put", "/V3/kv/put", "/v3beta", "/v3%2Fkv/put"]) {
    const got = await ask(harness, "GET", path);
    assert.equal(got.status, 404, path);
    assert.equal(got.text, "404 page not found\n");
    assert.equal(got.headers["content-type"], "text/plain; charset=utf-8");
    assert.equal(got.headers["x-content-type-options"], "nosniff");
  }
});

test("without a gateway /v3/ is a path like any other", async (t) => {
  const harness = await start(t, { gateway: false });
  for (const path of ["/v3/kv/put", "/v3"])
    assert.equal((await ask(harness, "POST", path)).text, "404 page not found\n");
});

test("unclean paths, and /v3, are sent to the right ones", async (t) => {
  const harness = await start(t);
  const got = await ask(harness, "GET", "//v3/kv/put?a=1&b");
  assert.equal(got.status, 307);
  assert.equal(got.headers.location, "/v3/kv/put?a=1&b");
  assert.equal(got.text, '<a href="/v3/kv/put?a=1&#38;b">Temporary Redirect</a>.\n\n');
  assert.equal(got.headers["content-type"], "text/html; charset=utf-8");
  const posted = await ask(harness, "POST", "/v3beta//kv/put");
  assert.deepEqual([posted.status, posted.headers.location, posted.text], [307, "/v3/kv/put", ""]);
  assert.equal((await ask(harness, "POST", "/v3")).headers.location, "/v3/");
});

test("what Go's server answers itself comes without the headers for pages", async (t) => {
  const harness = await start(t);
  const bad = await ask(harness, "GET", "/v3/kv/%zz");
  assert.deepEqual([bad.status, bad.text, corsOf(bad)], [400, "400 Bad Request", []]);
  const star = await ask(harness, "OPTIONS", "*");
  assert.deepEqual([star.status, star.text, corsOf(star)], [200, "", []]);
});

test("by default every answer says that pages of all origins may read it", async (t) => {
  const harness = await start(t);
  for (const [method, path] of [
    ["GET", "/nope"],
    ["POST", "/v3/kv/put"],
    ["GET", "//x"],
    ["OPTIONS", "/v3/kv/put"],
  ]) {
    const got = await ask(harness, method as string, path as string);
    assert.deepEqual(Object.fromEntries(corsOf(got) as [string, string][]), {
      ...corsHeaders,
      "access-control-allow-origin": "*",
    });
  }
});

test("with a list of origins only those are told so, and the others are served without", async (t) => {
  const harness = await start(t, { access: { corsOrigins: ["http://good.example:80"] } });
  const good = await ask(harness, "POST", "/v3/kv/put", { origin: "http://good.example:80" });
  assert.equal(good.headers["access-control-allow-origin"], "http://good.example:80");
  for (const headers of [{ origin: "http://good.example" }, {} as Record<string, string>]) {
    const got = await ask(harness, "POST", "/v3/kv/put", headers);
    assert.deepEqual(corsOf(got), []);
    assert.equal(got.status, 400);
  }
});

test("OPTIONS is answered 200 whatever it asks for, and nothing else runs", async (t) => {
  const harness = await start(t, { routes: [() => assert.fail("a route ran")] });
  for (const path of ["/v3/kv/put", "/nope", "//x", "*"]) {
    const got = await ask(harness, "OPTIONS", path);
    assert.deepEqual([got.status, got.text, got.headers["content-length"]], [200, "", "0"], path);
  }
});

test("in clear text only allowed hosts are served: the name without its port, exactly", async (t) => {
  const harness = await start(t, { access: { allowedHosts: ["good.example", "::1"] } });
  for (const host of ["good.example", "good.example:99", "[::1]:5", "[::1]", "::1"]) {
    assert.equal((await ask(harness, "POST", "/v3/kv/put", { host })).status, 400, host);
  }
  for (const host of ["evil.example", "GOOD.example", "good.example.evil.example", "127.0.0.1"]) {
    const got = await ask(harness, "OPTIONS", "/v3/kv/put", { host });
    assert.equal(got.status, 421, host);
    assert.deepEqual(corsOf(got), []);
    assert.match(got.text, new RegExp(`"${host}"[\\s\\S]*--host-whitelist`));
  }
  assert.equal(harness.counters.hostsRefused, 4);
  const named = await ask(harness, "GET", "http://evil.example/version", { host: "good.example" });
  assert.equal(named.status, 421, "the host in the target counts");
  const open = await start(t, { access: { allowedHosts: ["a", "*"] } });
  assert.equal((await ask(open, "POST", "/v3/kv/put", { host: "evil.example" })).status, 400);
  const secure = await start(t, { door: { serves: "all", secure: true }, access: { allowedHosts: ["a"] } });
  assert.equal((await ask(secure, "POST", "/v3/kv/put", { host: "evil.example" })).status, 400);
});

test("4.8: a named client certificate does not get to the gateway while authentication is on", async (t) => {
  let authEnabled = true;
  const access = { clientCertAuth: true, authEnabled: () => authEnabled };
  const door = { serves: "all", secure: true } as const;
  const harness = await start(t, { access, door, certificateName: "alice" });
  const got = await ask(harness, "POST", "/v3/kv/put");
  assert.equal(got.status, 400);
  assert.match(got.text, /^CommonName of client sending a request against gateway will be ignored/);
  assert.match((await ask(harness, "POST", "/v3beta/kv/put")).text, /^CommonName/);
  assert.equal((await ask(harness, "GET", "/nope")).status, 404);
  authEnabled = false;
  assert.match((await ask(harness, "POST", "/v3/kv/put")).text, /key is not provided/);
});

test("routes are offered in order what the gateway does not take; a metrics door has nothing else and no checks", async (t) => {
  const seen: string[] = [];
  const routes: Route[] = [
    ({ path }, door) => {
      seen.push(`${door.serves} ${path}`);
      return false;
    },
    (request) => {
      if (request.path !== "/page?q") return false;
      request.respond(200, [["x-page", "1"]], "page");
      return true;
    },
  ];
  const harness = await start(t, {
    routes,
    access: { allowedHosts: ["nobody"] },
    door: { serves: "metrics", secure: false },
  });
  const page = await ask(harness, "GET", "/page?q");
  assert.deepEqual([page.text, page.headers["x-page"], corsOf(page).length], ["page", "1", 0]);
  assert.equal((await ask(harness, "POST", "/v3/kv/put")).text, "404 page not found\n");
  assert.deepEqual(seen, ["metrics /page?q", "metrics /v3/kv/put"]);
  const all = await start(t, { routes, door: clearDoor });
  assert.equal((await ask(all, "GET", "/page?q")).headers["access-control-allow-origin"], "*");
  assert.equal((await ask(all, "POST", "/v3/kv/put")).status, 400);
  assert.deepEqual(seen.slice(2), ["all /page?q"]);
});

test("a route that throws is a bug: 500, and somebody is told", async (t) => {
  const bug = new Error("bug");
  const harness = await start(t, {
    routes: [
      () => {
        throw bug;
      },
    ],
  });
  assert.equal((await ask(harness, "GET", "/x")).status, 500);
  assert.deepEqual(harness.errors, [bug]);
});
