/**
 * `/debug/vars`: the variables of the process, in the shape of Go's (one per line, so that tools that cut lines work).
 *
 * `cmdline` holds the program and the names of its long options, never their values: keys, tokens and paths are
 * nobody's business. `memstats` has those of Go's names for which Node measures the same, and Node's own two.
 */
import { readFileSync } from "node:fs";
import type { ServiceContext } from "../services/context.js";

export function debugVars(context: ServiceContext): string {
  const variables: Record<string, unknown> = { cmdline: commandLine(process.argv) };
  const limit = fileDescriptorLimit();
  if (limit !== undefined) variables.file_descriptor_limit = limit;
  variables.memstats = memory();
  variables["raft.status"] = raftStatus(context);
  const lines = Object.entries(variables).map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return `{\n${lines.join(",\n")}\n}\n`;
}

/** The program, then the names of its long options. */
export function commandLine([, program = "", ...rest]: readonly string[]): string[] {
  return [program, ...rest.flatMap((argument) => /^--[A-Za-z0-9-]+/.exec(argument)?.[0] ?? [])];
}

/** Linux only. */
function fileDescriptorLimit(): number | undefined {
  try {
    const found = /^Max open files\s+(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}

function memory(): Record<string, number> {
  const { rss, heapTotal, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    Alloc: heapUsed,
    Sys: rss,
    HeapAlloc: heapUsed,
    HeapSys: heapTotal,
    HeapIdle: heapTotal - heapUsed,
    HeapInuse: heapUsed,
    external,
    arrayBuffers,
  };
}

/** One member, always its own leader while it serves. */
function raftStatus({ identity, replica }: ServiceContext): Record<string, unknown> {
  const id = identity.memberId.toString(16);
  const match = replica.committedIndex;
  return {
    id,
    term: replica.epoch,
    vote: id,
    commit: match,
    lead: replica.isServing ? id : "0",
    raftState: replica.isServing ? "StateLeader" : "StateFollower",
    applied: replica.appliedIndex,
    progress: { [id]: { match, next: match + 1, state: "StateReplicate" } },
    leadtransferee: "0",
  };
}
