/**
 * The settings of `holdfast serve`, gathered: a flag wins over a HOLDFAST_* variable, that over etcd's ETCD_* variable,
 * that over the file, the file over the default.
 */
import type { LogFormat, LogLevel, ServerOptions } from "@holdfast/server";
import type { Command } from "commander";
import { applyFile } from "./config-file.js";
import { serveOptions } from "./options.js";
import { type RawSettings, serverOptions } from "./server-settings.js";
import { UsageError } from "./usage-error.js";
import { applyVariables } from "./variables.js";

export interface ServeSettings {
  readonly dataDir: string;
  readonly inMemory: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  /** Where log lines go: "stdout", "stderr", "default" (which is stdout), or files. */
  readonly logOutputs: readonly string[];
  /** Flags, variables and keys of etcd's that were given and mean nothing here. */
  readonly ignored: readonly string[];
  /** Variables that look like ours or etcd's and are neither. */
  readonly unknownVariables: readonly string[];
  readonly server: Omit<ServerOptions, "dataDir" | "logger" | "onFatal">;
}

/** Adds all settings to `command`. */
export function addServeOptions(command: Command): Command {
  for (const option of serveOptions()) command.addOption(option);
  return command;
}

/**
 * The settings in force for a parsed `serve` command. `ignoredFlags` are those that `normalizeArguments` left out. Throws
 * `UsageError`.
 */
export function serveSettings(
  command: Command,
  ignoredFlags: readonly string[] = [],
  environment: NodeJS.ProcessEnv = process.env,
): ServeSettings {
  const variables = applyVariables(command, environment);
  const { config } = command.opts<{ config?: string }>();
  const ofFile = config === undefined ? [] : applyFile(command, config);
  const settings = command.opts<RawSettings & ServeSettings>();
  return {
    dataDir: settings.dataDir,
    inMemory: settings.inMemory && !prefersDataDir(command),
    logLevel: settings.logLevel,
    logFormat: settings.logFormat,
    logOutputs: settings.logOutputs,
    ignored: [...ignoredFlags, ...variables.ignored, ...ofFile],
    unknownVariables: variables.unknown,
    server: serverOptions(settings),
  };
}

/** From the weakest to the strongest. */
const sources = ["default", "config", "etcd-env", "env", "cli"];

/** Whether a data folder was named by a stronger source than in-memory was. Throws `UsageError` if by the same. */
function prefersDataDir(command: Command): boolean {
  const strength = (name: string): number => sources.indexOf(command.getOptionValueSource(name) ?? "default");
  const [dataDir, inMemory] = [strength("dataDir"), strength("inMemory")];
  if (dataDir === inMemory) throw new UsageError("--in-memory and --data-dir exclude each other");
  return dataDir > inMemory;
}
