/**
 * Bounds on leases and on the keys of one lease: ending a lease is one change of all its keys, which cannot be cut in slices
 * (I7, fault-model F14).
 *
 * Looked at before a command is logged and not when it is applied, where every version of the program has to come to the same
 * result. So what waits for the log may carry a lease past its bound, by as much as may wait.
 */
import type { ByteString, RequestOp, TxnRequest } from "@holdfast/protocol";
import { type Command, PutIfAbsent, type StateMachine, transactionDepthMax } from "@holdfast/state-machine";
import type { ServiceLimits } from "../limits.js";

export type LeaseBound = "leasesTotal" | "keysPerLease";

export class LeaseBounds {
  readonly #machine: StateMachine;
  readonly #limits: Pick<ServiceLimits, LeaseBound>;

  constructor(machine: StateMachine, limits: Pick<ServiceLimits, LeaseBound>) {
    this.#machine = machine;
    this.#limits = limits;
  }

  /** The bound that stands against `command`, if there is one. */
  reachedBy(command: Command): LeaseBound | undefined {
    switch (command.kind) {
      case "leaseGrant":
        return this.#hasRoomForLease(command.leaseId) ? undefined : "leasesTotal";
      case "put":
        return this.#hasRoomForKeys(command.request.lease, command.request.key, 1) ? undefined : "keysPerLease";
      case "txn":
        return this.#hasRoomForTxn(command.request) ? undefined : "keysPerLease";
      default:
        return undefined;
    }
  }

  /** An id that is in use is refused for that (LEASE-3). */
  #hasRoomForLease(leaseId: bigint): boolean {
    return this.#machine.leaseCount < this.#limits.leasesTotal || this.#machine.lease(leaseId) !== undefined;
  }

  /** Whether `added` keys more, `key` among them, may be tied to a lease. An unknown lease is refused for that. */
  #hasRoomForKeys(leaseId: bigint, key: ByteString, added: number): boolean {
    // Nearly always all leases together have fewer keys than each may have.
    if (leaseId === 0n || this.#machine.leasedKeyCount + added <= this.#limits.keysPerLease) return true;
    const keys = this.#machine.lease(leaseId)?.keys;
    return keys === undefined || keys.size + added <= this.#limits.keysPerLease || keys.has(key);
  }

  /** Most transactions are small and put to leases with few keys, whichever branch is taken. */
  #hasRoomForTxn(request: TxnRequest): boolean {
    if (request instanceof PutIfAbsent) return this.#hasRoomForKeys(request.put.lease, request.put.key, 1);
    const { success, failure } = request;
    const addedMax = success.length + failure.length;
    if (this.#hasRoomForAll(success, addedMax) && this.#hasRoomForAll(failure, addedMax)) return true;
    return this.#hasRoomForEach(request);
  }

  /** Whether every lease that is put to has room for as many keys; false where that is not told at a glance. */
  #hasRoomForAll(operations: readonly RequestOp[], added: number): boolean {
    for (const { requestPut, requestTxn } of operations) {
      if (requestTxn !== undefined) return false;
      if (requestPut !== undefined && !this.#hasRoomForKeys(requestPut.lease, requestPut.key, added)) return false;
    }
    return true;
  }

  /** Counts every put for itself: at most a few hundred. */
  #hasRoomForEach(request: TxnRequest): boolean {
    const added = new Map<bigint, number>();
    const fits = ({ requestPut, requestTxn }: RequestOp, depthLeft: number): boolean => {
      if (requestTxn !== undefined) return depthLeft <= 1 || all(requestTxn, depthLeft - 1);
      if (requestPut === undefined || requestPut.lease === 0n) return true;
      const count = (added.get(requestPut.lease) ?? 0) + 1;
      added.set(requestPut.lease, count);
      return this.#hasRoomForKeys(requestPut.lease, requestPut.key, count);
    };
    const all = ({ success, failure }: TxnRequest, depthLeft: number): boolean =>
      success.every((operation) => fits(operation, depthLeft)) &&
      failure.every((operation) => fits(operation, depthLeft));
    return all(request, transactionDepthMax);
  }
}
