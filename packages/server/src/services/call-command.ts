/**
 * Commands proposed on behalf of a call of the Lock or Election service, whose every failure ends the call as UNKNOWN with
 * etcd's text (LOCK-14, ELECT-4).
 */
import { etcdErrors } from "@holdfast/protocol";
import type { ProposalFailure, Proposer } from "@holdfast/replica";
import { type Command, encodeSharedBody, type Outcome } from "@holdfast/state-machine";
import type { ServerCall, Status } from "@holdfast/transport";
import { invalidToken, invalidTokenStatus } from "../access/access.js";
import { isRequestTooLarge } from "../limits.js";
import type { ServiceContext } from "./context.js";
import { asUnknown, statusOf, statusOfFailure, statusOfRefusal } from "./status.js";

export type AcceptedOutcome = Exclude<Outcome, { kind: "refused" }>;

/** A call and what becomes of its command: one object for both, because every lock and unlock takes one. */
export abstract class CallCommand implements Proposer {
  protected readonly context: ServiceContext;
  protected readonly call: ServerCall;

  constructor(context: ServiceContext, call: ServerCall) {
    this.context = context;
    this.call = call;
  }

  /** The command was applied, in this turn. */
  protected abstract accepted(outcome: AcceptedOutcome): void;

  /** The command has no outcome that anybody could use. */
  protected refused(status: Status): void {
    this.call.end(status);
  }

  settled(outcome: Outcome): void {
    if (outcome.kind === "refused") this.refused(asUnknown(statusOfRefusal(outcome.refusal)));
    else this.accepted(outcome);
  }

  failed(failure: ProposalFailure): void {
    this.refused(statusOfLostProposal(failure));
  }

  /**
   * Proposes a command, whose encoding without the kind byte may be at hand; a bad token (LOCK-24) and one above the request
   * limit (LIM-1) are refused at once.
   */
  propose(command: Command, encoded?: Uint8Array): void {
    const { access, limits, quota, replica } = this.context;
    if (quota.endIfRefused(command, (status) => this.refused(asUnknown(status)))) return;
    const caller = access.identify(this.call);
    if (caller === invalidToken) {
      this.refused(asUnknown(invalidTokenStatus));
      return;
    }
    const body = encoded ?? encodeSharedBody(command);
    if (isRequestTooLarge(body.length, limits)) {
      this.context.limitHits.count("requestBytes");
      this.refused(asUnknown(statusOf(etcdErrors.requestTooLarge)));
      return;
    }
    const refusal = access.earlyRefusal(command, caller);
    if (refusal === undefined) replica.proposeEncoded(command, body, this, caller);
    else this.refused(asUnknown(statusOfRefusal(refusal)));
  }
}

/** A refusal is UNKNOWN with its text; an outcome nobody knows stays Unavailable. */
function statusOfLostProposal(failure: ProposalFailure): Status {
  const status = statusOfFailure(failure);
  return failure === "unknown" || failure === "stopped" ? status : asUnknown(status);
}

/** As a `CallCommand`, for what is not asked so often. */
class OtherCommand extends CallCommand {
  readonly #then: (outcome: AcceptedOutcome) => void;
  readonly #otherwise: ((status: Status) => void) | undefined;

  constructor(
    context: ServiceContext,
    call: ServerCall,
    then: (outcome: AcceptedOutcome) => void,
    otherwise: ((status: Status) => void) | undefined,
  ) {
    super(context, call);
    this.#then = then;
    this.#otherwise = otherwise;
  }

  protected override accepted(outcome: AcceptedOutcome): void {
    this.#then(outcome);
  }

  protected override refused(status: Status): void {
    if (this.#otherwise === undefined) super.refused(status);
    else this.#otherwise(status);
  }
}

/** Proposes a command for the caller and hands its outcome to `then`, or its failure to `otherwise` instead of ending the call. */
export function proposeForCall(
  context: ServiceContext,
  call: ServerCall,
  command: Command,
  then: (outcome: AcceptedOutcome) => void,
  otherwise?: (status: Status) => void,
): void {
  new OtherCommand(context, call, then, otherwise).propose(command);
}
