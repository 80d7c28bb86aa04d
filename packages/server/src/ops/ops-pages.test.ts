import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type AlarmMember, AlarmType } from "@holdfast/protocol";
import { newHttpCounters } from "../http/counters.js";
import { newNetCounters } from "../net/counters.js";
import { ask, type PageAnswer } from "../testing/pages.js";
import { Services } from "../testing/services.js";
import { commandLine } from "./debug-vars.js";
import { opsRoutes } from "./ops-routes.js";
import type { Route } from "./route.js";

const text = ["content-type: text/plain; charset=utf-8", "x-content-type-options: nosniff"];
const ok: PageAnswer = { status: 200, headers: text, body: "ok\n" };
const nospace: AlarmMember = { memberId: 8n, alarm: AlarmType.NOSPACE };
const corrupt: AlarmMember = { memberId: 7n, alarm: AlarmType.CORRUPT };

interface Started {
  readonly services: Services;
  readonly routes: readonly Route[];
}

async function start(context: TestContext, ...alarms: readonly AlarmMember[]): Promise<Started> {
  const services = await Services.start(context);
  for (const { memberId, alarm } of alarms) {
    const done = new Promise((settled) => {
      const proposer = { settled, failed: settled };
      services.replica.proposeInternal({ kind: "alarm", action: "activate", memberId, alarm }, proposer);
    });
    await done;
  }
  const routes = opsRoutes({
    context: services.context,
    grpc: services.grpc,
    http: newHttpCounters(),
    net: newNetCounters(),
    logMeter: undefined,
    callDurations: undefined,
  });
  return { services, routes };
}

test("HTTP-1: /version names the server, the cluster and the storage", async (context) => {
  const { routes } = await start(context);
  assert.deepEqual(await ask(routes, "/version"), {
    status: 200,
    headers: ["content-type: application/json"],
    body: '{"etcdserver":"3.7.1","etcdcluster":"3.7.0","storage":"3.7.0"}',
  });
});

test("HTTP-2: /health is one line of JSON", async (context) => {
  const { routes } = await start(context);
  const healthy = { status: 200, headers: text.slice(0, 1), body: '{"health":"true","reason":""}' };
  for (const query of ["", "?serializable=true", "?exclude=NOSPACE"]) {
    assert.deepEqual(await ask(routes, `/health${query}`), healthy, query);
  }
});

test("HTTP-2: /health tells of an alarm unless the request passes over it, in etcd's spelling", async (context) => {
  const one = await start(context, nospace);
  const body = '{"health":"false","reason":"ALARM NOSPACE"}\n';
  assert.deepEqual(await ask(one.routes, "/health"), { status: 503, headers: text, body });
  for (const query of [
    "?exclude=CORRUPT",
    "?exclude=nospace",
    "?exclude=",
    "?exclude=NOSPACE,CORRUPT",
    "?exclude=NOSPACE;",
  ]) {
    assert.equal((await ask(one.routes, `/health${query}`))?.status, 503, query);
  }
  assert.equal((await ask(one.routes, "/health?exclude=NOSPACE"))?.status, 200);
  const two = await start(context, corrupt, nospace);
  assert.equal((await ask(two.routes, "/health"))?.body, body);
  const reason = '{"health":"false","reason":"ALARM CORRUPT"}\n';
  assert.equal((await ask(two.routes, "/health?exclude=NOSPACE"))?.body, reason);
  assert.equal((await ask(two.routes, "/health?exclude=NOSPACE&exclude=CORRUPT"))?.status, 200);
  const nameless = await start(context, { memberId: 7n, alarm: 9 as AlarmType });
  const unknown = '{"health":"false","reason":"ALARM UNKNOWN"}\n';
  assert.equal((await ask(nameless.routes, "/health?exclude=UNKNOWN"))?.body, unknown);
  assert.equal((await ask(nameless.routes, "/health?exclude=9"))?.status, 200);
});

test("HTTP-2: /health of a replica that has stopped says so", async (context) => {
  const { routes, services } = await start(context);
  await services.replica.close();
  const body = '{"health":"false","reason":"RANGE ERROR:etcdserver: server stopped"}\n';
  for (const query of ["", "?serializable=true"]) {
    assert.deepEqual(await ask(routes, `/health${query}`), { status: 503, headers: text, body });
  }
});

test("HTTP-3: /livez and /readyz say ok, and with ?verbose what they looked at", async (context) => {
  const { routes } = await start(context);
  assert.deepEqual(await ask(routes, "/livez"), ok);
  assert.deepEqual(await ask(routes, "/%6civez"), ok);
  assert.deepEqual(await ask(routes, "/readyz"), ok);
  assert.equal((await ask(routes, "/livez?verbose"))?.body, "[+]serializable_read ok\nok\n");
  assert.equal((await ask(routes, "/livez?%76erbose=false"))?.body, "[+]serializable_read ok\nok\n");
  assert.deepEqual(await ask(routes, "/livez?VERBOSE"), ok);
  assert.equal(
    (await ask(routes, "/readyz?verbose"))?.body,
    "[+]data_corruption ok\n[+]serializable_read ok\n[+]linearizable_read ok\n[+]non_learner ok\nok\n",
  );
});

test("HTTP-3: ?exclude leaves checks out, also all of them, and names nobody knows are ignored", async (context) => {
  const { routes } = await start(context, corrupt);
  assert.deepEqual(await ask(routes, "/livez?exclude=serializable_read&verbose"), ok);
  assert.equal((await ask(routes, "/livez?exclude=nope&verbose"))?.body, "[+]serializable_read ok\nok\n");
  assert.deepEqual(await ask(routes, "/readyz?exclude=data_corruption"), ok);
  const query = "verbose&exclude=non_learner&exclude=data_corruption";
  assert.equal((await ask(routes, `/readyz?${query}`))?.body, "[+]serializable_read ok\n[+]linearizable_read ok\nok\n");
});

test("HTTP-3: each check has a path of its own, where ?exclude means nothing", async (context) => {
  const { routes } = await start(context, corrupt);
  for (const path of [
    "livez/serializable_read",
    "readyz/serializable_read",
    "readyz/linearizable_read",
    "readyz/non_learner",
  ]) {
    assert.deepEqual(await ask(routes, `/${path}`), ok, path);
  }
  const failed = { status: 503, headers: text, body: "[-]data_corruption failed: alarm activated: CORRUPT\n\n" };
  assert.deepEqual(await ask(routes, "/readyz/data_corruption?exclude=data_corruption"), failed);
  for (const path of [
    "/livez/",
    "/livez/nope",
    "/livez/data_corruption",
    "/readyz/non_learner/",
    "/health/",
    "/version/",
  ]) {
    assert.equal(await ask(routes, path), undefined, path);
  }
});

test("HTTP-3: a failed check shows all lines and a further line feed, with ?verbose and without", async (context) => {
  const { routes } = await start(context, corrupt);
  const body =
    "[-]data_corruption failed: alarm activated: CORRUPT\n[+]serializable_read ok\n[+]linearizable_read ok\n[+]non_learner ok\n\n";
  assert.deepEqual(await ask(routes, "/readyz"), { status: 503, headers: text, body });
  assert.deepEqual(await ask(routes, "/readyz?verbose"), { status: 503, headers: text, body });
  assert.deepEqual(await ask(routes, "/livez"), ok);
});

test("HTTP-3: the checks read: of a replica that has stopped they fail", async (context) => {
  const { routes, services } = await start(context);
  await services.replica.close();
  const body = "[-]serializable_read failed: etcdserver: server stopped\n\n";
  assert.deepEqual(await ask(routes, "/livez"), { status: 503, headers: text, body });
  assert.equal((await ask(routes, "/readyz/linearizable_read"))?.status, 503);
});

test("HTTP-3: a read that does not come to an end fails the check after a while, and once", async (context) => {
  const { routes, services } = await start(context);
  const late: Array<() => void> = [];
  services.replica.whenCurrent = (read) => void late.push(read);
  const readiness = ask(routes, "/readyz/linearizable_read");
  const health = ask(routes, "/health");
  assert.deepEqual(await ask(routes, "/livez"), ok);
  services.time.advance(7_000);
  assert.equal((await readiness)?.body, "[-]linearizable_read failed: context deadline exceeded\n\n");
  assert.equal((await health)?.body, '{"health":"false","reason":"RANGE ERROR:context deadline exceeded"}\n');
  for (const read of late) read();
  assert.match((await ask(routes, "/metrics"))?.body ?? "", /^etcd_server_health_failures 1$/m);
});

test("HTTP-2, HTTP-3: other verbs are refused with the one that is allowed", async (context) => {
  const { routes } = await start(context);
  const refused = { status: 405, headers: ["allow: GET", ...text], body: "Method Not Allowed\n" };
  for (const path of ["/health", "/livez", "/readyz/non_learner", "/version", "/debug/vars"]) {
    for (const method of ["POST", "HEAD", "PUT"]) assert.deepEqual(await ask(routes, path, { method }), refused, path);
  }
  assert.equal((await ask(routes, "/metrics", { method: "POST" }))?.status, 200);
});

test("addresses for monitoring serve health and metrics only", async (context) => {
  const { routes } = await start(context);
  for (const path of ["/health", "/livez", "/readyz/non_learner", "/metrics"]) {
    assert.equal((await ask(routes, path, { serves: "metrics" }))?.status, 200, path);
  }
  for (const path of ["/version", "/debug/vars"]) {
    assert.equal(await ask(routes, path, { serves: "metrics" }), undefined, path);
    assert.equal((await ask(routes, path, { serves: "http" }))?.status, 200, path);
  }
});

test("/debug/vars is an object with a line for each variable", async (context) => {
  const { routes } = await start(context);
  const answer = await ask(routes, "/debug/vars");
  assert.deepEqual(answer?.headers, ["content-type: application/json; charset=utf-8"]);
  const variables = JSON.parse(answer?.body ?? "") as Record<string, Record<string, unknown>>;
  assert.deepEqual(variables["raft.status"]?.id, "8");
  assert.equal(variables["raft.status"]?.raftState, "StateLeader");
  assert.ok(Number(variables.memstats?.HeapAlloc) > 0);
  assert.match(answer?.body ?? "", /^\{\n"cmdline": \[.*\],\n(.+,\n)+"raft\.status": \{.*\}\n\}\n$/);
});

test("/debug/vars shows which options were given and none of their values", () => {
  const given = [
    "node",
    "/bin/holdfast",
    "serve",
    "--auth-token=jwt,sign-key=s3cret",
    "--name",
    "s3cret",
    "-ps3cret",
    "s3cret",
  ];
  assert.deepEqual(commandLine(given), ["/bin/holdfast", "--auth-token", "--name"]);
});
