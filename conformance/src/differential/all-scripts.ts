// Every script there is. A new file in scripts/ is added here; all-scripts.test.ts notices one that is forgotten.

import type { Script } from "./script.js";
import { scripts as authCertificates } from "./scripts/auth-certificates.js";
import { scripts as authJwt } from "./scripts/auth-jwt.js";
import { scripts as authJwtCallers } from "./scripts/auth-jwt-callers.js";
import { scripts as authLogin } from "./scripts/auth-login.js";
import { scripts as authOrder } from "./scripts/auth-order.js";
import { scripts as authPermissions } from "./scripts/auth-permissions.js";
import { scripts as authSwitch } from "./scripts/auth-switch.js";
import { scripts as authTable } from "./scripts/auth-table.js";
import { scripts as authUsers } from "./scripts/auth-users.js";
import { scripts as authWatch } from "./scripts/auth-watch.js";
import { scripts as autoCompaction } from "./scripts/auto-compaction.js";
import { scripts as clients } from "./scripts/clients.js";
import { scripts as cluster } from "./scripts/cluster.js";
import { scripts as compaction } from "./scripts/compaction.js";
import { scripts as election } from "./scripts/election.js";
import { scripts as electionObserve } from "./scripts/election-observe.js";
import { scripts as electionWaits } from "./scripts/election-waits.js";
import { scripts as gatewayCalls } from "./scripts/gateway-calls.js";
import { scripts as gatewayHeads } from "./scripts/gateway-heads.js";
import { scripts as gatewayJson } from "./scripts/gateway-json.js";
import { scripts as gatewayStreams } from "./scripts/gateway-streams.js";
import { scripts as general } from "./scripts/general.js";
import { scripts as kubernetes } from "./scripts/kubernetes.js";
import { scripts as kvRangeStream } from "./scripts/kv-range-stream.js";
import { scripts as kvRanges } from "./scripts/kv-ranges.js";
import { scripts as kvWrites } from "./scripts/kv-writes.js";
import { scripts as leaseExpiry } from "./scripts/lease-expiry.js";
import { scripts as leaseGrant } from "./scripts/lease-grant.js";
import { scripts as leaseKeepAlive } from "./scripts/lease-keep-alive.js";
import { scripts as leaseKeys } from "./scripts/lease-keys.js";
import { scripts as leaseRestart } from "./scripts/lease-restart.js";
import { scripts as limits } from "./scripts/limits.js";
import { scripts as listeners } from "./scripts/listeners.js";
import { scripts as lock } from "./scripts/lock.js";
import { scripts as lockAuth } from "./scripts/lock-auth.js";
import { scripts as lockClients } from "./scripts/lock-clients.js";
import { scripts as lockWaits } from "./scripts/lock-waits.js";
import { scripts as maintenance } from "./scripts/maintenance.js";
import { scripts as maintenanceAlarms } from "./scripts/maintenance-alarms.js";
import { scripts as opsPages } from "./scripts/ops-pages.js";
import { scripts as txn } from "./scripts/txn.js";
import { scripts as txnChecks } from "./scripts/txn-checks.js";
import { scripts as watchCompaction } from "./scripts/watch-compaction.js";
import { scripts as watchCreate } from "./scripts/watch-create.js";
import { scripts as watchEvents } from "./scripts/watch-events.js";
import { scripts as watchLife } from "./scripts/watch-life.js";
import { scripts as watchProgress } from "./scripts/watch-progress.js";

/** All scripts, in the order of their files. */
export const allScripts: readonly Script[] = [
  ...authCertificates,
  ...authJwtCallers,
  ...authJwt,
  ...authLogin,
  ...authOrder,
  ...authPermissions,
  ...authSwitch,
  ...authTable,
  ...authUsers,
  ...authWatch,
  ...autoCompaction,
  ...clients,
  ...cluster,
  ...compaction,
  ...electionObserve,
  ...electionWaits,
  ...election,
  ...gatewayCalls,
  ...gatewayHeads,
  ...gatewayJson,
  ...gatewayStreams,
  ...general,
  ...kubernetes,
  ...kvRangeStream,
  ...kvRanges,
  ...kvWrites,
  ...leaseExpiry,
  ...leaseGrant,
  ...leaseKeepAlive,
  ...leaseKeys,
  ...leaseRestart,
  ...limits,
  ...listeners,
  ...lockAuth,
  ...lockClients,
  ...lockWaits,
  ...lock,
  ...maintenanceAlarms,
  ...maintenance,
  ...opsPages,
  ...txnChecks,
  ...txn,
  ...watchCompaction,
  ...watchCreate,
  ...watchEvents,
  ...watchLife,
  ...watchProgress,
];
