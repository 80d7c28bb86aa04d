/** The door of the replica package. */
export { readBatch, UnreadableEntryError } from "./batch.js";
export type { Environment } from "./environment.js";
export { LeaseClock } from "./lease-clock.js";
export { LeaseDeadlines, type LeaseTimer } from "./lease-deadlines.js";
export { Leases, type LeaseTime } from "./leases.js";
export { defaultReplicaLimits, type ReplicaLimits } from "./limits.js";
export type { LockWaiter } from "./locks/lock-queue.js";
export { LockQueues, prefixEnd, type WaitResult } from "./locks/lock-queues.js";
export type { ProposalFailure, Proposer } from "./proposer.js";
export { Replica, type ReplicaOptions } from "./replica.js";
export { WatchHub } from "./watch/watch-hub.js";
export { type SharedEvent, type WatchConsumer, Watcher, type WatchOptions } from "./watch/watcher.js";
