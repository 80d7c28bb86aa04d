/** What somebody moves over from etcd: its command line, its variables, its config file. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Command, CommanderError } from "commander";
import { normalizeArguments } from "./command-line.js";
import { isEtcdOnly } from "./etcd-only.js";
import { leaseTtlMinSeconds } from "./server-settings.js";
import { addServeOptions, type ServeSettings, serveSettings } from "./settings.js";
import { UsageError } from "./usage-error.js";

const folder = mkdtempSync(join(tmpdir(), "holdfast-etcd-settings-"));
after(() => rmSync(folder, { recursive: true }));

function settings(args: readonly string[], environment: NodeJS.ProcessEnv = {}): ServeSettings {
  const command = addServeOptions(new Command("serve"))
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  const line = normalizeArguments(args);
  command.parse([...line.args], { from: "user" });
  return serveSettings(command, line.ignored, environment);
}

function withFile(text: string): ServeSettings {
  const file = join(folder, "etcd.yaml");
  writeFileSync(file, text);
  return settings(["--config-file", file]);
}

/** Every flag of etcd 3.7.1, as its own help lists them, without those that only print something. */
const etcdFlags =
  "advertise-client-urls auth-token auth-token-ttl auto-compaction-mode auto-compaction-retention auto-tls backend-batch-interval backend-batch-limit backend-bbolt-freelist-type bcrypt-cost bootstrap-defrag-threshold-megabytes cert-file cipher-suites client-cert-allowed-hostname client-cert-auth client-cert-file client-crl-file client-key-file compact-hash-check-time compaction-batch-limit compaction-sleep-interval corrupt-check-time cors data-dir discovery discovery-cacert discovery-cert discovery-dial-timeout discovery-endpoints discovery-fallback discovery-insecure-skip-tls-verify discovery-insecure-transport discovery-keepalive-time discovery-keepalive-timeout discovery-key discovery-password discovery-proxy discovery-request-timeout discovery-srv discovery-srv-name discovery-token discovery-user distributed-tracing-address distributed-tracing-instance-id distributed-tracing-sampling-rate distributed-tracing-service-name downgrade-check-time election-timeout enable-distributed-tracing enable-grpc-gateway enable-log-rotation enable-pprof feature-gates force-new-cluster grpc-keepalive-interval grpc-keepalive-min-time grpc-keepalive-timeout heartbeat-interval host-whitelist initial-advertise-peer-urls initial-cluster initial-cluster-state initial-cluster-token initial-election-tick-advance key-file listen-client-http-urls listen-client-urls listen-metrics-urls listen-peer-urls log-format log-level log-outputs log-rotation-config-json logger max-concurrent-streams max-learners max-request-bytes max-snapshots max-txn-ops max-wals memory-mlock metrics name peer-auto-tls peer-cert-allowed-cn peer-cert-allowed-hostname peer-cert-file peer-client-cert-auth peer-client-cert-file peer-client-key-file peer-crl-file peer-key-file peer-skip-client-san-verification peer-trusted-ca-file pre-vote quota-backend-bytes raft-read-timeout raft-write-timeout self-signed-cert-validity snapshot-catchup-entries snapshot-count socket-reuse-address socket-reuse-port strict-reconfig-check tls-max-version tls-min-version trusted-ca-file unsafe-no-fsync v2-deprecation wal-dir warning-apply-duration warning-unary-request-duration watch-progress-notify-interval ";

/** A value that each flag accepts; "1" for all others. */
const values: Readonly<Record<string, string>> = {
  "auth-token": "simple",
  "auto-compaction-mode": "revision",
  "bcrypt-cost": "10",
  "cert-file": "c.pem",
  "election-timeout": "1000",
  "grpc-keepalive-interval": "2h",
  "grpc-keepalive-min-time": "5s",
  "grpc-keepalive-timeout": "20s",
  "listen-client-urls": "http://127.0.0.1:2379",
  "log-format": "console",
  "log-level": "panic",
  metrics: "basic",
  "tls-max-version": "TLS1.3",
  "tls-min-version": "TLS1.2",
  "watch-progress-notify-interval": "5s",
  "key-file": "k.pem",
  "config-file": "",
  discovery: "",
  "discovery-token": "",
  "discovery-endpoints": "",
  "discovery-srv": "",
};

const certificate = ["--cert-file=c.pem", "--key-file=k.pem"];
/** What some flags are of no use without. */
const partners: Readonly<Record<string, readonly string[]>> = {
  "cert-file": ["--key-file=k.pem"],
  "key-file": ["--cert-file=c.pem"],
  "client-cert-auth": [...certificate, "--trusted-ca-file=ca.pem"],
  "trusted-ca-file": certificate,
  "client-crl-file": certificate,
  "client-cert-allowed-hostname": certificate,
};

test("every flag of etcd is a setting or is known to mean nothing here", () => {
  const flags = etcdFlags.trim().split(" ");
  assert.ok(flags.length > 100);
  for (const flag of flags.filter((name) => !["version", "config-file"].includes(name))) {
    const others = partners[flag] ?? [];
    const found = settings([`--${flag}=${values[flag] ?? "1"}`, ...others]);
    assert.deepEqual(found.ignored, isEtcdOnly(flag) ? [`--${flag}`] : [], flag);
  }
});

test("a whole command line of etcd becomes options of the server", () => {
  const line = `-name m1 --data-dir=/tmp/d --listen-client-urls https://127.0.0.1:1,unixs:/s --advertise-client-urls https://a:1
    --listen-peer-urls https://127.0.0.1:2 --initial-cluster m1=https://127.0.0.1:2 --initial-cluster-state new
    --cert-file c.pem --key-file k.pem --client-cert-auth --trusted-ca-file ca.pem --client-cert-allowed-hostname x,y
    --quota-backend-bytes 8589934592 --auto-compaction-mode=revision --auto-compaction-retention=1000
    --max-txn-ops 1024 --max-request-bytes 10485760 --auth-token jwt,pub-key=p,priv-key=q,sign-method=RS256,ttl=10m
    --watch-progress-notify-interval 5s --heartbeat-interval 250 --election-timeout 2500 --snapshot-count 5 --pre-vote=false
    --cors https://x --host-whitelist a,b --metrics extensive --enable-grpc-gateway=false --max-concurrent-streams 5
    --grpc-keepalive-min-time 1m30s --grpc-keepalive-interval 0 --logger zap --log-outputs stderr`;
  const { server, dataDir, ignored, logOutputs } = settings(line.split(/\s+/));
  assert.equal(dataDir, "/tmp/d");
  assert.deepEqual(logOutputs, ["stderr"]);
  assert.deepEqual(ignored, [
    "--listen-peer-urls",
    "--initial-cluster",
    "--initial-cluster-state",
    "--snapshot-count",
    "--pre-vote",
    "--logger",
  ]);
  assert.equal(server.name, "m1");
  assert.deepEqual(server.listen, ["https://127.0.0.1:1", "unixs:/s"]);
  assert.deepEqual(server.advertise, ["https://a:1"]);
  assert.deepEqual(server.tls, {
    certFile: "c.pem",
    keyFile: "k.pem",
    autoTls: false,
    selfSignedValidityYears: 1,
    trustedCaFile: "ca.pem",
    clientCertAuth: true,
    allowedHostnames: ["x", "y"],
    minVersion: "TLS1.2",
  });
  assert.equal(server.quotaBytes, 8_589_934_592);
  assert.deepEqual(server.autoCompaction, { mode: "revision", retentionRevisions: 1_000 });
  assert.deepEqual(server.auth, {
    token: { signMethod: "RS256", publicKeyFile: "p", privateKeyFile: "q", ttlSeconds: 600 },
    tokenTtlSeconds: 300,
    passwordCost: 10,
  });
  assert.deepEqual(server.http, {
    gateway: false,
    corsOrigins: ["https://x"],
    allowedHosts: ["a", "b"],
    metrics: "extensive",
  });
  assert.deepEqual(server.serviceLimits, {
    requestBytes: 10_485_760,
    transactionOperations: 1_024,
    leaseTtlMinSeconds: 4,
    watchFragmentBytes: 10_485_760 + 524_288,
    watchProgressIntervalMs: 5_000,
  });
  assert.deepEqual(server.transportLimits, {
    messageBytesMax: 10_485_760 + 524_288,
    streamsPerConnectionMax: 5,
    pingFloorMs: 90_000,
    keepaliveIdleMs: 2 ** 31 - 1,
  });
});

test("LEASE-6: the shortest lease follows from heartbeat and election timeout", () => {
  assert.equal(leaseTtlMinSeconds(100, 1_000), 2);
  assert.equal(leaseTtlMinSeconds(100, 500), 1);
  assert.equal(leaseTtlMinSeconds(300, 2_000), 3);
  assert.throws(() => leaseTtlMinSeconds(500, 1_000), UsageError);
});

test("LIM-6: a bare periodic retention counts hours, and 0 is never", () => {
  const of = (...args: string[]): unknown => settings(args).server.autoCompaction;
  assert.equal(of(), undefined);
  assert.equal(of("--auto-compaction-retention", "0"), undefined);
  assert.equal(of("--auto-compaction-mode", "revision"), undefined);
  assert.deepEqual(of("--auto-compaction-retention", "1"), { mode: "periodic", retentionMs: 3_600_000 });
  assert.deepEqual(of("--auto-compaction-retention", "5m"), { mode: "periodic", retentionMs: 300_000 });
  assert.throws(() => of("--auto-compaction-mode", "revision", "--auto-compaction-retention", "5m"), UsageError);
});

test("MAINT-6: a quota of 0 is the default, a negative one none", () => {
  assert.equal(settings([]).server.quotaBytes, undefined);
  assert.equal(settings(["--quota-backend-bytes", "-1"]).server.quotaBytes, -1);
  assert.equal(settings(["--quota-backend-bytes=16777216"]).server.quotaBytes, 16_777_216);
});

test("etcd's variables count, below ours; an empty one is none", () => {
  const found = settings([], {
    ETCD_NAME: "from-etcd",
    HOLDFAST_LOG_LEVEL: "warn",
    ETCD_LISTEN_CLIENT_URLS: "http://127.0.0.1:5",
    ETCD_LISTEN_PEER_URLS: "http://127.0.0.1:6",
    ETCD_QUOTA_BACKEND_BYTES: "",
    ETCD_PORT: "tcp://10.0.0.1:2379",
    ETCDCTL_API: "3",
  });
  assert.equal(found.server.name, "from-etcd");
  assert.deepEqual(found.server.listen, ["http://127.0.0.1:5"]);
  assert.deepEqual(found.ignored, ["ETCD_LISTEN_PEER_URLS"]);
  assert.deepEqual(found.unknownVariables, ["ETCD_PORT"]);
  assert.equal(settings(["--name", "flag"], { ETCD_NAME: "variable" }).server.name, "flag");
  assert.throws(
    () => settings([], { ETCD_MAX_TXN_OPS: "many" }),
    /ETCD_MAX_TXN_OPS "many" is invalid: want a whole number/,
  );
});

test("I13: that clear text to other machines is meant is said by a flag, a variable or the file, and by nothing else", () => {
  const said = [
    settings(["--allow-insecure-listen"]),
    settings([], { ETCD_ALLOW_INSECURE_LISTEN: "true" }),
    withFile("allow-insecure-listen: true\n"),
  ];
  for (const { server } of said) assert.equal(server.allowInsecureListen, true);
  for (const line of [[], ["--listen-client-urls", "http://0.0.0.0:2379"], ["--allow-insecure-listen=false"]])
    assert.equal(settings(line).server.allowInsecureListen, false);
});

test("a HOLDFAST_ variable that no setting has is named", () => {
  assert.deepEqual(settings([], { HOLDFAST_DATADIR: "x" }).unknownVariables, ["HOLDFAST_DATADIR"]);
});

test("a config file of etcd is read as it is", () => {
  const { server, ignored } = withFile(`
name: from-file
listen-client-urls: https://127.0.0.1:1
watch-progress-notify-interval: 600000000000
grpc-keepalive-min-time: 5000000000
initial-cluster: from-file=http://localhost:2380
snapshot-count: 10000
strict-reconfig-check: false
cors:
client-transport-security:
  cert-file: c.pem
  key-file: k.pem
  client-cert-auth: true
  trusted-ca-file: ca.pem
  auto-tls: false
  client-cert-allowed-hostnames: [x, y]
peer-transport-security:
  cert-file: p.pem
`);
  assert.equal(server.name, "from-file");
  assert.equal(server.serviceLimits?.watchProgressIntervalMs, 600_000);
  assert.equal(server.transportLimits?.pingFloorMs, 5_000);
  assert.deepEqual(server.http?.corsOrigins, []);
  assert.equal(server.tls?.clientCertAuth, true);
  assert.deepEqual(server.tls?.allowedHostnames, ["x", "y"]);
  assert.deepEqual(ignored, ["initial-cluster", "snapshot-count", "strict-reconfig-check", "peer-transport-security"]);
  assert.throws(() => withFile("client-transport-security:\n  cert-fiel: x\n"), /unknown setting "cert-fiel"/);
});

test("flags that older versions of etcd had are taken like their successors, wherever they stand", () => {
  const line = ["--experimental-initial-corrupt-check=true", "--experimental-watch-progress-notify-interval=5s"];
  const { server, ignored } = settings(line, { ETCD_EXPERIMENTAL_CORRUPT_CHECK_TIME: "1m" });
  assert.equal(server.serviceLimits?.watchProgressIntervalMs, 5_000);
  assert.deepEqual(ignored, ["--experimental-initial-corrupt-check", "ETCD_EXPERIMENTAL_CORRUPT_CHECK_TIME"]);
  const file = withFile("experimental-initial-corrupt-check: true\n");
  assert.deepEqual(file.ignored, ["experimental-initial-corrupt-check"]);
});

test("flags that nobody knows are refused", () => {
  assert.throws(() => settings(["--listen-peer-url", "x"]), CommanderError);
  assert.throws(() => settings(["--experimental-time-travel", "1m"]), CommanderError);
  assert.throws(() => settings(["--snapshot-count"]), UsageError);
});

test("a cluster of several members is refused: each would be a cluster of its own", () => {
  const several = "a=http://x:1,b=http://y:1";
  assert.throws(() => settings(["--initial-cluster", several]), /names several members/);
  assert.throws(() => settings([], { ETCD_INITIAL_CLUSTER: several }), /^.*ETCD_INITIAL_CLUSTER: .*several members/);
  assert.throws(() => withFile(`initial-cluster: ${several}`), UsageError);
  assert.throws(() => settings(["--discovery", "http://x"]), UsageError);
  assert.throws(() => settings(["--initial-cluster-state=existing"]), UsageError);
});

test("settings that contradict each other are refused", () => {
  for (const args of [
    ["--cert-file", "c"],
    ["--trusted-ca-file", "ca.pem"],
    ["--client-cert-auth", "--trusted-ca-file", "ca.pem"],
    ["--client-crl-file", "crl.pem"],
    ["--client-cert-allowed-cn", "root"],
    ["--client-cert-allowed-hostname", "host"],
    ["--client-cert-auth", "--cert-file", "c", "--key-file", "k"],
    ["--auth-token", "oauth"],
    ["--auth-token", "jwt"],
    ["--auth-token", "jwt,sign-method=RS256,secret=x"],
    ["--watch-progress-notify-interval", "99ms"],
  ]) {
    assert.throws(() => settings(args), UsageError, args.join(" "));
  }
});
