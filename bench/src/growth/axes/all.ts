/** The axes, in the order in which they are measured. */
import type { Axis } from "../axis.js";
import { connectionsAxis } from "./connections.js";
import { historyAxis } from "./history.js";
import { keysAxis } from "./keys.js";
import { waitersAxis } from "./waiters.js";
import { watchersAxis } from "./watchers.js";

export const allAxes: readonly Axis[] = [keysAxis, watchersAxis, connectionsAxis, waitersAxis, historyAxis];
