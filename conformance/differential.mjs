// The differential tests: `node conformance/differential.mjs --help`. The workspace must have been built (dist/).

import { command } from "./dist/differential/main.js";

await command(process.argv.slice(2));
