/**
 * `npm run build`: installs what is missing and builds every package, and of what a server consists of one file that starts
 * faster. `--clean` removes all built files first.
 */

import { rmSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt, ensureInstalled } from "./bootstrap.mjs";
import { ensureBundle } from "./bundle.mjs";
import { takeSwitch, workspaceFolders } from "./workspace.mjs";

const args = process.argv.slice(2);
if (takeSwitch(args, "--clean")) {
  for (const folder of workspaceFolders()) rmSync(join(folder, "dist"), { recursive: true, force: true });
}
ensureInstalled();
ensureBuilt();
await ensureBundle();
