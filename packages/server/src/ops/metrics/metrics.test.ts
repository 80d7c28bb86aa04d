import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { kvService } from "@holdfast/protocol";
import { newCounters, type TransportCounters } from "@holdfast/transport";
import { type HttpCounters, newHttpCounters } from "../../http/counters.js";
import { type NetCounters, newNetCounters } from "../../net/counters.js";
import { etcdMetrics } from "../../testing/etcd-metrics.js";
import { type Family, readExposition } from "../../testing/exposition.js";
import { ask } from "../../testing/pages.js";
import { Services } from "../../testing/services.js";
import { LogMeter } from "../log-meter.js";
import { opsRoutes } from "../ops-routes.js";
import type { OpsSources } from "../ops-sources.js";
import type { Route } from "../route.js";
import { CallDurations } from "./call-durations.js";
import { httpMetricName, netMetricName, transportMetricName } from "./transport-metrics.js";

interface Started {
  readonly services: Services;
  readonly routes: readonly Route[];
}

async function start(context: TestContext, sources: Partial<OpsSources> = {}): Promise<Started> {
  const services = await Services.start(context);
  const counters = { http: newHttpCounters(), net: newNetCounters() };
  const base = { context: services.context, grpc: services.grpc, ...counters };
  return { services, routes: opsRoutes({ ...base, logMeter: undefined, callDurations: undefined, ...sources }) };
}

async function scrape(routes: readonly Route[]): Promise<Map<string, Family>> {
  return readExposition((await ask(routes, "/metrics"))?.body ?? "");
}

function valueAt(families: Map<string, Family>, sample: string): number | undefined {
  return families.get(sample.replace(/\{.*/, ""))?.samples.get(sample);
}

/** The same counters, each with another value. */
function numbered<T extends object>(counters: T): T {
  return Object.fromEntries(Object.keys(counters).map((name, at) => [name, at + 1])) as T;
}

function labelNames({ samples }: Family): string[] {
  const names = [...samples.keys()].flatMap((sample) =>
    [...sample.matchAll(/([a-z_]+)="/g)].map(([, name = ""]) => name),
  );
  return [...new Set(names)].filter((name) => name !== "le" && name !== "quantile").sort();
}

test("HTTP-3: /metrics is Prometheus text, under etcd's content type", async (context) => {
  const { routes } = await start(context);
  const answer = await ask(routes, "/metrics");
  assert.equal(answer?.status, 200);
  assert.deepEqual(answer?.headers, ["content-type: text/plain; version=0.0.4; charset=utf-8; escaping=underscores"]);
  const families = readExposition(answer?.body ?? "");
  assert.equal(valueAt(families, "etcd_server_has_leader"), 1);
  assert.equal(valueAt(families, 'etcd_server_version{server_version="3.7.1"}'), 1);
  assert.equal(valueAt(families, 'etcd_server_id{server_id="8"}'), 1);
  assert.equal(valueAt(families, "etcd_server_quota_backend_bytes"), 2 ** 31);
  assert.equal(valueAt(families, 'holdfast_alarms{alarm_type="CORRUPT"}'), 0);
  assert.ok((valueAt(families, "process_resident_memory_bytes") ?? 0) > 0);
  assert.ok((valueAt(families, "process_cpu_seconds_total") ?? 0) > 0.01);
});

test("metrics of etcd's names have etcd's types and labels, and no other name claims to be etcd's", async (context) => {
  const { routes } = await start(context, { logMeter: new LogMeter(), callDurations: new CallDurations() });
  await ask(routes, "/readyz");
  let shared = 0;
  for (const [name, family] of await scrape(routes)) {
    const [type, ...labels] = etcdMetrics[name] ?? [];
    if (type === undefined) {
      assert.match(name, /^(holdfast|nodejs|process)_/, name);
      continue;
    }
    shared++;
    assert.equal(family.type, type, name);
    assert.deepEqual(labelNames(family), labels, name);
  }
  assert.ok(shared > 40, `${shared} names shared with etcd`);
});

test("F25 to F44: every counter of the transport is shown", async (context) => {
  const { routes, services } = await start(context);
  const families = await scrape(routes);
  for (const counter of Object.keys(newCounters()) as (keyof TransportCounters)[]) {
    const name = transportMetricName(counter);
    assert.equal(families.get(name)?.type, "counter", name);
    assert.equal(valueAt(families, name), services.grpc.counters[counter], name);
  }
});

test("F25 to F44: every counter of the listeners, HTTP/1.1 and the gateway is shown", async (context) => {
  const http = numbered(newHttpCounters());
  const net = numbered(newNetCounters());
  const families = await scrape((await start(context, { http, net })).routes);
  for (const counter of Object.keys(http) as (keyof HttpCounters)[]) {
    assert.equal(valueAt(families, httpMetricName(counter)), http[counter], counter);
  }
  for (const counter of Object.keys(net) as (keyof NetCounters)[]) {
    assert.equal(valueAt(families, netMetricName(counter)), net[counter], counter);
  }
});

test("calls and messages are counted by method, every status from the start", async (context) => {
  const { routes, services } = await start(context);
  const put = 'grpc_type="unary",grpc_service="etcdserverpb.KV",grpc_method="Put"';
  const before = await scrape(routes);
  assert.equal(valueAt(before, `grpc_server_handled_total{${put},grpc_code="OK"}`), 0);
  assert.equal(valueAt(before, `grpc_server_handled_total{${put},grpc_code="Unauthenticated"}`), 0);
  const client = await services.connect();
  const { path } = kvService.methods.put;
  const keyIsK = Buffer.from("\x0a\x01k");
  await client.unary(path, keyIsK);
  await assert.rejects(client.unary(path, new Uint8Array(0)), { message: /key is not provided/ });
  const after = await scrape(routes);
  assert.equal(valueAt(after, `grpc_server_started_total{${put}}`), 2);
  assert.equal(valueAt(after, `grpc_server_handled_total{${put},grpc_code="OK"}`), 1);
  assert.equal(valueAt(after, `grpc_server_handled_total{${put},grpc_code="InvalidArgument"}`), 1);
  assert.equal(valueAt(after, `grpc_server_msg_received_total{${put}}`), 2);
  assert.equal(valueAt(after, `grpc_server_msg_sent_total{${put}}`), 1);
  assert.equal(valueAt(after, "etcd_network_client_grpc_received_bytes_total"), keyIsK.length);
  assert.equal(valueAt(after, "etcd_debugging_mvcc_current_revision"), 2);
  assert.equal(valueAt(after, "etcd_debugging_mvcc_keys_total"), 1);
});

test("histograms are cumulative and end with all of their values", async (context) => {
  const logMeter = new LogMeter();
  const { routes } = await start(context, { logMeter });
  for (const seconds of [0.0005, 0.0015, 0.0015, 100]) logMeter.appendSeconds.observe(seconds);
  const families = await scrape(routes);
  const name = "etcd_disk_wal_fsync_duration_seconds";
  const { type, samples } = families.get(name) as Family;
  assert.equal(type, "histogram");
  assert.deepEqual(
    ["0.001", "0.002", "8.192", "+Inf"].map((le) => samples.get(`${name}_bucket{le="${le}"}`)),
    [1, 3, 3, 4],
  );
  assert.deepEqual([samples.get(`${name}_count`), samples.get(`${name}_sum`)], [4, 100.0035]);
});

test("without a disk there are no metrics of one, and call durations only where asked for", async (context) => {
  const bare = await scrape((await start(context)).routes);
  assert.equal(bare.has("etcd_disk_wal_fsync_duration_seconds"), false);
  assert.equal(bare.has("grpc_server_handling_seconds"), false);
  const callDurations = new CallDurations();
  const asked = await start(context, { callDurations });
  callDurations.observe("/etcdserverpb.KV/Put", 20);
  const put = 'grpc_type="unary",grpc_service="etcdserverpb.KV",grpc_method="Put"';
  const families = await scrape(asked.routes);
  assert.equal(
    families.get("grpc_server_handling_seconds")?.samples.get(`grpc_server_handling_seconds_sum{${put}}`),
    0.02,
  );
});

test("a scrape is compressed for those who take it", async (context) => {
  const { routes } = await start(context);
  const zipped = await ask(routes, "/metrics", { headers: [["accept-encoding", "deflate, gzip;q=0.5"]] });
  assert.equal(zipped?.headers[0], "content-encoding: gzip");
  assert.ok(readExposition(gunzipSync(Buffer.from(zipped?.body ?? "", "latin1")).toString()).size > 60);
  for (const value of ["identity", "gzip;q=0", "xgzip"]) {
    const plain = await ask(routes, "/metrics", { headers: [["accept-encoding", value]] });
    assert.ok(plain?.body.startsWith("# HELP "), value);
  }
});

test("every metric of ours is explained in docs/metrics.md, and nothing else is", async (context) => {
  const { routes } = await start(context, { logMeter: new LogMeter(), callDurations: new CallDurations() });
  const text = readFileSync(new URL("../../../../../docs/metrics.md", import.meta.url), "utf8");
  const explained = new Map(
    [...text.matchAll(/^\| `([a-z0-9_]+)` \| (\w+) \|/gm)].map(([, name, type]) => [name, type]),
  );
  const ours = [...(await scrape(routes))].filter(([name]) => !/^(process|nodejs)_/.test(name));
  assert.deepEqual([...explained].sort(), ours.map(([name, { type }]) => [name, type]).sort());
});
