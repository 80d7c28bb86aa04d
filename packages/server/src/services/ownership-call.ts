/**
 * A call of Lock or Campaign: takes its place in the queue of the name, waits until that is the oldest, and gives it up when
 * the caller goes away.
 *
 * Success means that the caller owns the name now: it is told in the turn in which its key became the
 * oldest, by the create revision it holds (I4b). A waiter whose key or lease goes fails in the turn in
 * which that was applied (LOCK-16, LOCK-17, ELECT-11).
 */
import { type ByteString, etcdTexts, type KeyValue, type TxnResponse } from "@holdfast/protocol";
import type { LockWaiter } from "@holdfast/replica";
import { PutIfAbsent } from "@holdfast/state-machine";
import type { ServerCall, Status } from "@holdfast/transport";
import { type Identified, invalidToken, invalidTokenStatus } from "../access/access.js";
import { type AcceptedOutcome, CallCommand } from "./call-command.js";
import type { ServiceContext } from "./context.js";
import type { CallLoss } from "./open-calls.js";
import { abandon, foundByJoin, isAbandoned, ownershipKey, type Place, readingAll } from "./ownership.js";
import { asUnknown, statusOf, statusOfRefusal } from "./status.js";

/** etcd's status for a waiter that has lost its key; the caller surely does not hold the name. */
const sessionExpired = statusOf(etcdTexts.mutexSessionExpired);

/** One object is the proposer, the place and the waiter, because most locks are free and need no more. */
export abstract class OwnershipCall extends CallCommand implements Place, LockWaiter {
  readonly prefix: ByteString;
  readonly key: ByteString;
  readonly lease: bigint;
  createRevision = 0;
  isNew = false;
  #caller: Identified;

  constructor(context: ServiceContext, call: ServerCall, name: ByteString, lease: bigint) {
    super(context, call);
    this.key = ownershipKey(name, lease);
    this.prefix = this.key.slice(0, name.length + 1) as ByteString;
    this.lease = lease;
  }

  /** Takes a place with this value, or finds the one that the lease has already. */
  join(value: Uint8Array): void {
    this.propose({ kind: "txn", request: new PutIfAbsent(this.key, this.lease, value) });
  }

  protected override accepted(outcome: AcceptedOutcome): void {
    if (outcome.kind !== "txn") return;
    const { response } = outcome;
    const found = foundByJoin(response);
    this.createRevision = found?.createRevision ?? response.header?.revision ?? 0;
    this.isNew = found === undefined;
    this.joined(response, found);
  }

  /** There is a place now; `found` is its key if it was there before. To be followed by `wait`. */
  protected abstract joined(response: TxnResponse, found: KeyValue | undefined): void;

  /** The caller owns the name, as of the turn under way. */
  protected abstract held(): void;

  /**
   * Waits for the place to be the oldest. The call fails at once when the place is lost, and the place is given up when the
   * call is cancelled (LOCK-15, ELECT-10). Each caller is asked for its own rights (LOCK-26), and who has lost them while
   * waiting is not given the name.
   */
  protected wait(): void {
    const { context, call, prefix, key } = this;
    if (call.ended) {
      // A key that an earlier call made may be held by then: it is not this call's to remove (LOCK-18).
      if (this.isNew) abandon(context, this);
      return;
    }
    const { locks } = context.replica;
    this.#caller = context.access.identify(call);
    const result = locks.wait(prefix, key, this.createRevision, this);
    if (result === "lost" || isAbandoned(context, this)) {
      locks.leave(prefix, key, this);
      call.end(sessionExpired);
    } else if (result === "held") this.held();
    else context.openCalls.add(call, (loss) => this.#callIsLost(loss));
  }

  granted(): void {
    const { context, call } = this;
    context.openCalls.remove(call);
    const refusal = this.#mayStillHold();
    if (isAbandoned(context, this)) call.end(sessionExpired);
    else if (refusal === undefined) this.held();
    else abandon(context, this, () => call.end(refusal));
  }

  lost(): void {
    this.context.openCalls.remove(this.call);
    this.call.end(sessionExpired);
  }

  #callIsLost(loss: CallLoss): void {
    this.context.replica.locks.leave(this.prefix, this.key, this);
    // A stopping server leaves the key: the lease decides, and the client may come back for its place.
    if (loss === "client-gone") abandon(this.context, this);
  }

  /** The status for a waiter whose user has lost the name's keys; undefined if it has not. */
  #mayStillHold(): Status | undefined {
    const { access } = this.context;
    if (!access.enabled) return undefined;
    const caller = this.#caller;
    if (caller === invalidToken) return asUnknown(invalidTokenStatus);
    const refusal = access.refusal(readingAll(this.prefix), access.asOfNow(caller));
    return refusal === undefined ? undefined : asUnknown(statusOfRefusal(refusal));
  }
}
