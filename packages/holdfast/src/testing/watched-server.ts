/**
 * `holdfast serve` for a server that something of the fault suites was loaded ahead of (faults/log-tap.mjs and
 * planted-loader.mjs). The command itself takes any such thing for a user of Node.js' pool of threads, and has its log sync
 * elsewhere. Theirs leave that pool alone once the modules are loaded, and what is shown of such a server shall hold for one
 * that nobody watches: so it appends as that does.
 */
import { runServe } from "../serve-command.js";

const [, ...args] = process.argv.slice(2);
await runServe(args, true);
