/**
 * Every method this server offers. What is not listed is answered UNIMPLEMENTED by the transport; what is listed and has no
 * row in `access/rights.ts` keeps the server from starting.
 */
import type { Method } from "@holdfast/transport";
import { authMethods } from "./auth.js";
import { clusterMethods } from "./cluster.js";
import type { ServiceContext } from "./context.js";
import { electionMethods } from "./election.js";
import { healthMethods } from "./health.js";
import { kvMethods } from "./kv.js";
import { leaseMethods } from "./lease.js";
import { lockMethods } from "./lock.js";
import { maintenanceMethods } from "./maintenance.js";
import { reflectionMethods } from "./reflection.js";
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
    ...authMethods(context),
    ...reflectionMethods(context),
  ];
}
