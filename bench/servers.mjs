/**
 * Starts the two servers under test, each in its own process on an empty data folder, and looks at them from outside:
 * when they are ready, how much processor time they took, how they end.
 */

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { readJson, root } from "../tools/workspace.mjs";
import { Client } from "./grpc.mjs";

const readyWithinMs = 60_000;

/** The etcd to compare with: ETCD_BIN, the one that `npm run peers` builds, or the first on the PATH. */
export function findEtcd() {
  const built = join(root, "conformance", "peers", "bin", "etcd");
  const candidates = [process.env.ETCD_BIN, built, "etcd"].filter(Boolean);
  return candidates.find((path) => spawnSync(path, ["--version"]).status === 0);
}

/** How to start Holdfast. */
export function holdfastLaunch() {
  const main = join(root, "packages", "holdfast", "dist", "main.js");
  return {
    name: "Holdfast",
    // Its answers name the version of etcd that it speaks like.
    version: readJson(join(root, "packages", "holdfast", "package.json")).version,
    command: process.execPath,
    args: (folder, port) => [main, "serve", "--data-dir", folder, "--listen", `127.0.0.1:${port}`],
  };
}

/** How to start etcd. Its space quota is raised so that a long run does not end in an alarm. */
export function etcdLaunch(binary) {
  return {
    name: "etcd",
    command: binary,
    args: (folder, port, peerPort) => [
      `--data-dir=${folder}`,
      `--listen-client-urls=http://127.0.0.1:${port}`,
      `--advertise-client-urls=http://127.0.0.1:${port}`,
      `--listen-peer-urls=http://127.0.0.1:${peerPort}`,
      `--initial-advertise-peer-urls=http://127.0.0.1:${peerPort}`,
      `--initial-cluster=default=http://127.0.0.1:${peerPort}`,
      "--quota-backend-bytes=8589934592",
      "--log-level=error",
    ],
  };
}

/** One running server. */
export class Server {
  #child;
  #exited;
  /** What the process printed, for the message when it fails. */
  #output = "";

  /** Starts a server on `folder`, which is created when it does not exist; does not wait. */
  constructor(launch, folder, [port, peerPort]) {
    mkdirSync(folder, { recursive: true });
    this.name = launch.name;
    this.port = port;
    this.#child = spawn(launch.command, launch.args(folder, port, peerPort), { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on("data", (chunk) => {
        this.#output = `${this.#output}${chunk}`.slice(-4000);
      });
    }
    this.#exited = new Promise((resolve) => {
      this.#child.on("exit", resolve);
      this.#child.on("error", (error) => {
        this.#output += error.message;
        resolve();
      });
    });
  }

  /** Starts a server on an empty folder and ports nobody uses, and waits until it answers. */
  static async start(launch, folder) {
    rmSync(folder, { recursive: true, force: true });
    const server = new Server(launch, folder, await freePorts(2));
    await server.ready();
    return server;
  }

  /**
   * Waits until `check` holds for a client; without it, until a linearizable read is answered.
   * @throws Error with the server's last words when it ends or is not ready within a minute; it is stopped then.
   */
  async ready(check = (client) => client.range("ready")) {
    const deadlineMs = performance.now() + readyWithinMs;
    let ended = false;
    this.#exited.then(() => {
      ended = true;
    });
    while (!ended && performance.now() < deadlineMs) {
      const client = await Client.connect(this.port).catch(() => undefined);
      const isReady = client !== undefined && (await check(client).catch(() => false));
      client?.close();
      if (isReady) return;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await this.stop("SIGKILL");
    throw new Error(`${this.name} ${ended ? "ended" : "did not get ready"}:\n${this.#output}`);
  }

  /** Processor time used so far, user and system, in seconds; undefined where there is no /proc. */
  cpuSeconds() {
    const path = `/proc/${this.#child.pid}/stat`;
    if (!existsSync(path)) return undefined;
    // The fields after the command, which is in parentheses and may hold anything: user time is the 12th, system the 13th.
    const fields = readFileSync(path, "utf8").split(")").at(-1).trim().split(" ");
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }

  /** Resident memory in MiB; undefined where there is no /proc. */
  memoryMiB() {
    const path = `/proc/${this.#child.pid}/status`;
    if (!existsSync(path)) return undefined;
    return Math.round(Number(/VmRSS:\s*(\d+)/.exec(readFileSync(path, "utf8"))?.[1] ?? 0) / 1024);
  }

  /** Ends the process and waits until it is gone. */
  async stop(signal = "SIGTERM") {
    this.#child.kill(signal);
    await this.#exited;
  }
}

/** The unit of the times in /proc/PID/stat. */
const ticksPerSecond = Number(spawnSync("getconf", ["CLK_TCK"], { encoding: "utf8" }).stdout) || 100;

/** Ports that nobody uses now. */
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
    }),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
