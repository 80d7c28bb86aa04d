// How each target is started, and how its output tells that it serves: the only place that knows command lines.
//
// Adjust `holdfastLaunch` and `holdfastReadyAddress` here when the command or its log lines change. The life of the
// process is server-under-test.ts.

import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import type { TargetName } from "./target.js";
import { requireTool } from "./tools.js";

/** One way to start one server once. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  /** The `host:port` it serves on if this line of its output says that it now does, else undefined. */
  readyAddress(line: string): string | undefined;
}

/** PEM files for a server with TLS, which requires client certificates that the authority has signed. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
  readonly trustedCaFile: string;
}

/** What every launch is made from. */
export interface LaunchRequest {
  readonly target: TargetName;
  readonly dataFolder: string;
  /** The address to serve on again after a restart; undefined the first time. */
  readonly address: string | undefined;
  /** Undefined for a server without TLS. */
  readonly tls: TlsFiles | undefined;
  readonly extraArgs: readonly string[];
}

const holdfastMain = fileURLToPath(new URL("../../packages/holdfast/dist/main.js", import.meta.url));

/** The launch of the server the request names. */
export function launchOf(request: LaunchRequest): Promise<Launch> {
  const makers: Record<TargetName, (request: LaunchRequest) => Promise<Launch>> = {
    holdfast: holdfastLaunch,
    etcd: etcdLaunch,
  };
  return makers[request.target](request);
}

async function holdfastLaunch({ dataFolder, address, tls, extraArgs }: LaunchRequest): Promise<Launch> {
  if (!existsSync(holdfastMain)) {
    throw new Error(`${holdfastMain} is missing: build the workspace first`);
  }
  // With TLS it is given etcd's own flags, which proves that a command line for etcd can be moved over.
  const plain = ["--listen", address ?? "127.0.0.1:0"];
  const listen = tls === undefined ? plain : clientUrlArgs(address ?? (await freeAddress()), tls);
  const args = ["--enable-source-maps", holdfastMain, "serve", "--data-dir", dataFolder, "--log-format", "json"];
  return {
    command: process.execPath,
    args: [...args, ...listen, ...extraArgs],
    readyAddress: holdfastReadyAddress,
  };
}

/** Holdfast says `{"msg":"ready","address":"127.0.0.1:PORT",…}` on one line once it accepts connections. */
function holdfastReadyAddress(line: string): string | undefined {
  const record = parseJsonObject(line);
  const { msg, address } = record ?? {};
  // With TLS the address is a URL.
  return msg === "ready" && typeof address === "string" ? address.replace(/^https:\/\//, "") : undefined;
}

async function etcdLaunch({ dataFolder, address, tls, extraArgs }: LaunchRequest): Promise<Launch> {
  const clientAddress = address ?? (await freeAddress());
  const peerUrl = "http://127.0.0.1:0";
  const args = [
    ["--data-dir", dataFolder],
    clientUrlArgs(clientAddress, tls),
    ["--listen-peer-urls", peerUrl, "--initial-advertise-peer-urls", peerUrl],
    ["--initial-cluster", `default=${peerUrl}`, "--logger", "zap", "--log-outputs", "stderr"],
  ].flat();
  return {
    command: requireTool("etcd"),
    args: [...args, ...extraArgs],
    readyAddress: (line) => (line.includes("ready to serve client requests") ? clientAddress : undefined),
  };
}

/** etcd's flags for where clients are served, and with which certificates. */
function clientUrlArgs(address: string, tls: TlsFiles | undefined): string[] {
  const url = `${tls === undefined ? "http" : "https"}://${address}`;
  const urls = ["--listen-client-urls", url, "--advertise-client-urls", url];
  if (tls === undefined) {
    return urls;
  }
  const files = ["--cert-file", tls.certFile, "--key-file", tls.keyFile, "--trusted-ca-file", tls.trustedCaFile];
  return [...urls, ...files, "--client-cert-auth"];
}

/** An address nobody listens on now. etcd cannot report a port it chose itself, so one is chosen for it. */
export function freeAddress(): Promise<string> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const bound = probe.address();
      const port = bound === null || typeof bound === "string" ? 0 : bound.port;
      probe.close(() => resolve(`127.0.0.1:${port}`));
    });
  });
}

function parseJsonObject(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith("{")) {
    return undefined;
  }
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
