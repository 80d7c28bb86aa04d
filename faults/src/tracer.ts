/**
 * System calls of a running server made to fail, to take long or to kill it, with strace. Attached to a server that serves
 * already, so that its start is not disturbed and calls are counted from then on; or as a wrapper around its whole life.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { missingProgram, runCommand } from "./processes.js";
import type { ScenarioContext } from "./scenario.js";
import { within } from "./waiting.js";

/** Why nothing can be traced here. */
export async function cannotTrace(): Promise<string | undefined> {
  const missing = await missingProgram("strace");
  if (missing !== undefined) return missing;
  const { exitCode } = await runCommand("strace", ["-qq", "-o", "/dev/null", "true"]);
  return exitCode === 0 ? undefined : "tracing is not permitted here";
}

/** What strace is told, in its own words: `fdatasync:error=EIO:when=3`. Counts are per thread. */
export type Injection = string;

function arguments_(injections: readonly Injection[]): string[] {
  const calls = injections.map((injection) => injection.slice(0, injection.indexOf(":")));
  return ["-f", "-qq", "-e", `trace=${calls.join(",")}`, ...injections.flatMap((text) => ["-e", `inject=${text}`])];
}

/** What a server is run by to be under the tracer from its first instruction on. The calls are listed in `logFile`. */
export function tracedFromStart(injections: readonly Injection[], logFile = "/dev/null"): string[] {
  return ["strace", "--seccomp-bpf", "-o", logFile, ...arguments_(injections)];
}

/** A tracer at work on a running process. */
export interface Tracer {
  /** The calls so far, as strace prints them. */
  readonly lines: readonly string[];
  /** Lets go of the process, which runs on undisturbed. */
  detach(): Promise<void>;
}

/** Attaches to all threads of a process. Resolves when the injections are in force. */
export async function attachTracer(
  pid: number,
  injections: readonly Injection[],
  context: Pick<ScenarioContext, "cleanUp">,
): Promise<Tracer> {
  // Attached messages are what `-q` silences, and what tells that it has begun.
  const args = arguments_(injections).filter((argument) => argument !== "-qq");
  const child = spawn("strace", [...args, "-p", String(pid)], { stdio: ["ignore", "ignore", "pipe"] });
  const lines: string[] = [];
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const attached = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      lines.push(line);
      if (line.includes("attached")) resolve();
    });
    ended.then(() => reject(new Error(`strace ended: ${lines.slice(-3).join(" | ")}`)));
  });
  const detach = (): Promise<void> => letGo(child, ended);
  context.cleanUp(detach);
  await within(attached, 10, "strace attaches to the server");
  return { lines, detach };
}

async function letGo(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
  await ended;
}
