/** What Linux tells about processes, read from /proc; and running helper programs. Knows nothing of servers. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Memory of a process that is in RAM now, in bytes. */
export function residentBytes(pid: number): number {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kibibytes ?? 0) * 1024;
}

/** Ticks of /proc per second; fixed for user space on every architecture that Node runs on. */
const ticksPerSecond = 100;

/** Processor time of a process and its threads so far, in user and in kernel mode. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The second field is the name of the program in parentheses, and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** How many files, sockets and so on a process has open. */
export function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** How many of them are sockets. */
export function openSockets(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).filter((descriptor) => isSocket(pid, descriptor)).length;
}

function isSocket(pid: number, descriptor: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/fd/${descriptor}`).startsWith("socket:");
  } catch {
    // Closed since it was listed.
    return false;
  }
}

/** The process that runs `program` (an argument of its command line) among `pid` and its descendants. */
export function descendantRunning(pid: number, program: string): number | undefined {
  try {
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    if (commandLine[0]?.endsWith("node") === true && commandLine.includes(program)) return pid;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    for (const child of children === "" ? [] : children.split(" ")) {
      const found = descendantRunning(Number(child), program);
      if (found !== undefined) return found;
    }
  } catch {
    // It has ended meanwhile.
  }
  return undefined;
}

/** How a helper program ended. */
export interface CommandEnd {
  readonly exitCode: number;
  readonly output: string;
}

/** Runs a program to its end; 127 as exit code if there is no such program. */
export function runCommand(command: string, args: readonly string[]): Promise<CommandEnd> {
  return new Promise((resolve) => {
    execFile(command, [...args], { encoding: "utf8", timeout: 60_000 }, (error, stdout, stderr) => {
      const output = `${stdout}${stderr}`;
      if (error === null) resolve({ exitCode: 0, output });
      else if (typeof error.code === "number") resolve({ exitCode: error.code, output });
      else resolve({ exitCode: 127, output: output === "" ? error.message : output });
    });
  });
}

/** Runs a program that must succeed. @returns what it printed. @throws Error with its output otherwise. */
export async function mustRun(command: string, ...args: string[]): Promise<string> {
  const { exitCode, output } = await runCommand(command, args);
  if (exitCode !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${exitCode}: ${output.trim()}`);
  return output;
}

/** The first of the programs that is not installed, as a reason to skip. */
export async function missingProgram(...programs: string[]): Promise<string | undefined> {
  for (const program of programs) {
    const { exitCode } = await runCommand("sh", ["-c", `command -v ${program}`]);
    if (exitCode !== 0) return `${program} is not installed`;
  }
  return undefined;
}

/** Why this process may not change mounts, network namespaces and the like. */
export function notRoot(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  return process.getuid?.() === 0 ? undefined : "needs root";
}
