// Calls the JSON gateway with the program curl, as a shell script would, and prints one line per check:
// `ok <words>` or `FAILED <words>: <why>`. ../run.mjs starts the servers and says in the environment where they are.

import { failures } from "./check.mjs";
import { checkHttp } from "./http.mjs";
import { checkKv } from "./kv.mjs";
import { checkLease } from "./lease.mjs";
import { checkQueues } from "./queues.mjs";
import { checkSecure } from "./secure.mjs";
import { checkWatch } from "./watch.mjs";

for (const area of [checkKv, checkWatch, checkLease, checkQueues, checkHttp, checkSecure]) {
  await area();
}
process.exit(failures() > 0 ? 1 : 0);
