/**
 * The deterministic core: commands in, outcomes and changes out. Keys with their history, transactions, leases,
 * compaction, snapshots.
 *
 * Time, storage, networks and error texts are elsewhere.
 */

export type { Action } from "./auth/action.js";
export * from "./auth/auth-types.js";
export { callerBytes, writeCaller } from "./auth/caller-codec.js";
export { costOf, growthOf } from "./auth/cost.js";
export { rootRole, rootUser } from "./auth/names.js";
export * from "./checks.js";
export * from "./command-codec.js";
export { FrozenState } from "./frozen-state.js";
export type { RevisionVisitor } from "./history-reader.js";
export { IdTable } from "./id-table.js";
export * from "./key-interval.js";
export type { VersionVisitor } from "./key-space.js";
export type { LargeRange } from "./large-range.js";
export { leaseTtlSecondsMax, transactionDepthMax, transactionOperationsMaxDefault } from "./limits.js";
export { PutIfAbsent } from "./put-if-absent.js";
export { RevisionStepError } from "./raise-revision.js";
export { RangeReader, type RangeReaderOutcome, type RangeSlice } from "./range-reader.js";
export { Restorer } from "./restorer.js";
export { SnapshotFormatError } from "./snapshot-format.js";
export { StateMachine } from "./state-machine.js";
export type { TxnBounds, TxnExcess, Upcoming } from "./transaction-bounds.js";
export { isReadOnlyTxn, isSerializableTxn } from "./transactions.js";
export * from "./types.js";
