/**
 * `npm start`: installs and builds what is missing, then becomes the server.
 *
 * Arguments after `--` go to `holdfast serve` (`npm start -- --listen 127.0.0.1:2400`). The server runs in this very
 * process, so that signals, output and exit code are its own.
 */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ensureBuilt, ensureInstalled } from "./bootstrap.mjs";
import { ensureBundle } from "./bundle.mjs";
import { root } from "./workspace.mjs";

ensureInstalled();
ensureBuilt();
await ensureBundle();

const main = join(root, "packages", "holdfast", "dist", "main.js");
process.argv = [process.argv[0], main, "serve", ...process.argv.slice(2)];
await import(pathToFileURL(main).href);
