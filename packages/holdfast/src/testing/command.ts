/** The `holdfast` command as a process of its own. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../main.js", import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `nodeArgs` are for Node itself. */
export function spawnCommand(
  args: readonly string[],
  nodeArgs: readonly string[] = [],
): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [...nodeArgs, main, ...args], { env: { PATH: process.env.PATH } });
}

/** Runs the command to its end, whatever that is. */
export async function runCommand(...args: readonly string[]): Promise<Ended> {
  const child = spawnCommand(args);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk) => {
    stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

/**
 * Where a server that was spawned serves, once it says so in either form of its lines; `said` is what it has said so far.
 * Rejects if it ends before.
 */
export function readyLine(child: ChildProcessWithoutNullStreams, said: () => string): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const found = /"address":"([^"]+)"[^\n]*"msg":"ready"/.exec(said()) ?? /--endpoints=(\S+)/.exec(said());
      if (found?.[1] !== undefined) resolve(found[1]);
    };
    child.stdout.on("data", look);
    child.once("close", () => reject(new Error(`ended before it was ready: ${said()}`)));
  });
}

/** Starts `holdfast serve` on a free port; it is killed when the test is over. Resolves with its address once it serves. */
export async function serveCommand(t: TestContext, ...args: readonly string[]): Promise<string> {
  const child = spawnCommand(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", ...args]);
  t.after(async () => {
    if (child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const entry = JSON.parse(line) as { msg: string; address: string };
    if (entry.msg === "ready") return entry.address;
  }
  throw new Error("ended before it was ready");
}
