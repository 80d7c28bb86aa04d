/**
 * What a command is reckoned to cost against the quota (MAINT-6).
 */
import type { PutRequest, RequestOp, TxnRequest } from "@holdfast/protocol";
import { leaseCostBytes, putOverheadBytes, recordOverheadBytes, transactionDepthMax } from "../limits.js";
import { PutIfAbsent } from "../put-if-absent.js";
import type { Command } from "../types.js";

/**
 * The cost in bytes: of a put its key and value and an overhead, of a lease a fixed one, of a transaction the dearer of
 * its branches; of everything else nothing. What is nested deeper than any transaction that can run costs nothing.
 */
export function costOf(command: Command): number {
  switch (command.kind) {
    case "put":
      return costOfPut(command.request);
    case "txn":
      return command.request instanceof PutIfAbsent
        ? costOfPut(command.request.put)
        : costOfTxn(command.request, transactionDepthMax);
    case "leaseGrant":
      return leaseCostBytes;
    default:
      return 0;
  }
}

/**
 * What a command is reckoned to add to the store, in bytes, for the server's own look at the quota: `costOf` it, and what a
 * change of users and roles adds to them. That NOSPACE stops nothing that changes users and roles (MAINT-4) is why this is
 * apart; nothing that `apply` decides may depend on it.
 */
export function growthOf(command: Command): number {
  switch (command.kind) {
    case "userAdd":
      return recordOverheadBytes + command.name.length + command.passwordHash.length;
    case "userChangePassword":
      return command.passwordHash.length;
    case "userGrantRole":
      return command.roleName.length;
    case "roleAdd":
      return recordOverheadBytes + command.name.length;
    case "roleGrantPermission": {
      const { permission } = command;
      return permission === undefined ? 0 : recordOverheadBytes + permission.key.length + permission.rangeEnd.length;
    }
    default:
      return costOf(command);
  }
}

function costOfPut({ key, value }: PutRequest): number {
  return putOverheadBytes + key.length + value.length;
}

function costOfTxn({ success, failure }: TxnRequest, depthLeft: number): number {
  return Math.max(costOfBranch(success, depthLeft), costOfBranch(failure, depthLeft));
}

function costOfBranch(operations: readonly RequestOp[], depthLeft: number): number {
  let bytes = 0;
  for (const { requestPut, requestTxn } of operations) {
    if (requestPut !== undefined) bytes += costOfPut(requestPut);
    else if (requestTxn !== undefined && depthLeft > 1) bytes += costOfTxn(requestTxn, depthLeft - 1);
  }
  return bytes;
}
