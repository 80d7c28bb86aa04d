/** The `holdfast` command: reads the arguments and hands over to the command named. */
import { Command, CommanderError } from "commander";
import { exitCodeHelp, exitCodes } from "./exit-codes.js";
import { fail, serve } from "./serve.js";
import { addServeOptions, serveSettings } from "./settings.js";
import { version } from "./version.js";

const program = new Command("holdfast")
  .description("Coordination server: leases, locks and leader elections over the etcd v3 API")
  .version(version, "-V, --version")
  .showSuggestionAfterError()
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(`holdfast: ${text.replace(/^error: /, "").trim()}\n`) });

addServeOptions(program.command("serve"))
  .description("serve the etcd v3 API until stopped")
  .addHelpText("after", exitCodeHelp)
  .exitOverride()
  .action(async (_options, command: Command) => serve(serveSettings(command)));

try {
  await program.parseAsync();
} catch (error) {
  // Commander has already written its own line, for help and for errors.
  if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? exitCodes.ok : exitCodes.usage);
  fail(error);
}
