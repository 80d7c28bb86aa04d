/** The `holdfast` command: reads the arguments and hands over to the command named. */
import { Command, CommanderError } from "commander";
import { exitCodeHelp, exitCodes } from "./exit-codes.js";
import { addImportCommand } from "./import/import-command.js";
import { fail, serve } from "./serve.js";
import { normalizeArguments } from "./settings/command-line.js";
import { addServeOptions, serveSettings } from "./settings/settings.js";
import { addSnapshotCommand } from "./snapshot/snapshot-command.js";
import { version } from "./version.js";

const program = new Command("holdfast")
  .description("Coordination server: leases, locks and leader elections over the etcd v3 API")
  .version(version, "-V, --version")
  .showSuggestionAfterError()
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(`holdfast: ${text.replace(/^error: /, "").trim()}\n`) });

const [name, ...rest] = process.argv.slice(2);

const serveCommand = addServeOptions(program.command("serve"))
  .description("serve the etcd v3 API until stopped")
  .version(version, "-V, --version")
  .addHelpText("after", exitCodeHelp)
  .exitOverride();
addSnapshotCommand(program);
addImportCommand(program);

try {
  await run();
} catch (error) {
  // Commander has already written its own line, for help and for errors.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
  fail(error);
}

/** A command line of etcd is put into our words first, so that it can be moved over as it is. */
async function run(): Promise<void> {
  const line = name === "serve" ? normalizeArguments(rest) : { args: rest, ignored: [] };
  serveCommand.action(async (_options: unknown, command: Command) => serve(serveSettings(command, line.ignored)));
  await program.parseAsync(name === undefined ? [] : [name, ...line.args], { from: "user" });
}
