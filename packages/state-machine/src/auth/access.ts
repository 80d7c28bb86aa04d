/**
 * Who may do what while authentication is on (AUTH-20).
 *
 * Two lists, one of commands and one of actions, each complete: what is on neither is refused, and a new kind does not
 * compile until it has its line.
 */
import type {
  ByteString,
  Compare,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  TxnRequest,
} from "@holdfast/protocol";
import { emptyByteString } from "@holdfast/protocol";
import type { LeaseTable } from "../leases.js";
import { transactionDepthMax } from "../limits.js";
import type { Command, LeaseRecord, Refusal } from "../types.js";
import type { Action } from "./action.js";
import type { AuthStore } from "./auth-store.js";
import { type Caller, systemCaller } from "./auth-types.js";
import { LeaseRights } from "./lease-rights.js";
import type { UserAccess } from "./user-access.js";

type Verdict = Refusal | undefined;

/** In place of the first key of a watch that names none (WATCH-6). */
const firstKey = "\0" as ByteString;

export class AccessControl {
  readonly #auth: AuthStore;
  readonly #leases: LeaseTable;
  readonly #leaseRights = new LeaseRights();

  constructor(auth: AuthStore, leases: LeaseTable) {
    this.#auth = auth;
    this.#leases = leases;
    leases.observer = this.#leaseRights;
  }

  /** Why `caller` may not run `command` now; undefined when nothing speaks against it. */
  commandRefusal(command: Command, caller: Caller | undefined): Verdict {
    if (!this.#auth.enabled || caller === systemCaller) return undefined;
    switch (command.kind) {
      case "put":
        return this.#putRefusal(command.request, caller);
      case "deleteRange":
        return this.#deleteRefusal(command.request, caller);
      case "txn":
        return this.#txnRefusal(command.request, caller);
      case "leaseGrant":
        return this.#authenticatedRefusal(caller);
      case "leaseRevoke":
        return this.#leaseWriteRefusal(command.leaseId, caller);
      case "leaseExpire":
        // Only the server ever proposes it; nobody signs it, because it was so before there were callers.
        return caller === undefined ? undefined : "permission-denied";
      case "compact":
      case "alarm":
      case "authEnable":
      case "authDisable":
      case "userAdd":
      case "userDelete":
      case "userChangePassword":
      case "userGrantRole":
      case "userRevokeRole":
      case "roleAdd":
      case "roleDelete":
      case "roleGrantPermission":
      case "roleRevokePermission":
        return this.#adminRefusal(caller);
      default:
        return refuseUnlisted(command);
    }
  }

  /** Why `caller` may not see or do this now; undefined when nothing speaks against it. */
  actionRefusal(action: Action, caller: Caller | undefined): Verdict {
    if (!this.#auth.enabled || caller === systemCaller) return undefined;
    switch (action.kind) {
      case "range":
        return this.#readRefusal(action.request.key, action.request.rangeEnd, caller) ?? this.#aheadRefusal(caller);
      case "readTxn":
        return this.#txnRefusal(action.request, caller) ?? this.#aheadRefusal(caller);
      case "watch":
        return this.#readRefusal(action.key.length === 0 ? firstKey : action.key, action.rangeEnd, caller);
      case "leaseTimeToLive":
        return this.#timeToLiveRefusal(action.leaseId, action.keys, caller);
      case "leaseLeases":
        return this.#leaseLeasesRefusal(caller);
      case "leaseKeepAlive":
        return this.#leaseWriteRefusal(action.leaseId, caller);
      case "userGet":
        return this.#ownRefusal(caller, caller?.userName === action.name);
      case "roleGet":
        return this.#ownRefusal(caller, this.#holdsRole(caller, action.name));
      case "authenticated":
        return this.#authenticatedRefusal(caller);
      case "admin":
        return this.#adminRefusal(caller);
      default:
        return refuseUnlisted(action);
    }
  }

  /** What the caller of a key operation may do, or why nothing (AUTH-11, AUTH-12, AUTH-22). */
  #keyAccess(caller: Caller | undefined): UserAccess | Refusal {
    if (caller === undefined || caller.authRevision === 0) return "user-empty";
    if (!(caller.authRevision >= this.#auth.revision)) return "auth-revision-old";
    return this.#auth.access(caller.userName) ?? "permission-denied";
  }

  #readRefusal(key: ByteString, rangeEnd: ByteString, caller: Caller | undefined): Verdict {
    const access = this.#keyAccess(caller);
    return typeof access === "string" ? access : verdict(access.mayRead(key, rangeEnd));
  }

  /** AUTH-11: reads take exactly the present revision; only a token made elsewhere can be ahead of it. */
  #aheadRefusal(caller: Caller | undefined): Verdict {
    return caller !== undefined && caller.authRevision > this.#auth.revision ? "auth-revision-old" : undefined;
  }

  #putRefusal(request: PutRequest, caller: Caller | undefined): Verdict {
    const access = this.#keyAccess(caller);
    return typeof access === "string" ? access : verdict(this.#mayPut(access, request));
  }

  #deleteRefusal(request: DeleteRangeRequest, caller: Caller | undefined): Verdict {
    const access = this.#keyAccess(caller);
    return typeof access === "string" ? access : verdict(mayDelete(access, request));
  }

  #txnRefusal(request: TxnRequest, caller: Caller | undefined): Verdict {
    if (isDeeperThan(request, transactionDepthMax)) return "too-many-operations";
    const access = this.#keyAccess(caller);
    return typeof access === "string" ? access : verdict(this.#mayTxn(access, request));
  }

  /** AUTH-19, AUTH-22. Does not look at the caller's auth revision (AUTH-11). */
  #adminRefusal(caller: Caller | undefined): Verdict {
    if (caller === undefined || caller.userName === "") return "user-empty";
    const access = this.#auth.access(caller.userName);
    if (access === undefined) return "user-not-found";
    return access.isRoot ? undefined : "permission-denied";
  }

  /** For what any user may do. Stricter than etcd, to which a token of a user who is no more is as good as any other. */
  #authenticatedRefusal(caller: Caller | undefined): Verdict {
    if (caller === undefined) return "user-empty";
    return this.#auth.user(caller.userName) === undefined ? "permission-denied" : undefined;
  }

  /** For what a user may always see of itself, and role `root` of everybody. */
  #ownRefusal(caller: Caller | undefined, isOwn: boolean): Verdict {
    return isOwn ? undefined : this.#adminRefusal(caller);
  }

  #holdsRole(caller: Caller | undefined, roleName: string): boolean {
    return caller !== undefined && this.#auth.user(caller.userName)?.roles.includes(roleName) === true;
  }

  /** WRITE on all keys of the lease, for ending and for renewing it. */
  #leaseWriteRefusal(leaseId: bigint, caller: Caller | undefined): Verdict {
    return this.#leaseKeysRefusal(this.#leases.find(leaseId), caller, "write");
  }

  #timeToLiveRefusal(leaseId: bigint, keys: boolean, caller: Caller | undefined): Verdict {
    return this.#leaseKeysRefusal(keys ? this.#leases.find(leaseId) : undefined, caller, "read");
  }

  #leaseLeasesRefusal(caller: Caller | undefined): Verdict {
    for (const lease of this.#leases.all()) {
      const refusal = this.#leaseKeysRefusal(lease, caller, "read");
      if (refusal !== undefined) return refusal;
    }
    return this.#authenticatedRefusal(caller);
  }

  /** Where there are no keys, any user will do; for role `root`, the caller's auth revision is not looked at. */
  #leaseKeysRefusal(lease: LeaseRecord | undefined, caller: Caller | undefined, wanted: "read" | "write"): Verdict {
    if (lease === undefined || lease.keys.size === 0) return this.#authenticatedRefusal(caller);
    if (this.#adminRefusal(caller) === undefined) return undefined;
    const access = this.#keyAccess(caller);
    if (typeof access === "string") return access;
    const { revision } = this.#auth;
    return verdict(
      wanted === "write"
        ? this.#leaseRights.mayWriteAll(access, lease, revision)
        : this.#leaseRights.mayReadAll(access, lease, revision),
    );
  }

  /** WRITE on all keys of the lease as well: who may not revoke it must not tie a key to it. */
  #mayPut(access: UserAccess, { key, lease, prevKv }: PutRequest): boolean {
    if (!access.mayWrite(key, emptyByteString) || (prevKv && !access.mayRead(key, emptyByteString))) return false;
    const record = this.#leases.find(lease);
    return record === undefined || this.#leaseRights.mayWriteAll(access, record, this.#auth.revision);
  }

  #mayTxn(access: UserAccess, { compare, success, failure }: TxnRequest): boolean {
    return (
      compare.every((one) => mayCompare(access, one)) &&
      success.every((operation) => this.#mayRun(access, operation)) &&
      failure.every((operation) => this.#mayRun(access, operation))
    );
  }

  #mayRun(access: UserAccess, operation: RequestOp): boolean {
    if (operation.requestRange !== undefined) return mayRange(access, operation.requestRange);
    if (operation.requestPut !== undefined) return this.#mayPut(access, operation.requestPut);
    if (operation.requestDeleteRange !== undefined) return mayDelete(access, operation.requestDeleteRange);
    // An operation without content does nothing, and is refused for that.
    return operation.requestTxn === undefined || this.#mayTxn(access, operation.requestTxn);
  }
}

/** For what is on no list; a kind that could come here does not compile. */
function refuseUnlisted(_asked: never): Refusal {
  return "permission-denied";
}

function verdict(isAllowed: boolean): Verdict {
  return isAllowed ? undefined : "permission-denied";
}

function mayRange(access: UserAccess, { key, rangeEnd }: RangeRequest): boolean {
  return access.mayRead(key, rangeEnd);
}

function mayCompare(access: UserAccess, { key, rangeEnd }: Compare): boolean {
  return access.mayRead(key, rangeEnd);
}

function mayDelete(access: UserAccess, { key, rangeEnd, prevKv }: DeleteRangeRequest): boolean {
  return access.mayWrite(key, rangeEnd) && (!prevKv || access.mayRead(key, rangeEnd));
}

/** Whether transactions are nested in each other deeper than `levels`. */
function isDeeperThan({ success, failure }: TxnRequest, levels: number): boolean {
  if (levels === 0) return true;
  const isDeep = ({ requestTxn }: RequestOp): boolean =>
    requestTxn !== undefined && isDeeperThan(requestTxn, levels - 1);
  return success.some(isDeep) || failure.some(isDeep);
}
