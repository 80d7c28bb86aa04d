/**
 * The config file, YAML or JSON: settings named as the flags are. A config file of etcd is read as it is: its sections for
 * TLS, and its durations in nanoseconds.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Command, Option } from "commander";
import { refuseCluster } from "./command-line.js";
import { isEtcdOnly } from "./etcd-only.js";
import { otherNames, parseFileValue } from "./options.js";
import { firstLine, UsageError } from "./usage-error.js";
import { wasGiven } from "./variables.js";

/** YAML is loaded only where there is a config file: a start need not wait for it. */
const require = createRequire(import.meta.url);

/** etcd's section for client TLS; its keys are flags, but for the one named otherwise. */
const clientSection = "client-transport-security";
const clientSectionNames: Readonly<Record<string, string>> = {
  "client-cert-allowed-hostnames": "client-cert-allowed-hostname",
};
/** The whole section means nothing here. */
const peerSection = "peer-transport-security";

/** Gives each setting of the file to the option of the same name, unless a flag or variable was given. Returns what means nothing here. Throws `UsageError`. */
export function applyFile(command: Command, file: string): string[] {
  const ignored: string[] = [];
  for (const [key, value] of flattened(readConfig(file), file)) {
    const name = otherNames[key] ?? key;
    const option = command.options.find(({ long }) => long === `--${name}` && name !== "config");
    if (option !== undefined) applySetting(command, option, { key, value, file });
    else if (key === peerSection || isEtcdOnly(key)) {
      if (typeof value === "string") refuseCluster(key, value, `config file ${file}: `);
      ignored.push(key);
    } else throw new UsageError(`config file ${file}: unknown setting "${key}"`);
  }
  return ignored;
}

interface FileSetting {
  readonly key: string;
  readonly value: unknown;
  readonly file: string;
}

function applySetting(command: Command, option: Option, setting: FileSetting): void {
  if (wasGiven(command, option.attributeName())) return;
  command.setOptionValueWithSource(option.attributeName(), fileValue(option, setting), "config");
}

/** The settings of the file, those of etcd's section for client TLS among them. */
function* flattened(config: Record<string, unknown>, file: string): Iterable<[string, unknown]> {
  for (const [key, value] of Object.entries(config)) {
    if (key !== clientSection) {
      yield [key, value];
      continue;
    }
    if (typeof value !== "object" || value === null)
      throw new UsageError(`config file ${file}: "${key}" must be a section`);
    for (const [inner, innerValue] of Object.entries(value)) yield [clientSectionNames[inner] ?? inner, innerValue];
  }
}

function readConfig(file: string): Record<string, unknown> {
  const yaml = require("yaml") as typeof import("yaml");
  let parsed: unknown;
  try {
    parsed = yaml.parse(readFileSync(file, "utf8"));
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
function fileValue(option: Option, { key, value, file }: FileSetting): unknown {
  const text = Array.isArray(value) ? value.join(",") : (value ?? "");
  if (typeof text === "object") throw new UsageError(`config file ${file}: "${key}" must be a text`);
  try {
    return parseFileValue(option, String(text));
  } catch (error) {
    throw new UsageError(`config file ${file}: "${key}": ${firstLine(error)}`);
  }
}
