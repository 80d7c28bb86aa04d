/**
 * `holdfast serve` on the command line. This file and all that it imports is what a server needs to start, and nothing else:
 * it is also built into one file (`tools/bundle.mjs`).
 */
import type { Command } from "commander";
import { exitCodeHelp } from "./exit-codes.js";
import { newProgram, runProgram } from "./program.js";
import { fail, serve } from "./serve.js";
import { normalizeArguments } from "./settings/command-line.js";
import { addServeOptions, serveSettings } from "./settings/settings.js";
import { version } from "./version.js";

/** Adds the command to `program`. `ignoredFlags` are those that `normalizeArguments` left out; for `ownsProcess` see `startServer`. */
export function addServeCommand(program: Command, ignoredFlags: readonly string[] = [], ownsProcess = false): void {
  addServeOptions(program.command("serve"))
    .description("serve the etcd v3 API until stopped")
    .version(version, "-V, --version")
    .addHelpText("after", exitCodeHelp)
    .exitOverride()
    .action(async (_options: unknown, command: Command) => serve(serveSettings(command, ignoredFlags), ownsProcess));
}

/**
 * Serves as `args` say, which follow the word `serve`. A command line of etcd is put into our words first. `ownsProcess` tells
 * that nothing was loaded into the process but this.
 */
export async function runServe(args: readonly string[], ownsProcess = false): Promise<void> {
  const program = newProgram();
  try {
    const line = normalizeArguments(args);
    addServeCommand(program, line.ignored, ownsProcess);
    await runProgram(program, ["serve", ...line.args], fail);
  } catch (error) {
    fail(error);
  }
}
