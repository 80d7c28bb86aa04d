/** etcd's variables, ETCD_*: each setting has the one etcd has for it. A HOLDFAST_* variable wins over them. */
import { type Command, InvalidArgumentError } from "commander";
import { refuseCluster } from "./command-line.js";
import { isEtcdOnly } from "./etcd-only.js";
import { etcdVariable, otherNames } from "./options.js";
import { firstLine, UsageError } from "./usage-error.js";

export interface FoundVariables {
  /** Variables that are etcd's and mean nothing here. */
  readonly ignored: readonly string[];
  /** Variables that are neither etcd's nor ours, though they begin as those do. */
  readonly unknown: readonly string[];
}

/** Gives each variable to the setting of its name, unless a flag or a HOLDFAST_* variable was given. Throws `UsageError`. */
export function applyVariables(command: Command, environment: NodeJS.ProcessEnv): FoundVariables {
  const ignored: string[] = [];
  const unknown: string[] = [];
  const settings = new Map(settingsByVariable(command));
  for (const [variable, value = ""] of Object.entries(environment)) {
    // An empty variable counts as none, as in etcd.
    if (variable.startsWith("ETCD_") && value !== "") {
      const setting = settings.get(variable);
      const flag = variable.slice("ETCD_".length).toLowerCase().replaceAll("_", "-");
      if (setting !== undefined) applyVariable(command, setting, variable, value);
      else if (isEtcdOnly(flag)) {
        refuseCluster(flag, value, `${variable}: `);
        ignored.push(variable);
      } else unknown.push(variable);
    } else if (variable.startsWith("HOLDFAST_") && !command.options.some((option) => option.envVar === variable)) {
      unknown.push(variable);
    }
  }
  return { ignored, unknown };
}

/** From each variable of etcd to the flag of its setting, without dashes. */
function* settingsByVariable(command: Command): Iterable<[string, string]> {
  for (const option of command.options) if (option.long) yield [etcdVariable(option.name()), option.name()];
  for (const [other, name] of Object.entries(otherNames)) yield [etcdVariable(other), name];
}

function applyVariable(command: Command, setting: string, variable: string, value: string): void {
  const option = command.options.find((candidate) => candidate.name() === setting);
  if (option === undefined || wasGiven(command, option.attributeName())) return;
  try {
    const parsed = option.parseArg === undefined ? value : option.parseArg(value, undefined);
    command.setOptionValueWithSource(option.attributeName(), parsed, "etcd-env");
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new UsageError(`${variable} "${value}" is invalid: ${firstLine(error)}`);
  }
}

/** Whether a stronger source than a default has set it. */
export function wasGiven(command: Command, attribute: string): boolean {
  return (command.getOptionValueSource(attribute) ?? "default") !== "default";
}
