/**
 * From a command line of etcd to one that commander reads: other names of settings, one dash instead of two, and flags
 * that mean nothing here.
 */
import { isEtcdOnly, reasonToRefuse, takesValue } from "./etcd-only.js";
import { otherNames } from "./options.js";
import { UsageError } from "./usage-error.js";

export interface CommandLine {
  readonly args: readonly string[];
  /** The flags that were left out because they mean nothing here. */
  readonly ignored: readonly string[];
}

/** `name` and, where it was written so, `=value` of a flag. One dash is as good as two, as in Go. */
const flagPattern = /^--?([a-z][a-z0-9-]+)(=.*)?$/s;

/** Throws `UsageError` for a flag of etcd that cannot be passed over. */
export function normalizeArguments(args: readonly string[]): CommandLine {
  const kept: string[] = [];
  const ignored: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] as string;
    const match = flagPattern.exec(arg);
    if (match === null) {
      kept.push(arg);
      continue;
    }
    const [, name = "", value] = match;
    if (!isEtcdOnly(name)) {
      kept.push(`--${otherNames[name] ?? name}${value ?? ""}`);
      continue;
    }
    const given = value?.slice(1) ?? (takesValue(name) ? args[++at] : undefined);
    if (given === undefined && takesValue(name)) throw new UsageError(`--${name} wants a value`);
    refuseCluster(name, given ?? "", "--");
    ignored.push(`--${name}`);
  }
  return { args: kept, ignored };
}

/** Throws `UsageError` if a setting of etcd's describes a cluster of several members. */
export function refuseCluster(flag: string, value: string, before = ""): void {
  const reason = reasonToRefuse(flag, value);
  if (reason !== undefined) throw new UsageError(`${before}${reason}`);
}
