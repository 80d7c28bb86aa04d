/**
 * v3lockpb.Lock: the ordinary keys of etcd's layout, so that Go's `concurrency.Mutex`, `etcdctl lock` and
 * these calls share one queue (LOCK-27).
 */
import {
  createDeleteRangeRequest,
  emptyByteString,
  etcdErrors,
  type LockRequest,
  lockService,
  type UnlockRequest,
} from "@holdfast/protocol";
import type { Method, ServerCall } from "@holdfast/transport";
import { encodeBareAnswer, encodeLockAnswer } from "./answers.js";
import { type AcceptedOutcome, CallCommand } from "./call-command.js";
import type { ServiceContext } from "./context.js";
import { unary } from "./method.js";
import { refusesReading, withNewLease } from "./ownership.js";
import { OwnershipCall } from "./ownership-call.js";
import { asUnknown, statusOf } from "./status.js";

const noValue = new Uint8Array(0);

export function lockMethods(context: ServiceContext): Method[] {
  return [
    unary(context, lockService.methods.lock, (request, call) => lock(request, call, context)),
    unary(context, lockService.methods.unlock, (request, call, bytes) => unlock(request, call, context, bytes)),
  ];
}

function lock({ name, lease }: LockRequest, call: ServerCall, context: ServiceContext): void {
  if (refusesReading(context, call, name)) return;
  if (lease !== 0n) new LockCall(context, call, name, lease).join(noValue);
  else withNewLease(context, call, (made) => new LockCall(context, call, name, made).join(noValue));
}

class LockCall extends OwnershipCall {
  protected override joined(): void {
    this.wait();
  }

  protected override held(): void {
    this.call.reply(encodeLockAnswer(this.context, this.key));
  }
}

/** Deletes exactly the given key, whoever owns it (LOCK-21); an absent key is no error (LOCK-22). */
function unlock({ key }: UnlockRequest, call: ServerCall, context: ServiceContext, bytes: Uint8Array): void {
  if (key === emptyByteString) {
    call.end(asUnknown(statusOf(etcdErrors.emptyKey)));
    return;
  }
  const command = { kind: "deleteRange", request: createDeleteRangeRequest({ key }) } as const;
  // With nothing in it but a tag, a length of one byte and the key, both requests are the same bytes.
  new UnlockCall(context, call).propose(command, bytes.length === key.length + 2 ? bytes : undefined);
}

class UnlockCall extends CallCommand {
  protected override accepted(outcome: AcceptedOutcome): void {
    if (outcome.kind === "deleteRange") this.call.reply(encodeBareAnswer(this.context, outcome.response));
  }
}
