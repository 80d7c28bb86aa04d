/**
 * The Lease service. Ids and lifetimes are fixed here, before the log; renewals never reach it.
 */
import {
  encodeSharedLeaseGrantRequest,
  encodeSharedLeaseLeasesResponse,
  encodeSharedLeaseTimeToLiveResponse,
  type LeaseGrantRequest,
  type LeaseRevokeRequest,
  type LeaseTimeToLiveRequest,
  leaseService,
} from "@holdfast/protocol";
import type { Caller } from "@holdfast/state-machine";
import type { Method, ServerCall } from "@holdfast/transport";
import { refuseToken } from "../access/access.js";
import { encodeBareAnswer } from "./answers.js";
import type { ServiceContext } from "./context.js";
import { encodeLeaseAnswer } from "./lease-answer.js";
import { keepAliveMethod } from "./lease-keep-alive.js";
import { CallProposer, type OutcomeOf, refuse, unary } from "./method.js";

const methods = leaseService.methods;

export function leaseMethods(context: ServiceContext): Method[] {
  const leases = new LeaseService(context);
  return [
    unary(context, methods.leaseGrant, (request, call) => leases.grant(request, call)),
    unary(context, methods.leaseRevoke, (request, call) => leases.revoke(request, call)),
    unary(context, methods.leaseTimeToLive, (request, call) => leases.timeToLive(request, call)),
    unary(context, methods.leaseLeases, (_request, call) => leases.leases(call)),
    keepAliveMethod(context),
  ];
}

/** A lease id nobody uses yet (LEASE-1). */
export function freshLeaseId(context: ServiceContext): bigint {
  for (;;) {
    const id = context.environment.randomId();
    if (context.replica.machine.lease(id) === undefined) return id;
  }
}

class LeaseService {
  readonly #context: ServiceContext;
  // Of the service and not of the call, which then needs no function of its own.
  readonly #answerGrant = ({ response: { header, id, ttl } }: OutcomeOf<"leaseGrant">) =>
    encodeLeaseAnswer(this.#context, header?.revision ?? 0, id, ttl);
  readonly #answerRevoke = ({ response }: OutcomeOf<"leaseRevoke">) => encodeBareAnswer(this.#context, response);

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  grant(request: LeaseGrantRequest, call: ServerCall): void {
    const leaseId = request.id === 0n ? freshLeaseId(this.#context) : request.id;
    const ttl = Math.max(request.ttl, this.#context.limits.leaseTtlMinSeconds);
    const command = { kind: "leaseGrant", leaseId, ttlSeconds: ttl } as const;
    if (this.#context.quota.refuses(call, command)) return;
    const caller = this.#context.access.identify(call);
    if (refuseToken(call, caller) || this.#refusesNobody(call, caller)) return;
    if (refuse(call, this.#context.access.earlyRefusal(command, caller))) return;
    // What the log keeps of a grant is its request, with what was settled here.
    const body = encodeSharedLeaseGrantRequest({ id: leaseId, ttl });
    this.#context.replica.proposeEncoded(command, body, new CallProposer(call, this.#answerGrant), caller);
  }

  revoke(request: LeaseRevokeRequest, call: ServerCall): void {
    const caller = this.#context.access.identify(call);
    if (refuseToken(call, caller) || this.#refusesNobody(call, caller)) return;
    const command = { kind: "leaseRevoke", leaseId: request.id } as const;
    if (refuse(call, this.#context.access.earlyRefusal(command, caller))) return;
    this.#context.replica.propose(command, new CallProposer(call, this.#answerRevoke), caller);
  }

  /** Without a user nothing is proposed: that comes before alarms here, unlike with keys (ORD-1). True if it ended. */
  #refusesNobody(call: ServerCall, caller: Caller | undefined): boolean {
    const { access } = this.#context;
    return access.enabled && caller === undefined && refuse(call, "user-empty");
  }

  /** An unknown lease is an answer, not an error (LEASE-28). */
  timeToLive(request: LeaseTimeToLiveRequest, call: ServerCall): void {
    const { replica, access } = this.#context;
    replica.whenCurrent(() => {
      const action = { kind: "leaseTimeToLive", leaseId: request.id, keys: request.keys } as const;
      if (access.enabled && access.refuses(action, call)) return;
      const time = replica.leases.time(request.id);
      const keys = request.keys ? [...(replica.machine.lease(request.id)?.keys ?? [])] : [];
      call.reply(
        encodeSharedLeaseTimeToLiveResponse({
          header: this.#context.headerNow(),
          id: request.id,
          // Towards zero: -1 says that there is no such lease, and late by less than a second is not gone (LEASE-27).
          ttl: time === undefined ? -1 : Math.trunc(time.remainingMs / 1000),
          grantedTtl: time?.ttlSeconds ?? 0,
          keys,
        }),
      );
    });
  }

  leases(call: ServerCall): void {
    const { access } = this.#context;
    if (access.enabled && access.refuses({ kind: "leaseLeases" }, call)) return;
    const leases = this.#context.replica.leases.bySoonest().map((id) => ({ id }));
    call.reply(encodeSharedLeaseLeasesResponse({ header: this.#context.headerNow(), leases }));
  }
}
