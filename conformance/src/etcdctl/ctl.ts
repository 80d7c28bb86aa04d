// Runs the real etcdctl against the server under test, to its end or line by line. What it should print is for the
// tests to say.

import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { requireTool, toolVersion } from "../tools.js";

/** How a finished etcdctl ended. */
export interface CtlResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a run may be given besides its arguments. */
export interface CtlOptions {
  /** Text for its standard input, which is then closed. */
  readonly input?: string;
}

const live = new Set<ChildProcessWithoutNullStreams>();
process.once("exit", () => {
  for (const child of live) {
    child.kill("SIGKILL");
  }
});

/** One running etcdctl, read line by line. */
export class CtlProcess {
  /** Resolves when the process has ended and its output is complete. */
  readonly ended: Promise<CtlResult>;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: string[] = [];
  readonly #waiting: { resolve(line: string): void; reject(error: Error): void }[] = [];
  #result: CtlResult | undefined;

  constructor(endpoint: string, args: readonly string[]) {
    this.#child = spawn(requireTool("etcdctl"), [`--endpoints=${endpoint}`, ...args], { env: environment() });
    live.add(this.#child);
    let stdout = "";
    let stderr = "";
    this.#child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    this.#child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    // An etcdctl that ended early closes its input; what it says about that is in its result.
    this.#child.stdin.on("error", () => undefined);
    createInterface({ input: this.#child.stdout }).on("line", (line) => this.#onLine(line));
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("close", (code, signal) => {
        live.delete(this.#child);
        this.#onEnd({ code, signal, stdout, stderr });
        resolve({ code, signal, stdout, stderr });
      });
    });
  }

  /** The next line of standard output; rejects, with standard error, when there is no further one. */
  nextLine(): Promise<string> {
    const line = this.#lines.shift();
    if (line !== undefined) {
      return Promise.resolve(line);
    }
    if (this.#result !== undefined) {
      return Promise.reject(noMoreLines(this.#result));
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** The next `count` lines. */
  async nextLines(count: number): Promise<readonly string[]> {
    const lines: string[] = [];
    while (lines.length < count) {
      lines.push(await this.nextLine());
    }
    return lines;
  }

  /** Lines that have arrived and that nobody has taken yet. */
  get pending(): readonly string[] {
    return this.#lines;
  }

  write(text: string): void {
    this.#child.stdin.write(text);
  }

  closeInput(): void {
    this.#child.stdin.end();
  }

  /** Sends a signal, and waits for the end. */
  kill(signal: "SIGKILL" | "SIGINT"): Promise<CtlResult> {
    this.#child.kill(signal);
    return this.ended;
  }

  #onLine(line: string): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) {
      this.#lines.push(line);
    } else {
      waiting.resolve(line);
    }
  }

  #onEnd(result: CtlResult): void {
    this.#result = result;
    for (const waiting of this.#waiting.splice(0)) {
      waiting.reject(noMoreLines(result));
    }
  }
}

/** Runs etcdctl to its end, whatever that is. */
export async function runCtl(endpoint: string, args: readonly string[], options: CtlOptions = {}): Promise<CtlResult> {
  const child = new CtlProcess(endpoint, args);
  child.write(options.input ?? "");
  child.closeInput();
  return child.ended;
}

/** Runs etcdctl, asserts success, and returns its standard output without the last line break. */
export async function ctl(endpoint: string, args: readonly string[], options: CtlOptions = {}): Promise<string> {
  const result = await runCtl(endpoint, args, options);
  assert.equal(result.code, 0, `etcdctl ${args.join(" ")}: ${result.stdout}${result.stderr}`);
  return result.stdout.replace(/\n$/, "");
}

/** Runs etcdctl, asserts failure, and returns the error it prints. */
export async function ctlError(endpoint: string, args: readonly string[], options: CtlOptions = {}): Promise<string> {
  const result = await runCtl(endpoint, args, options);
  assert.notEqual(result.code, 0, `etcdctl ${args.join(" ")} succeeded: ${result.stdout}`);
  return /^Error: .*$/m.exec(result.stderr)?.[0] ?? result.stderr;
}

/** True when the etcdctl here is at least of this series; older ones lack some flags. */
export function ctlIsAtLeast(major: number, minor: number): boolean {
  const [actualMajor, actualMinor] = toolVersion("etcdctl");
  return actualMajor > major || (actualMajor === major && actualMinor >= minor);
}

/** The environment without settings of the caller's own etcdctl; series up to 3.4 must be told to speak v3. */
function environment(): NodeJS.ProcessEnv {
  const entries = Object.entries(process.env).filter(([name]) => !name.startsWith("ETCDCTL_"));
  return { ...Object.fromEntries(entries), ...(needsVersionChoice() ? { ETCDCTL_API: "3" } : {}) };
}

let versionChoice: boolean | undefined;

function needsVersionChoice(): boolean {
  versionChoice ??= !ctlIsAtLeast(3, 5);
  return versionChoice;
}

function noMoreLines({ code, signal, stderr }: CtlResult): Error {
  return new Error(`etcdctl ended (${signal ?? code}) while a line was awaited: ${stderr}`);
}
