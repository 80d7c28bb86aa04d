/**
 * The settings of `holdfast serve`: one table from which the flags, the HOLDFAST_* variables, the help and the
 * keys of the config file all follow. A flag wins over a variable, a variable over the file, the file
 * over the default.
 */
import { readFileSync } from "node:fs";
import { type LogFormat, type LogLevel, logFormats, logLevels } from "@holdfast/server";
import { type Command, InvalidArgumentError, Option } from "commander";
import { parse as parseYaml } from "yaml";

/** Something the user gave cannot be used. The message says what and why, in one line. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "UsageError";
  }
}

export interface ServeSettings {
  readonly dataDir: string;
  readonly inMemory: boolean;
  readonly listen: readonly string[];
  readonly name: string;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** The options of `serve`, in the order the help shows them. */
function serveOptions(): Option[] {
  return [
    new Option("--data-dir <folder>", "where the log and snapshots live; made if missing")
      .env("HOLDFAST_DATA_DIR")
      .default("holdfast-data")
      .argParser(notEmpty),
    new Option("--in-memory [true|false]", "keep everything in memory; nothing outlives the process")
      .env("HOLDFAST_IN_MEMORY")
      .default(false)
      .preset("true")
      .argParser(trueOrFalse),
    new Option(
      "--listen <addresses>",
      "host:port, [ipv6]:port or unix:/path to serve on, several separated by commas; port 0 picks a free one",
    )
      .env("HOLDFAST_LISTEN")
      .default(["127.0.0.1:2379"], "127.0.0.1:2379")
      .argParser(addresses),
    new Option("--name <name>", "this member's name in `etcdctl member list`").env("HOLDFAST_NAME").default("default"),
    new Option("--log-level <level>", "least serious lines to log")
      .env("HOLDFAST_LOG_LEVEL")
      .choices(logLevels)
      .default("info"),
    new Option("--log-format <format>", "log lines for people or for programs")
      .env("HOLDFAST_LOG_FORMAT")
      .choices(logFormats)
      .default("text"),
    new Option("--config <file>", "YAML or JSON file with any of these settings, named as the flags are").env(
      "HOLDFAST_CONFIG",
    ),
  ];
}

export function addServeOptions(command: Command): Command {
  for (const option of serveOptions()) command.addOption(option);
  return command;
}

/** The settings in force for a parsed `serve` command. Throws `UsageError`. */
export function serveSettings(command: Command): ServeSettings {
  const { config } = command.opts<{ config?: string }>();
  if (config !== undefined) applyFile(command, config);
  const settings = command.opts<ServeSettings>();
  return { ...settings, inMemory: settings.inMemory && !prefersDataDir(command) };
}

/** From the weakest to the strongest. */
const sources = ["default", "config", "env", "cli"];

/** Whether a data folder was named by a stronger source than in-memory was. Throws `UsageError` if by the same. */
function prefersDataDir(command: Command): boolean {
  const strength = (name: string): number => sources.indexOf(command.getOptionValueSource(name) ?? "default");
  const [dataDir, inMemory] = [strength("dataDir"), strength("inMemory")];
  if (dataDir === inMemory) throw new UsageError("in-memory and data-dir exclude each other");
  return dataDir > inMemory;
}

/** Gives each setting of the file to the option of the same name, unless a flag or variable was given. */
function applyFile(command: Command, file: string): void {
  for (const [key, value] of Object.entries(readConfig(file))) {
    const option = command.options.find(({ long }) => long === `--${key}` && key !== "config");
    if (option === undefined) throw new UsageError(`config file ${file}: unknown setting "${key}"`);
    const name = option.attributeName();
    if (command.getOptionValueSource(name) !== "default") continue;
    command.setOptionValueWithSource(name, fileValue(option, key, value, file), "config");
  }
}

function readConfig(file: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = parseYaml(readFileSync(file, "utf8"));
  } catch (error) {
    throw new UsageError(`config file ${file}: ${firstLine(error)}`);
  }
  if (parsed === null || parsed === undefined) return {};
  if (typeof parsed !== "object" || Array.isArray(parsed)) {
    throw new UsageError(`config file ${file}: want settings as "name: value" lines`);
  }
  return parsed as Record<string, unknown>;
}

/** One value of the file, checked as if it had been given on the command line. */
function fileValue(option: Option, key: string, value: unknown, file: string): unknown {
  const text = Array.isArray(value) ? value.join(",") : value;
  if (typeof text === "object" || text === undefined) {
    throw new UsageError(`config file ${file}: "${key}" must be a text`);
  }
  try {
    return option.parseArg === undefined ? String(text) : option.parseArg(String(text), undefined);
  } catch (error) {
    throw new UsageError(`config file ${file}: "${key}": ${firstLine(error)}`);
  }
}

function trueOrFalse(text: string): boolean {
  if (["true", "1"].includes(text)) return true;
  if (["false", "0"].includes(text)) return false;
  throw new InvalidArgumentError("want true or false");
}

function notEmpty(text: string): string {
  if (text === "") throw new InvalidArgumentError("want a folder");
  return text;
}

function addresses(text: string): string[] {
  const list = text.split(",").map((address) => address.trim());
  if (list.includes("")) throw new InvalidArgumentError("want host:port, several separated by commas");
  return list;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] as string;
}
