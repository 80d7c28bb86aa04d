/**
 * Runs h2load, the load generator of nghttp2, against one server and reads its figures.
 *
 * What it can do decides which workloads it drives: it sends one and the same request over and over, so every call of a
 * run names the same keys, and it sees HTTP only, so that a gRPC error (an HTTP 200) is a success to it. Whoever starts
 * a run checks its answers from outside (`workloads/unary.ts`).
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { envelope } from "./referee/messages.js";
import { cpuSecondsOf } from "./servers/server.js";
import { tlsCipher } from "./servers/tls.js";

/** Why a workload is skipped on a machine without it. */
export const h2loadMissing = "h2load not found (Debian and Ubuntu: apt install nghttp2-client)";

/** One unary call, and how many of it are under way at a time. */
export interface UnaryLoad {
  readonly path: string;
  /** The encoded request, without its envelope. */
  readonly message: Uint8Array;
  readonly connections: number;
  /** Calls under way on each connection. */
  readonly streams: number;
}

/** Which server a run goes to, how long it is, and what is recorded. */
export interface Run {
  readonly port: number;
  readonly isTls: boolean;
  /** Calls in all. */
  readonly requests: number;
  /** Records how long every call takes, which costs the load generator a little speed. */
  readonly withLatencies: boolean;
}

/** The figures of h2load's report. */
export interface LoadReport {
  readonly perSecond: number;
  readonly succeeded: number;
  readonly status2xx: number;
  /** What all DATA frames carried. */
  readonly dataBytes: number;
}

/** What came of a run. */
export interface LoadResult extends LoadReport {
  /** Processor time of h2load. */
  readonly cpuSeconds: number;
  /** How long the calls took, sorted; empty unless recorded. */
  readonly latenciesMs: Float64Array;
}

/** The version line of h2load, or undefined when it is not installed. */
export function h2loadVersion(): string | undefined {
  const { status, stdout } = spawnSync("h2load", ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * Sends identical unary calls and waits for all answers.
 * @throws Error (rejects) when not every call was answered with HTTP status 2xx.
 */
export async function runLoad(load: UnaryLoad, run: Run): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
  try {
    const log = join(folder, "log");
    const body = join(folder, "body");
    writeFileSync(body, envelope(load.message));
    // h2load is the only child that ends meanwhile.
    const cpuBefore = cpuSecondsOf(process.pid, "children") ?? Number.NaN;
    const output = await h2load([...argsOf(load, run, body), ...(run.withLatencies ? [`--log-file=${log}`] : [])]);
    const cpuSeconds = (cpuSecondsOf(process.pid, "children") ?? Number.NaN) - cpuBefore;
    const figures = parseReport(output);
    if (figures.succeeded !== run.requests || figures.status2xx !== run.requests) {
      throw new Error(`h2load: not all of ${run.requests} calls were answered:\n${output}`);
    }
    const latenciesMs = run.withLatencies ? readLatencies(readFileSync(log, "utf8")) : new Float64Array();
    return { ...figures, cpuSeconds, latenciesMs };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function argsOf(load: UnaryLoad, run: Run, body: string): string[] {
  return [
    `${run.isTls ? "https" : "http"}://127.0.0.1:${run.port}${load.path}`,
    `--requests=${run.requests}`,
    `--clients=${load.connections}`,
    `--max-concurrent-streams=${load.streams}`,
    // One thread drives one connection; more connections share two, on both servers alike.
    `--threads=${Math.min(load.connections, 2)}`,
    "--header=content-type: application/grpc",
    "--header=te: trailers",
    `--data=${body}`,
    ...(run.isTls ? [`--tls13-ciphers=${tlsCipher}`] : []),
  ];
}

/** Not synchronous: the pipes of the servers must be emptied meanwhile. */
function h2load(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("h2load", args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const collect = (chunk: Buffer) => {
      output += chunk;
    };
    child.stdout.on("data", collect);
    child.stderr.on("data", collect);
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}

/** Reads the figures out of h2load's report; what is not there is NaN. */
export function parseReport(output: string): LoadReport {
  const read = (pattern: RegExp) => Number(pattern.exec(output)?.[1]);
  return {
    perSecond: read(/^finished in [^,]*, ([\d.]+) req\/s/m),
    succeeded: read(/^requests:.* (\d+) succeeded/m),
    status2xx: read(/^status codes: (\d+) 2xx/m),
    dataBytes: read(/^traffic:.*\((\d+)\) data/m),
  };
}

/** Reads the third column of h2load's log: microseconds until the end of the answer. Sorted, in milliseconds. */
export function readLatencies(log: string): Float64Array {
  const values = log
    .trimEnd()
    .split("\n")
    .map((line) => Number(line.split("\t")[2]) / 1000);
  return Float64Array.from(values).sort();
}
