/** The command line itself, without its commands, and how a command is run. */
import { Command, CommanderError } from "commander";
import { exitCodes } from "./exit-codes.js";
import { version } from "./version.js";

/** The program. Whoever adds a command to it decides what is loaded for it. */
export function newProgram(): Command {
  return new Command("holdfast")
    .description("Coordination server: leases, locks and leader elections over the etcd v3 API")
    .version(version, "-V, --version")
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(`holdfast: ${text.replace(/^error: /, "").trim()}\n`) });
}

/** Runs what `args` name. What ends it goes to `fail`, unless commander has written its own line, as for help. */
export async function runProgram(
  program: Command,
  args: readonly string[],
  fail: (error: unknown) => void,
): Promise<void> {
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
    fail(error);
  }
}
