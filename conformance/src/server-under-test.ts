// The life of the server under test: start, wait until it serves, kill, restart on the same data and port, clean up.
//
// Which server it is comes from HOLDFAST_TARGET (target.ts) unless the caller names one; how it is started is
// launches.ts. Nothing here sleeps: a start is over when the server's own output says that it serves, an end when its
// process has exited.
//
// CONFORMANCE_SERVER_LOG=1 copies the server's output to standard error, for reading a failure.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type Launch, type LaunchRequest, launchOf, type TlsFiles } from "./launches.js";
import { type TargetName, target } from "./target.js";

/** How long a server may take to say that it serves, before the start counts as failed. */
const startDeadlineMs = 30_000;
/** How many of the server's last lines a failed start quotes. */
const quotedLinesMax = 40;
/** How often a start is tried again when the chosen port was taken meanwhile. */
const portAttemptsMax = 5;

/** What a test may decide about the server it starts. */
export interface StartOptions {
  /** Which server to start; the one HOLDFAST_TARGET names, unless given. */
  readonly target?: TargetName;
  /** Environment variables on top of this process's own. */
  readonly env?: Readonly<Record<string, string>>;
  /** The folder to keep data in; without one, a fresh temporary folder that `dispose` removes. */
  readonly dataFolder?: string;
  /** Further arguments for the server's command line. */
  readonly args?: readonly string[];
  /** Serves TLS with these files, and requires client certificates. */
  readonly tls?: TlsFiles;
}

/** A running (or stopped) server. */
export interface ServerUnderTest {
  /** `127.0.0.1:port`; stays the same over restarts. */
  readonly endpoint: string;
  readonly dataFolder: string;
  /** The process id of the present process; throws when none runs. */
  readonly pid: number;
  /** Sends a signal that ends the process, and resolves when it has exited. */
  kill(signal: "SIGKILL" | "SIGTERM" | "SIGINT"): Promise<void>;
  /** Ends the process in the orderly way (SIGTERM). Does nothing when none runs. */
  stop(): Promise<void>;
  /** Stops the process if it runs, and starts one on the same data and endpoint, with other arguments if some are given. */
  restart(args?: readonly string[]): Promise<void>;
  /** Ends the server at once (SIGKILL) and removes its data folder, if that was a temporary one. */
  dispose(): Promise<void>;
}

/** Starts the server under test; resolves once it serves. Throws with its last output when it does not. */
export async function startServer(options: StartOptions = {}): Promise<ServerUnderTest> {
  const server = new ServerProcess(options);
  await server.start();
  return server;
}

/** Everything to undo when this process ends, however it ends short of SIGKILL. */
const live = new Set<ServerProcess>();
process.once("exit", () => {
  for (const server of live) {
    server.abandon();
  }
});
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => process.exit(1));
}

class ServerProcess implements ServerUnderTest {
  readonly dataFolder: string;
  readonly #ownsFolder: boolean;
  readonly #target: TargetName;
  readonly #env: Readonly<Record<string, string>>;
  #extraArgs: readonly string[];
  readonly #tls: TlsFiles | undefined;
  #address: string | undefined;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();

  constructor(options: StartOptions) {
    this.#ownsFolder = options.dataFolder === undefined;
    this.dataFolder = options.dataFolder ?? mkdtempSync(join(tmpdir(), "holdfast-conformance-"));
    this.#target = options.target ?? target;
    this.#env = options.env ?? {};
    this.#extraArgs = options.args ?? [];
    this.#tls = options.tls;
  }

  get endpoint(): string {
    if (this.#address === undefined) {
      throw new Error("the server has not been started");
    }
    return this.#address;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) {
      throw new Error("the server does not run");
    }
    return pid;
  }

  async start(): Promise<void> {
    live.add(this);
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#address = await this.#spawn(await launchOf(this.#launchRequest()));
        return;
      } catch (error) {
        const portTaken = error instanceof Error && error.message.includes("address already in use");
        if (!portTaken || this.#address !== undefined || attempt === portAttemptsMax) {
          throw error;
        }
      }
    }
  }

  #launchRequest(): LaunchRequest {
    const { dataFolder } = this;
    return { target: this.#target, dataFolder, address: this.#address, tls: this.#tls, extraArgs: this.#extraArgs };
  }

  async kill(signal: "SIGKILL" | "SIGTERM" | "SIGINT"): Promise<void> {
    this.#child?.kill(signal);
    await this.#exited;
  }

  stop(): Promise<void> {
    return this.kill("SIGTERM");
  }

  async restart(args?: readonly string[]): Promise<void> {
    await this.stop();
    this.#extraArgs = args ?? this.#extraArgs;
    await this.start();
  }

  async dispose(): Promise<void> {
    await this.kill("SIGKILL");
    this.abandon();
  }

  /** The clean-up that must not wait: for a process that is about to end. */
  abandon(): void {
    this.#child?.kill("SIGKILL");
    live.delete(this);
    if (this.#ownsFolder) {
      rmSync(this.dataFolder, { recursive: true, force: true });
    }
  }

  /** Starts the process; resolves with the address it serves on. */
  #spawn(launch: Launch): Promise<string> {
    const child = spawn(launch.command, launch.args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...this.#env },
    });
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      const onEnd = (): void => {
        this.#child = this.#child === child ? undefined : this.#child;
        resolve();
      };
      child.once("exit", onEnd);
      child.once("error", onEnd);
    });
    return new Promise((resolve, reject) => {
      const lines: string[] = [];
      const fail = (reason: string): void => reject(new Error(`${launch.command} ${reason}\n${lines.join("\n")}`));
      const timer = setTimeout(() => {
        child.kill("SIGKILL");
        fail(`did not say that it serves within ${startDeadlineMs} ms`);
      }, startDeadlineMs);
      child.once("error", (error) => fail(`cannot be started: ${error.message}`));
      child.once("close", (code, signal) => {
        clearTimeout(timer);
        fail(`ended (${signal ?? code}) before it served`);
      });
      onEachLine(child, (line) => {
        quote(lines, line);
        const address = launch.readyAddress(line);
        if (address !== undefined) {
          clearTimeout(timer);
          resolve(address);
        }
      });
    });
  }
}

/** Calls `listener` for every line of both outputs, for as long as the process lives (an unread pipe would stop it). */
function onEachLine(child: ChildProcess, listener: (line: string) => void): void {
  const copies = process.env.CONFORMANCE_SERVER_LOG === "1";
  for (const input of [child.stdout, child.stderr]) {
    if (input !== null) {
      createInterface({ input }).on("line", (line) => {
        if (copies) {
          process.stderr.write(`[server] ${line}\n`);
        }
        listener(line);
      });
    }
  }
}

function quote(lines: string[], line: string): void {
  lines.push(line);
  if (lines.length > quotedLinesMax) {
    lines.shift();
  }
}
