/**
 * `npm run bench`: Holdfast and etcd side by side on this machine. `--help` says what it can do; `src/main.ts` does it.
 * `--no-build` takes what is built as it is.
 */

import { join } from "node:path";
import { ensureBuilt, ensureInstalled } from "../tools/bootstrap.mjs";
import { ensureBundle } from "../tools/bundle.mjs";
import { root, takeSwitch } from "../tools/workspace.mjs";

const args = process.argv.slice(2);
if (!takeSwitch(args, "--no-build")) {
  ensureInstalled();
  ensureBuilt([join(root, "packages", "holdfast"), join(root, "bench")]);
  await ensureBundle();
}
const { main } = await import("./dist/main.js");
process.exit(await main(args));
