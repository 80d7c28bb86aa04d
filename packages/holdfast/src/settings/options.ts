/**
 * The settings of `holdfast serve`, as one table: the flags, their help and their defaults. Where etcd has a setting, the
 * flag has etcd's name. From it follow the HOLDFAST_* and ETCD_* variables and the keys of the config file.
 */
import { logFormats, logLevels } from "@holdfast/server";
import { InvalidArgumentError, Option } from "commander";
import {
  commaSeparated,
  commaSeparatedOrNone,
  durationMs,
  fileDurationMs,
  notEmpty,
  trueOrFalse,
  wholeNumber,
} from "./values.js";

/** Other names for a setting: etcd's for what is called something shorter here. */
export const otherNames: Readonly<Record<string, string>> = {
  "listen-client-urls": "listen",
  "config-file": "config",
  "experimental-compaction-batch-limit": "compaction-batch-limit",
  "experimental-watch-progress-notify-interval": "watch-progress-notify-interval",
};

function text(flags: string, help: string): Option {
  return new Option(flags, help);
}

function list(flags: string, help: string): Option {
  return new Option(flags, help).argParser(commaSeparated);
}

function number(flags: string, help: string, min: number, max?: number): Option {
  return new Option(flags, help).argParser(wholeNumber(min, max));
}

function duration(flags: string, help: string): Option {
  return new Option(flags, help).argParser(durationMs);
}

/** A switch: without a value it is on. */
function onOff(flag: string, help: string, byDefault = false): Option {
  return new Option(`${flag} [true|false]`, help).default(byDefault).preset("true").argParser(trueOrFalse);
}

function oneOf(flags: string, help: string, choices: readonly string[], names: Record<string, string> = {}): Option {
  const option = new Option(flags, `${help} (choices: ${choices.join(", ")})`);
  return option.argParser((value) => {
    const chosen = names[value] ?? value;
    if (!choices.includes(chosen)) throw new InvalidArgumentError(`want one of ${choices.join(", ")}`);
    return chosen;
  });
}

const server: Option[] = [
  text("--data-dir <folder>", "where the log and snapshots live; made if missing")
    .default("holdfast-data")
    .argParser(notEmpty),
  onOff("--in-memory", "keep everything in memory; nothing outlives the process"),
  text("--name <name>", "this member's name in `etcdctl member list`").default("default"),
  text("--config <file>", "YAML or JSON file with any of these settings, named as the flags are (also --config-file)"),
];

const addresses: Option[] = [
  list(
    "--listen <addresses>",
    "where to serve clients: host:port, [ipv6]:port, http://, https://, unix:/path or unixs:/path, several separated by commas; port 0 picks a free one (also --listen-client-urls)",
  ).default(["127.0.0.1:2379"], "127.0.0.1:2379"),
  onOff("--allow-insecure-listen", "serve in clear text where other machines can reach it; refused otherwise"),
  list("--advertise-client-urls <urls>", "what clients are told to connect to; default: where it listens"),
  list("--listen-client-http-urls <urls>", "further addresses for HTTP only; --listen then serves gRPC only"),
  list("--listen-metrics-urls <urls>", "further addresses for /metrics and the health pages only"),
];

const tls: Option[] = [
  text("--cert-file <file>", "certificate for https:// and unixs:// addresses, PEM").argParser(notEmpty),
  text("--key-file <file>", "its key, PEM").argParser(notEmpty),
  onOff("--auto-tls", "make a certificate where none is given"),
  number("--self-signed-cert-validity <years>", "how long such a certificate is valid", 1, 100).default(1),
  text("--trusted-ca-file <file>", "authorities of client certificates, PEM").argParser(notEmpty),
  onOff("--client-cert-auth", "require a client certificate; its common name is the user where no token is given"),
  text("--client-crl-file <file>", "revoked client certificates, PEM").argParser(notEmpty),
  list("--client-cert-allowed-cn <names>", "common names one of which a client certificate must have"),
  list("--client-cert-allowed-hostname <names>", "host names one of which a client certificate must be valid for"),
  oneOf("--tls-min-version <version>", "oldest TLS version to speak", ["TLS1.2", "TLS1.3"]).default("TLS1.2"),
  oneOf("--tls-max-version <version>", "newest TLS version to speak", ["TLS1.2", "TLS1.3"]),
  list("--cipher-suites <names>", "cipher suites for TLS 1.2"),
];

const http: Option[] = [
  onOff("--enable-grpc-gateway", "serve the JSON gateway under /v3/", true),
  text("--cors <origins>", "origins that browser pages may come from; * is all")
    .default(["*"], "*")
    .argParser(commaSeparatedOrNone),
  text("--host-whitelist <names>", "host names that HTTP requests in clear text may be addressed to; * is all")
    .default(["*"], "*")
    .argParser(commaSeparatedOrNone),
  oneOf("--metrics <detail>", "extensive adds how long calls take", ["basic", "extensive"]).default("basic"),
];

const auth: Option[] = [
  text("--auth-token <kind>", "simple, or jwt,sign-method=...,pub-key=...,priv-key=...,ttl=...").default("simple"),
  number("--auth-token-ttl <seconds>", "lifetime of a simple token from its last use", 1).default(300),
  number("--bcrypt-cost <cost>", "work factor of password hashes; one more doubles the time", 4, 28).default(10),
  number("--login-failures-per-user <count>", "failed logins of a user before waits; default 10; 0: no waits", 0),
  number(
    "--login-failures-per-address <count>",
    "failed logins from an address before waits; default 50; 0: no waits",
    0,
  ),
  duration("--login-backoff-max <duration>", "longest wait after failed logins; default 30s; 0: no waits"),
];

const store: Option[] = [
  number(
    "--quota-backend-bytes <bytes>",
    "size of keys and history from which writes are refused; 0: 2 GiB, negative: none",
    Number.MIN_SAFE_INTEGER,
  ).default(0),
  oneOf("--auto-compaction-mode <mode>", "what the retention counts", ["periodic", "revision"]).default("periodic"),
  text("--auto-compaction-retention <amount>", "history to keep: hours, or a duration, or revisions; 0: all").default(
    "0",
  ),
  number("--compaction-batch-limit <versions>", "old versions removed at once after a compaction", 1),
  duration("--watch-progress-notify-interval <duration>", "how often idle watchers are told how far they are"),
];

const limits: Option[] = [
  number("--max-request-bytes <bytes>", "largest request", 1, 60 * 1024 * 1024).default(1_572_864),
  number("--max-txn-ops <count>", "most operations of a transaction", 1).default(128),
  number("--max-concurrent-streams <count>", "calls of one connection at a time; default 1000", 1, 4_294_967_295),
  number("--max-connections <count>", "connections over HTTP/2, and those from 127.0.0.1 or ::1; default 10000", 1),
  number("--max-connections-per-address <count>", "connections of a peer address; default 1000; 0: any number", 0),
  number(
    "--socket-threads <count>",
    "threads that read and write sockets once 200 are open; default 0, see decision 0014",
    0,
    16,
  ),
  duration("--grpc-keepalive-min-time <duration>", "shortest time between two pings of a client; default 5s"),
  duration("--grpc-keepalive-interval <duration>", "silence after which a client is pinged; default 30s; 0: never"),
  duration("--grpc-keepalive-timeout <duration>", "time for its answer; default 20s; 0: any"),
  number("--heartbeat-interval <ms>", "with --election-timeout: sets the shortest lease, as in etcd", 1).default(100),
  number("--election-timeout <ms>", "1.5 times this is the shortest lease, rounded up to seconds", 1, 50_000).default(
    1_000,
  ),
];

const logging: Option[] = [
  oneOf("--log-level <level>", "least serious lines to log", logLevels, {
    panic: "error",
    dpanic: "error",
    fatal: "error",
  }).default("info"),
  oneOf("--log-format <format>", "log lines for people or for programs", logFormats, { console: "text" }).default(
    "text",
  ),
  list("--log-outputs <places>", "stdout, stderr, or files").default(["stdout"], "stdout"),
];

const groups: Readonly<Record<string, readonly Option[]>> = {
  "Server:": server,
  "Addresses:": addresses,
  "TLS:": tls,
  "HTTP:": http,
  "Authentication:": auth,
  "Store:": store,
  "Limits:": limits,
  "Logging:": logging,
};

/** All options, in the order the help shows them, each with its variable. */
export function serveOptions(): Option[] {
  return Object.entries(groups).flatMap(([heading, options]) =>
    options.map((option) => option.helpGroup(heading).env(`HOLDFAST_${variablePart(option)}`)),
  );
}

/** The variable that etcd has for the same setting. */
export function etcdVariable(flag: string): string {
  return `ETCD_${flag.replaceAll("-", "_").toUpperCase()}`;
}

function variablePart(option: Option): string {
  return option.name().replaceAll("-", "_").toUpperCase();
}

/** How a config file has the setting, where that differs: durations are nanoseconds there, as in etcd's. */
export function parseFileValue(option: Option, value: string): unknown {
  if (option.parseArg === durationMs) return fileDurationMs(value);
  return option.parseArg === undefined ? value : option.parseArg(value, undefined);
}
