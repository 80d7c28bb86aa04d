/** Every method this server offers. What is not listed is answered UNIMPLEMENTED by the transport. */
import type { Method } from "@holdfast/transport";
import { clusterMethods } from "./cluster.js";
import type { ServiceContext } from "./context.js";
import { electionMethods } from "./election.js";
import { healthMethods } from "./health.js";
import { kvMethods } from "./kv.js";
import { leaseMethods } from "./lease.js";
import { lockMethods } from "./lock.js";
import { maintenanceMethods } from "./maintenance.js";
import { watchMethods } from "./watch.js";

export function allMethods(context: ServiceContext): Method[] {
  return [
    ...kvMethods(context),
    ...watchMethods(context),
    ...leaseMethods(context),
    ...lockMethods(context),
    ...electionMethods(context),
    ...healthMethods(context),
    ...maintenanceMethods(context),
    ...clusterMethods(context),
  ];
}
