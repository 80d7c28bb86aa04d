// HTTP-1 to HTTP-3: the pages for operators.

import type { HttpAnswer, HttpRequest } from "../http.js";
import { eventually } from "../phrases.js";
import { script } from "../script.js";
import type { Session } from "../session.js";

const get = (s: Session, path: string, more: Partial<HttpRequest> = {}): Promise<HttpAnswer> =>
  s.http({ path, ...more });

/** Raises an alarm, or clears it. */
async function alarm(s: Session, action: "ACTIVATE" | "DEACTIVATE", alarm: "NOSPACE" | "CORRUPT"): Promise<void> {
  (await s.unary("etcdserverpb.Maintenance/Alarm", { action, alarm })).succeeds();
}

const healthy = '{"health":"true","reason":""}';
const unhealthy = (reason: string): string => `{"health":"false","reason":"${reason}"}\n`;

const versions = [
  script("HTTP-1", "the versions, once they are known", async (s) => {
    const unobserved = "the cluster agrees on its version in its own time";
    const ask = (): Promise<HttpAnswer> => get(s, "/version", { unobserved });
    await eventually(ask, ({ json }) => json.storage === "3.7.0");
    (await get(s, "/version")).shows(200, { etcdserver: "3.7.1", etcdcluster: "3.7.0", storage: "3.7.0" });
    for (const method of ["POST", "HEAD", "PUT", "DELETE", "PATCH"]) {
      s.equal((await get(s, "/version", { method, as: method })).status, 405);
    }
    s.equal((await get(s, "/version/")).status, 404);
    s.equal((await get(s, "/version?any=thing")).status, 200);
  }),
];

const health = [
  script("HTTP-2", "a server without alarms is healthy", async (s) => {
    for (const query of [
      "",
      "?serializable=true",
      "?serializable=false",
      "?serializable=x",
      "?exclude=NOSPACE",
      "?exclude=",
    ]) {
      (await get(s, `/health${query}`)).shows(200, healthy);
    }
    for (const method of ["POST", "HEAD", "PUT", "DELETE"]) {
      s.equal((await get(s, "/health", { method, as: method })).status, 405);
    }
    s.equal((await get(s, "/health/")).status, 404);
  }),
  script("HTTP-2", "an alarm makes it unhealthy, unless it is excluded", async (s) => {
    await alarm(s, "ACTIVATE", "NOSPACE");
    for (const query of ["", "?serializable=true", "?exclude=CORRUPT", "?exclude=nospace", "?exclude="]) {
      (await get(s, `/health${query}`)).shows(503, unhealthy("ALARM NOSPACE"));
    }
    for (const query of [
      "?exclude=NOSPACE",
      "?exclude=CORRUPT&exclude=NOSPACE",
      "?exclude=NOSPACE&serializable=true",
    ]) {
      (await get(s, `/health${query}`)).shows(200, healthy);
    }
    await alarm(s, "ACTIVATE", "CORRUPT");
    (await get(s, "/health?exclude=NOSPACE")).shows(503, unhealthy("ALARM CORRUPT"));
    (await get(s, "/health?exclude=CORRUPT")).shows(503, unhealthy("ALARM NOSPACE"));
    (await get(s, "/health?exclude=NOSPACE&exclude=CORRUPT")).shows(200, healthy);
    await alarm(s, "DEACTIVATE", "NOSPACE");
    (await get(s, "/health")).shows(503, unhealthy("ALARM CORRUPT"));
    await alarm(s, "DEACTIVATE", "CORRUPT");
    (await get(s, "/health")).shows(200, healthy);
  }),
  script("HTTP-2", "alarms of kinds without a name", async (s) => {
    (await s.unary("etcdserverpb.Maintenance/Alarm", { action: "ACTIVATE", alarm: 9 })).succeeds();
    (await get(s, "/health")).shows(503, unhealthy("ALARM UNKNOWN"));
    await get(s, "/health?exclude=9");
    await get(s, "/health?exclude=UNKNOWN");
    (await get(s, "/readyz")).shows(200, "ok\n");
  }),
];

const checks = {
  livez: ["serializable_read"],
  readyz: ["data_corruption", "serializable_read", "linearizable_read", "non_learner"],
} as const;

/** The lines of a page in alphabetical order; etcd's come in any. */
async function lines(s: Session, path: string): Promise<readonly string[]> {
  const answer = await get(s, path, { unobserved: "the order of the lines is free" });
  const sorted = answer.text.split("\n").sort();
  s.observe(path, { status: answer.status, headers: answer.headers as Record<string, string>, sorted });
  return sorted;
}

const probes = [
  script("HTTP-3", "livez and readyz of a server in order", async (s) => {
    for (const [page, names] of Object.entries(checks)) {
      (await get(s, `/${page}`)).shows(200, "ok\n");
      s.equal(
        (await lines(s, `/${page}?verbose`)).filter((line) => line !== ""),
        [...names.map((name) => `[+]${name} ok`), "ok"].sort(),
      );
      for (const name of names) {
        (await get(s, `/${page}/${name}`)).shows(200, "ok\n");
        (await get(s, `/${page}/${name}?verbose`)).shows(200, `[+]${name} ok\nok\n`);
        (await get(s, `/${page}/${name}?exclude=${name}&verbose`)).shows(200, /ok\n$/);
      }
      const [first = "", ...others] = names;
      await lines(s, `/${page}?verbose&exclude=${first}&x=y`);
      await lines(s, `/${page}?verbose=false`);
      await lines(s, `/${page}?verbose&exclude=${[first, ...others].join("&exclude=")}`);
      await lines(s, `/${page}?verbose&exclude=${names.join(",")},`);
      await lines(s, `/${page}?verbose&exclude=nobody`);
      s.equal((await get(s, `/${page}/nobody`)).status, 404);
      s.equal((await get(s, `/${page}/`)).status, 404);
      for (const method of ["POST", "HEAD", "DELETE"]) {
        s.equal((await get(s, `/${page}`, { method, as: `${method} ${page}` })).status, 405);
        s.equal((await get(s, `/${page}/${first}`, { method, as: `${method} ${first} of ${page}` })).status, 405);
      }
    }
    s.equal((await get(s, "/livez/linearizable_read")).status, 404);
  }),
  script("HTTP-3", "a corrupt store is alive, and not ready", async (s) => {
    await alarm(s, "ACTIVATE", "CORRUPT");
    (await get(s, "/livez")).shows(200, "ok\n");
    s.ok((await lines(s, "/readyz")).includes("[-]data_corruption failed: alarm activated: CORRUPT"), "it says why");
    await lines(s, "/readyz?verbose");
    (await get(s, "/readyz/data_corruption")).shows(503, /failed: alarm activated: CORRUPT/);
    (await get(s, "/readyz/serializable_read")).shows(200, "ok\n");
    (await get(s, "/readyz?exclude=data_corruption")).shows(200, "ok\n");
    await alarm(s, "DEACTIVATE", "CORRUPT");
    (await get(s, "/readyz")).shows(200, "ok\n");
  }),
  script("HTTP-3", "a store without space is ready", async (s) => {
    await alarm(s, "ACTIVATE", "NOSPACE");
    (await get(s, "/readyz")).shows(200, "ok\n");
    (await get(s, "/livez")).shows(200, "ok\n");
  }),
];

/** Names of metrics and their types. */
async function metricTypes(s: Session): Promise<ReadonlyMap<string, string>> {
  const { text } = await get(s, "/metrics", { unobserved: "the numbers are each server's own" });
  return new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => [name, type]));
}

/** Metrics of etcd's that dashboards and alerts are made of, and their types. */
const wellKnown: Readonly<Record<string, string>> = {
  etcd_server_has_leader: "gauge",
  etcd_server_is_leader: "gauge",
  etcd_server_leader_changes_seen_total: "counter",
  etcd_server_proposals_committed_total: "gauge",
  etcd_server_proposals_applied_total: "gauge",
  etcd_server_proposals_pending: "gauge",
  etcd_server_quota_backend_bytes: "gauge",
  etcd_server_health_success: "counter",
  etcd_server_health_failures: "counter",
  etcd_server_version: "gauge",
  etcd_mvcc_db_total_size_in_bytes: "gauge",
  etcd_mvcc_db_total_size_in_use_in_bytes: "gauge",
  etcd_debugging_mvcc_keys_total: "gauge",
  etcd_debugging_mvcc_watcher_total: "gauge",
  etcd_debugging_mvcc_watch_stream_total: "gauge",
  etcd_debugging_mvcc_current_revision: "gauge",
  etcd_debugging_mvcc_compact_revision: "gauge",
  etcd_mvcc_put_total: "counter",
  etcd_mvcc_delete_total: "counter",
  etcd_mvcc_txn_total: "counter",
  etcd_disk_wal_fsync_duration_seconds: "histogram",
  etcd_network_client_grpc_sent_bytes_total: "counter",
  etcd_network_client_grpc_received_bytes_total: "counter",
  grpc_server_started_total: "counter",
  grpc_server_handled_total: "counter",
  grpc_server_msg_received_total: "counter",
  grpc_server_msg_sent_total: "counter",
  process_open_fds: "gauge",
  process_max_fds: "gauge",
  process_resident_memory_bytes: "gauge",
  process_cpu_seconds_total: "counter",
  process_start_time_seconds: "gauge",
};

const metrics = [
  script("HTTP-3", "the metrics that dashboards are made of, and their types", async (s) => {
    await s.put("a", "v");
    await get(s, "/health");
    const types = await metricTypes(s);
    for (const [name, type] of Object.entries(wellKnown)) {
      if (types.has(name) || s.target === "etcd") {
        s.equal(`${name} ${types.get(name)}`, `${name} ${type}`);
      }
    }
    s.observe("types", Object.fromEntries(Object.keys(wellKnown).map((name) => [name, types.get(name) ?? "missing"])));
  }),
  script("HTTP-3", "who may read the metrics, and how", async (s) => {
    const unobserved = "the numbers are each server's own";
    const heads: [string, HttpRequest][] = [
      ["plain", { path: "/metrics" }],
      ["post", { path: "/metrics", method: "POST" }],
      ["query", { path: "/metrics?x=y" }],
      ["text asked for", { path: "/metrics", headers: { accept: "text/plain" } }],
      ["below", { path: "/metrics/x" }],
    ];
    for (const [name, request] of heads) {
      const { status, headers } = await s.http({ ...request, unobserved });
      s.observe(name, { status, headers: headers as Record<string, string> });
      s.equal(status, name === "below" ? 404 : 200);
    }
    (await get(s, "/metricsx")).shows(404, "404 page not found\n");
  }),
];

const elsewhere = [
  script("HTTP-3", "paths that nobody serves", async (s) => {
    for (const path of [
      "/",
      "/nobody",
      "/v2/keys",
      "/v3alpha/kv/range",
      "/debug",
      "/debug/",
      "/healthz",
      "/HEALTH",
      "/%2e",
    ]) {
      (await get(s, path)).shows(404, "404 page not found\n");
    }
    for (const path of ["//health", "/x/../health", "/./health", "/debug/pprof/", "/debug/vars/"]) {
      await get(s, path);
    }
    (await get(s, "/nobody", { method: "POST", body: "x", as: "posted" })).shows(404, "404 page not found\n");
    const { status, headers } = await get(s, "/debug/vars", { unobserved: "the variables are each process's own" });
    s.observe("/debug/vars", { status, headers: headers as Record<string, string> });
    s.equal(status, 200);
  }),
];

/** The scripts of this section. */
export const scripts = [...versions, ...health, ...probes, ...metrics, ...elsewhere];
