/** The door of the replica package. */
export { readBatch, UnreadableEntryError } from "./batch.js";
export type { Environment } from "./environment.js";
export { defaultReplicaLimits, type ReplicaLimits } from "./limits.js";
export type { KeyEnd } from "./locks/key-end.js";
export type { HoldLoss, LockMeter, WaitLoss } from "./locks/lock-meter.js";
export type { LockWaiter } from "./locks/lock-queue.js";
export { prefixEnd } from "./locks/prefix-end.js";
export { Histogram, risingBounds } from "./metrics/histogram.js";
export type { LeaseMeter } from "./metrics/lease-meter.js";
export type { OperationCounts } from "./metrics/operation-counts.js";
export type { ProposalFailure, Proposer } from "./proposer.js";
export { Replica, type ReplicaOptions } from "./replica.js";
export { StateLoader } from "./state-loader.js";
export { UnappliableEntryError } from "./unappliable-entry.js";
export type { CatchUpResponse, SharedEvent, WatchConsumer, Watcher, WatchOptions } from "./watch/watcher.js";
