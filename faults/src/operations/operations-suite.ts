/** The suite of what operators do: backups, stops, upgrades; and of kills at named system calls. */
import type { Suite } from "../scenario.js";
import { behindSnapshots } from "./behind-snapshots.js";
import { killedAtCalls, killedWhileStarting } from "./killed-at-calls.js";
import { restore, restoreInto } from "./restore.js";
import { failureUnderSnapshots, noRoomForSnapshots, snapshotsCutShort } from "./stop-snapshots.js";
import { stops } from "./stops.js";
import { upgrade } from "./upgrade.js";

export const operationsSuite: Suite = {
  name: "operations",
  summary: "restores, stops cut short, data of earlier versions, kills at named system calls",
  scenarios: [
    restore,
    restoreInto,
    stops,
    snapshotsCutShort,
    noRoomForSnapshots,
    failureUnderSnapshots,
    upgrade,
    behindSnapshots,
    killedAtCalls,
    killedWhileStarting,
  ],
};
