/**
 * One server under test, in a process of its own, looked at from outside: when it is ready, how much processor time and
 * memory it took, how it ends. What is started, with which flags, is `launch.ts`.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { RefereeClient } from "../referee/client.js";
import { freePorts } from "./free-ports.js";
import type { Launch } from "./launch.js";
import type { TlsFiles } from "./tls.js";

const readyMsMax = 120_000;
const lastWordsCharsMax = 4000;

/** How a server differs from the usual one. */
export interface StartOptions {
  /** Serves its clients through TLS. */
  readonly tls?: TlsFiles;
  /** Further flags of the server. The two take different ones: see `Bench.launch.name`. */
  readonly args?: readonly string[];
  /** Arguments of Node.js itself, where the server runs on it. */
  readonly nodeArgs?: readonly string[];
  /** On top of this process's own variables. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The first check of `ready` that holds ends the wait; without it, an answered linearizable read. */
  readonly isReady?: (client: RefereeClient) => Promise<boolean>;
}

/** What must be killed when this process ends without having stopped it. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A running server, or one that has ended. */
export class Server {
  readonly name: Launch["name"];
  readonly port: number;
  readonly tls: TlsFiles | undefined;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #hasEnded = false;
  /** The end of what the process logged, for the message when it fails. */
  #lastWords = "";
  #cpuSeconds = 0;
  #peakMiB = 0;

  private constructor(
    launch: Launch,
    place: { folder: string; port: number; peerPort: number },
    options: StartOptions,
  ) {
    this.name = launch.name;
    this.port = place.port;
    this.tls = options.tls;
    const { tls, nodeArgs, args = [], environment } = options;
    mkdirSync(place.folder, { recursive: true });
    this.#child = spawn(launch.program, [...launch.args({ ...place, tls, nodeArgs }), ...args], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...environment },
    });
    running.add(this.#child);
    this.#child.stderr?.on("data", (chunk) => this.#listen(chunk));
    this.#exited = new Promise<void>((resolve) => {
      this.#child.once("exit", () => resolve());
      this.#child.once("error", (error) => {
        this.#listen(error.message);
        resolve();
      });
    }).then(() => {
      this.#hasEnded = true;
      running.delete(this.#child);
    });
  }

  /** Starts a server on ports that nobody uses, and returns at once. `folder` is made when it does not exist. */
  static async spawn(launch: Launch, folder: string, options: StartOptions = {}): Promise<Server> {
    const [port = 0, peerPort = 0] = await freePorts(2);
    return new Server(launch, { folder, port, peerPort }, options);
  }

  /** As `spawn`, and waits until it is ready. @throws Error (rejects) as `ready` does. */
  static async start(launch: Launch, folder: string, options: StartOptions = {}): Promise<Server> {
    const server = await Server.spawn(launch, folder, options);
    await server.ready(options.isReady);
    return server;
  }

  /**
   * Waits until `check` holds for a client; without it, until a linearizable read is answered.
   * @throws Error (rejects) with the server's last words when it ends, or is not ready in time; it is stopped then.
   */
  async ready(check: (client: RefereeClient) => Promise<boolean> = canRead): Promise<void> {
    const deadlineMs = performance.now() + readyMsMax;
    while (!this.#hasEnded && performance.now() < deadlineMs) {
      const client = await this.connect().catch(() => undefined);
      const isReady = client !== undefined && (await check(client).catch(() => false));
      client?.close();
      if (isReady) return;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    const what = this.#hasEnded ? "ended" : "did not get ready";
    await this.stop("SIGKILL");
    throw new Error(`${this.name} ${what}:\n${this.#lastWords}`);
  }

  /** A client to prepare and to check with; the caller closes it. Rejects when nobody listens. */
  connect(): Promise<RefereeClient> {
    return RefereeClient.connect(this.port, this.tls);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What the process logged last. */
  get lastWords(): string {
    return this.#lastWords;
  }

  /** Processor time used so far by all its threads, user and system, in seconds; of an ended server, before its end. */
  cpuSeconds(): number {
    this.#look();
    return this.#cpuSeconds;
  }

  /** Memory that it holds now, in MiB (resident set); 0 of an ended server. */
  residentMiB(): number {
    return statusMiB(this.pid, "VmRSS") ?? 0;
  }

  /** The most memory that it ever held, in MiB (resident set); of an ended server, before its end. */
  peakMiB(): number {
    this.#look();
    return this.#peakMiB;
  }

  /** Ends the process, if it has not ended yet, and waits until it is gone. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
    this.#look();
    if (!this.#hasEnded) this.#child.kill(signal);
    await this.#exited;
  }

  #listen(chunk: unknown): void {
    this.#lastWords = `${this.#lastWords}${chunk}`.slice(-lastWordsCharsMax);
  }

  /** Notes what it used; keeps what was noted before when the process is gone. */
  #look(): void {
    this.#cpuSeconds = cpuSecondsOf(this.pid) ?? this.#cpuSeconds;
    this.#peakMiB = statusMiB(this.pid, "VmHWM") ?? this.#peakMiB;
  }
}

async function canRead(client: RefereeClient): Promise<boolean> {
  await client.range("ready");
  return true;
}

/** The unit of the times in /proc/PID/stat. */
const ticksPerSecond = Number(spawnSync("getconf", ["CLK_TCK"], { encoding: "utf8" }).stdout) || 100;

/**
 * Processor time of a process; with `children`, of those of its children that have ended and were waited for.
 * Undefined without such a process.
 */
export function cpuSecondsOf(pid: number, whose: "itself" | "children" = "itself"): number | undefined {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return undefined;
  // The fields after the command, which is in parentheses and may hold anything: user and system time are the 12th and
  // the 13th, those of children the two after.
  const fields = readFileSync(path, "utf8").split(")").at(-1)?.trim().split(" ") ?? [];
  const at = whose === "itself" ? 11 : 13;
  return (Number(fields[at]) + Number(fields[at + 1])) / ticksPerSecond;
}

/** A line of /proc/PID/status that counts kibibytes, in MiB. */
function statusMiB(pid: number, name: string): number | undefined {
  const path = `/proc/${pid}/status`;
  if (!existsSync(path)) return undefined;
  const kibibytes = new RegExp(`^${name}:\\s*(\\d+)`, "m").exec(readFileSync(path, "utf8"))?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
}
