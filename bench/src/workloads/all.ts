/**
 * All workloads, in the order of the table.
 */
import type { Workload } from "../workload.js";
import { campaignWorkloads } from "./campaign.js";
import { catchUpWorkloads } from "./catch-up.js";
import { expiryWorkloads } from "./expiry.js";
import { handOverWorkloads } from "./hand-over.js";
import { leaseWorkloads } from "./lease.js";
import { lockWorkloads, secureLockWorkload } from "./lock.js";
import { memoryWorkloads } from "./memory.js";
import { mixedWorkloads } from "./mixed.js";
import { putWorkloads } from "./put.js";
import { rangeWorkloads } from "./range.js";
import { restartWorkloads } from "./restart.js";
import { tlsWorkloads } from "./tls.js";
import { txnWorkloads } from "./txn.js";
import { watchWorkloads } from "./watch.js";

export const allWorkloads: readonly Workload[] = [
  ...putWorkloads,
  ...txnWorkloads,
  ...rangeWorkloads,
  ...lockWorkloads,
  ...handOverWorkloads,
  ...campaignWorkloads,
  ...leaseWorkloads,
  ...tlsWorkloads,
  secureLockWorkload,
  ...watchWorkloads,
  ...catchUpWorkloads,
  ...expiryWorkloads,
  ...restartWorkloads,
  ...memoryWorkloads,
  ...mixedWorkloads,
];
