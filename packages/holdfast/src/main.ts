/** The `holdfast` command: hands the arguments over to the command named, and loads only what that needs. */
import { hasPreloads, loadBundle } from "./load-bundle.js";

const [name, ...rest] = process.argv.slice(2);

if (name === "serve") {
  const bundle = hasPreloads(process.execArgv, process.env.NODE_OPTIONS) ? undefined : loadBundle();
  const { runServe } = bundle ?? (await import("./serve-command.js"));
  await runServe(rest);
} else {
  const { runCommand } = await import("./all-commands.js");
  await runCommand(name === undefined ? [] : [name, ...rest]);
}
