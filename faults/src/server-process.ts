/**
 * A real `holdfast serve` in a process of its own: started, possibly through other programs (a tracer, a namespace), watched,
 * stopped with signals, killed. Waits only for what can be awaited: the line that says it serves, the end of the process.
 *
 * FAULTS_SERVER_LOG=1 copies what it prints to standard error.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { cpuSeconds, descendantRunning, openDescriptors, openSockets, residentBytes } from "./processes.js";
import type { ScenarioContext } from "./scenario.js";

const program = fileURLToPath(new URL("../../packages/holdfast/dist/main.js", import.meta.url));
/** The same for a server that something of ours is loaded ahead of. */
const watchedProgram = fileURLToPath(
  new URL("../../packages/holdfast/dist/testing/watched-server.js", import.meta.url),
);

/** How long a start may take. Tracers slow it down a lot. */
const startMsMax = 40_000;
/** How many of its last lines are kept. */
const outputLinesMax = 2_000;

/** So small a pool that the log syncs on a thread of its own: what is appended goes through the cache, and is synced by `fdatasync`. */
export const throughCache = { UV_THREADPOOL_SIZE: "1" };

export interface ServerOptions {
  readonly dataDir: string;
  /** `host:port`; port 0, the default, takes a free one. A URL where TLS is wanted, with its files in `args`. */
  readonly listen?: string;
  /** Further arguments of `holdfast serve`. */
  readonly args?: readonly string[];
  /** Arguments of Node itself, such as `--max-old-space-size=64`. */
  readonly nodeArgs?: readonly string[];
  /** On top of this process's own variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** What `nodeArgs` load leaves Node.js' pool of threads alone while the server serves. */
  readonly isWatched?: boolean;
  /** A program that runs the server, with its arguments: `["strace", "-f"]`, `["ip", "netns", "exec", name]`. */
  readonly wrapper?: readonly string[];
}

/** How a process ended. One of the two is undefined. */
export interface ProcessEnd {
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
}

/** A server ended before it served. */
export class StartFailedError extends Error {
  readonly end: ProcessEnd;
  readonly output: readonly string[];

  constructor(end: ProcessEnd, output: readonly string[]) {
    super(`the server ended with ${end.signal ?? end.exitCode} before it served: ${output.slice(-5).join(" | ")}`);
    this.end = end;
    this.output = output;
  }
}

/** What must be killed when this process ends without having cleaned up. */
const live = new Set<ServerProcess>();
process.once("exit", () => {
  for (const server of live) server.signal("SIGKILL");
});

export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #program: string;
  readonly #lines: string[] = [];
  readonly #lineListeners = new Set<(line: string) => void>();
  #address: string | undefined;
  #pid: number | undefined;
  #end: ProcessEnd | undefined;
  /** Resolves once it serves. @throws StartFailedError (rejects) if it ends before. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended, however. */
  readonly exited: Promise<ProcessEnd>;

  /** Starts a server and waits until it serves; the scenario's end kills it. @throws StartFailedError */
  static async start(options: ServerOptions, context?: Pick<ScenarioContext, "cleanUp">): Promise<ServerProcess> {
    const server = ServerProcess.launch(options, context);
    await server.ready;
    return server;
  }

  /** Starts a server and does not wait for anything: for starts that are expected to fail or to be killed. */
  static launch(options: ServerOptions, context?: Pick<ScenarioContext, "cleanUp">): ServerProcess {
    const server = new ServerProcess(options);
    context?.cleanUp(async () => {
      await server.kill();
    });
    return server;
  }

  private constructor(options: ServerOptions) {
    const isWatched = options.isWatched === true || process.env.FAULTS_PLANTED !== undefined;
    this.#program = isWatched ? watchedProgram : program;
    const [command, ...args] = [
      ...(options.wrapper ?? []),
      process.execPath,
      ...(options.nodeArgs ?? []),
      "--enable-source-maps",
      this.#program,
      ...["serve", "--data-dir", options.dataDir, "--listen", options.listen ?? "127.0.0.1:0", "--log-format", "json"],
      ...(options.args ?? []),
    ];
    // A process group of its own, so that a wrapper and the server can be killed together.
    this.#child = spawn(command ?? process.execPath, args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...options.env },
      detached: true,
    });
    live.add(this);
    this.exited = this.#whenEnded();
    this.ready = this.#whenReady();
    // Whoever does not wait for it learns of the end from `exited`.
    this.ready.catch(() => undefined);
    this.#followOutput();
  }

  /** `host:port` that it serves on. */
  get endpoint(): string {
    if (this.#address === undefined) throw new Error("the server does not serve yet");
    return this.#address;
  }

  get host(): string {
    return this.endpoint.slice(0, this.endpoint.lastIndexOf(":"));
  }

  get port(): number {
    return Number(this.endpoint.slice(this.endpoint.lastIndexOf(":") + 1));
  }

  /** Of the server itself, not of a program that runs it. */
  get pid(): number {
    const outer = this.#child.pid;
    this.#pid ??= outer === undefined ? undefined : descendantRunning(outer, this.#program);
    if (this.#pid === undefined) throw new Error("the server does not run");
    return this.#pid;
  }

  /** Undefined while it runs. */
  get end(): ProcessEnd | undefined {
    return this.#end;
  }

  /** The last lines that it printed, on both outputs. */
  get output(): readonly string[] {
    return this.#lines;
  }

  /** Resolves with the first line, printed already or later, that satisfies `wanted`. Rejects when the server ends before. */
  line(wanted: (line: string) => boolean): Promise<string> {
    const printed = this.#lines.find(wanted);
    if (printed !== undefined) return Promise.resolve(printed);
    return new Promise((resolve, reject) => {
      const listener = (line: string): void => {
        if (!wanted(line)) return;
        this.#lineListeners.delete(listener);
        resolve(line);
      };
      this.#lineListeners.add(listener);
      this.exited.then((end) => reject(new Error(`the server ended with ${end.signal ?? end.exitCode}`)));
    });
  }

  /** Sends a signal to the server, SIGKILL to what runs it as well. Does nothing when it has ended. */
  signal(signal: NodeJS.Signals): void {
    const outer = this.#child.pid;
    if (this.#end !== undefined || outer === undefined) return;
    try {
      if (signal === "SIGKILL") process.kill(-outer, signal);
      else process.kill(this.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  /** Sends a signal that should end the server, and waits until it has ended. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<ProcessEnd> {
    this.signal(signal);
    return await this.exited;
  }

  residentBytes(): number {
    return residentBytes(this.pid);
  }

  cpuSeconds(): number {
    return cpuSeconds(this.pid);
  }

  openDescriptors(): number {
    return openDescriptors(this.pid);
  }

  /** How many of its descriptors are sockets. */
  openSockets(): number {
    return openSockets(this.pid);
  }

  #whenEnded(): Promise<ProcessEnd> {
    return new Promise((resolve) => {
      const ended = (end: ProcessEnd): void => {
        this.#end ??= end;
        live.delete(this);
        resolve(this.#end);
      };
      // "close" comes when the outputs are read to their end as well.
      this.#child.once("close", (code, signal) => ended({ exitCode: code ?? undefined, signal: signal ?? undefined }));
      this.#child.once("error", (error) => {
        this.#lines.push(error.message);
        ended({ exitCode: 127, signal: undefined });
      });
    });
  }

  async #whenReady(): Promise<void> {
    const timer = setTimeout(() => {
      this.#lines.push(`not ready within ${startMsMax} ms, killed`);
      this.signal("SIGKILL");
    }, startMsMax);
    try {
      await this.line((line) => this.#readyAddress(line));
    } catch {
      throw new StartFailedError(await this.exited, this.#lines);
    } finally {
      clearTimeout(timer);
    }
  }

  #readyAddress(line: string): boolean {
    if (!line.includes('"msg":"ready"')) return false;
    const { address } = JSON.parse(line) as { readonly address: string };
    this.#address = address.replace(/^https?:\/\//, "");
    return true;
  }

  #followOutput(): void {
    for (const input of [this.#child.stdout, this.#child.stderr]) {
      if (input === null) continue;
      createInterface({ input }).on("line", (line) => {
        if (process.env.FAULTS_SERVER_LOG === "1") process.stderr.write(`[server] ${line}\n`);
        this.#lines.push(line);
        if (this.#lines.length > outputLinesMax) this.#lines.shift();
        for (const listener of [...this.#lineListeners]) listener(line);
      });
    }
  }
}
