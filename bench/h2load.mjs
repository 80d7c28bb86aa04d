/**
 * Runs h2load, the load generator of nghttp2, against one server and reads its figures.
 */

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { envelope } from "./grpc.mjs";

/** The version line of h2load, or undefined when it is not installed. */
export function h2loadVersion() {
  const { status, stdout } = spawnSync("h2load", ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

/**
 * Sends `requests` identical unary calls and waits for all answers.
 *
 * `load` says what is sent: `path`, `message` (encoded), `connections` and `streams` per connection. With `latencies`
 * the duration of every call is recorded, which costs the load generator a little speed.
 *
 * @returns calls per second, the bytes of all DATA frames received, and with `latencies` the sorted durations in
 *   milliseconds.
 * @throws Error when not every call was answered with HTTP status 2xx.
 */
export async function runLoad(port, load, requests, { latencies = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"));
  try {
    const body = join(folder, "body");
    const log = join(folder, "log");
    writeFileSync(body, envelope(load.message));
    const output = await h2load([
      `--requests=${requests}`,
      `--clients=${load.connections}`,
      `--max-concurrent-streams=${load.streams}`,
      // One thread drives one connection; more connections share two, on both servers alike.
      `--threads=${Math.min(load.connections, 2)}`,
      "--header=content-type: application/grpc",
      "--header=te: trailers",
      `--data=${body}`,
      ...(latencies ? [`--log-file=${log}`] : []),
      `http://127.0.0.1:${port}${load.path}`,
    ]);
    const figures = parseReport(output);
    if (figures.succeeded !== requests || figures.status2xx !== requests) {
      throw new Error(`h2load: not all of ${requests} calls were answered:\n${output}`);
    }
    return { ...figures, latenciesMs: latencies ? readLatencies(readFileSync(log, "utf8")) : undefined };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Not synchronous: the pipes of the servers must be emptied meanwhile. */
function h2load(args) {
  return new Promise((resolve, reject) => {
    const child = spawn("h2load", args, { stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    child.stderr.on("data", (chunk) => {
      output += chunk;
    });
    child.on("error", reject);
    child.on("close", () => resolve(output));
  });
}

/** Reads the figures out of h2load's report. */
export function parseReport(output) {
  const read = (pattern) => Number(pattern.exec(output)?.[1]);
  return {
    perSecond: read(/^finished in [^,]*, ([\d.]+) req\/s/m),
    succeeded: read(/^requests:.* (\d+) succeeded/m),
    status2xx: read(/^status codes: (\d+) 2xx/m),
    dataBytes: read(/^traffic:.*\((\d+)\) data/m),
  };
}

/** Reads the third column of h2load's log: microseconds until the end of the answer. Sorted, in milliseconds. */
export function readLatencies(log) {
  const values = log
    .trimEnd()
    .split("\n")
    .map((line) => Number(line.split("\t")[2]) / 1000);
  return Float64Array.from(values).sort();
}
