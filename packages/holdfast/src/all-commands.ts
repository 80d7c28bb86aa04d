/** Every command, for all that does not begin with `serve`: what is run then need not be there at once. */
import { addImportCommand } from "./import/import-command.js";
import { newProgram, runProgram } from "./program.js";
import { remoteExitCodeOf } from "./remote/remote-exit-codes.js";
import { fail } from "./serve.js";
import { addServeCommand } from "./serve-command.js";
import { addSnapshotCommand } from "./snapshot/snapshot-command.js";

/** Runs what `args` name, or shows what there is. */
export async function runCommand(args: readonly string[]): Promise<void> {
  const program = newProgram();
  addServeCommand(program);
  addSnapshotCommand(program);
  addImportCommand(program);
  await runProgram(program, args, (error) => fail(error, remoteExitCodeOf(error)));
}
