/** The `holdfast` command: hands the arguments over to the command named, and loads only what that needs. */
import { hasPreloads, loadBundle } from "./load-bundle.js";

const [name, ...rest] = process.argv.slice(2);

if (name === "serve") {
  const isWatched = hasPreloads(process.execArgv, process.env.NODE_OPTIONS);
  const { runServe } = (isWatched ? undefined : loadBundle()) ?? (await import("./serve-command.js"));
  // What was loaded ahead of us may use Node.js' pool of threads as it likes.
  await runServe(rest, !isWatched);
} else {
  const { runCommand } = await import("./all-commands.js");
  await runCommand(name === undefined ? [] : [name, ...rest]);
}
