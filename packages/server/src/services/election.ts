/**
 * v3electionpb.Election: the same keys and the same queue as Lock, with a value. Campaign never crowns a
 * candidate whose key is gone (ELECT-11, a divergence from etcd).
 */
import {
  type CampaignRequest,
  createPutRequest,
  createRequestOp,
  electionService,
  emptyByteString,
  encodeSharedCampaignResponse,
  encodeSharedLeaderResponse,
  encodeSharedProclaimResponse,
  encodeSharedResignResponse,
  etcdErrors,
  etcdTexts,
  type LeaderKey,
  type ProclaimRequest,
  type ResignRequest,
  type ResponseHeader,
} from "@holdfast/protocol";
import type { Method, ServerCall } from "@holdfast/transport";
import type { ServiceContext } from "./context.js";
import { serverStream, unary } from "./method.js";
import { observe } from "./observe.js";
import {
  abandon,
  awaitOwnership,
  deleteOperation,
  foundByJoin,
  guarded,
  joinTransaction,
  ownershipKey,
  type Place,
  placeOf,
  prefixOf,
  proposeForCall,
  refusesReading,
  sameBytes,
  withLease,
} from "./ownership.js";
import { asUnknown, statusOf } from "./status.js";

const methods = electionService.methods;

export function electionMethods(context: ServiceContext): Method[] {
  const election = new ElectionService(context);
  return [
    unary(context, methods.campaign, (request, call) => election.campaign(request, call)),
    unary(context, methods.proclaim, (request, call) => election.proclaim(request, call)),
    unary(context, methods.resign, (request, call) => election.resign(request, call)),
    unary(context, methods.leader, (request, call) => {
      const prefix = prefixOf(request.name);
      if (refusesReading(context, call, prefix)) return;
      context.replica.locks.askOldest(prefix, (kv) => {
        if (kv === undefined) call.end(statusOf(etcdTexts.electionNoLeader));
        else call.reply(encodeSharedLeaderResponse({ header: context.headerNow(), kv }));
      });
    }),
    serverStream(context, methods.observe, (request, call) => observe(request.name, call, context)),
  ];
}

class ElectionService {
  readonly #context: ServiceContext;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  campaign(request: CampaignRequest, call: ServerCall): void {
    if (refusesReading(this.#context, call, prefixOf(request.name))) return;
    withLease(this.#context, call, request.lease, (lease) => this.#join(request, lease, call));
  }

  #join(request: CampaignRequest, lease: bigint, call: ServerCall): void {
    const key = ownershipKey(request.name, lease);
    const command = { kind: "txn", request: joinTransaction(key, lease, request.value) } as const;
    proposeForCall(this.#context, call, command, (outcome) => {
      if (outcome.kind !== "txn") return;
      const place = placeOf(request.name, key, lease, outcome.response);
      // The header of the joining transaction, even after a wait (ELECT-6).
      const { header } = this.#context.withHeader(outcome.response);
      const found = foundByJoin(outcome.response);
      if (found === undefined || sameBytes(found.value, request.value)) this.#await(request, place, header, call);
      else this.#replaceValue(request, place, header, call);
    });
  }

  /** The same lease campaigns with another value: it is replaced in place at once (ELECT-8). */
  #replaceValue(request: CampaignRequest, place: Place, header: ResponseHeader, call: ServerCall): void {
    const { key, lease, createRevision } = place;
    const put = createRequestOp({ requestPut: createPutRequest({ key, lease, value: request.value }) });
    const command = { kind: "txn", request: guarded(key, createRevision, put) } as const;
    proposeForCall(
      this.#context,
      call,
      command,
      (outcome) => {
        if (outcome.kind === "txn" && outcome.response.succeeded) this.#await(request, place, header, call);
        else call.end(statusOf(etcdTexts.electionNotLeader));
      },
      (status) => {
        // ELECT-9: a candidate that could not say what it stands for does not stay.
        abandon(this.#context, place, () => call.end(status));
      },
    );
  }

  #await(request: CampaignRequest, place: Place, header: ResponseHeader, call: ServerCall): void {
    const { key, lease, createRevision } = place;
    awaitOwnership(this.#context, call, place, () => {
      const leader = { name: request.name, key, rev: createRevision, lease };
      call.reply(encodeSharedCampaignResponse({ header, leader }));
    });
  }

  proclaim(request: ProclaimRequest, call: ServerCall): void {
    const leader = requireLeader(request.leader, call);
    if (leader === undefined) return;
    const { key, rev } = leader;
    withLease(this.#context, call, leader.lease, (lease) => {
      const put = createRequestOp({ requestPut: createPutRequest({ key, lease, value: request.value }) });
      const command = { kind: "txn", request: guarded(key, rev, put) } as const;
      proposeForCall(this.#context, call, command, (outcome) => {
        if (outcome.kind !== "txn") return;
        const { header } = this.#context.withHeader(outcome.response);
        if (outcome.response.succeeded) call.reply(encodeSharedProclaimResponse({ header }));
        else call.end(statusOf(etcdTexts.electionNotLeader));
      });
    });
  }

  /** Deletes the key in the life the caller led; anything else is answered well too (ELECT-20). */
  resign(request: ResignRequest, call: ServerCall): void {
    const leader = requireLeader(request.leader, call);
    if (leader === undefined) return;
    const command = { kind: "txn", request: guarded(leader.key, leader.rev, deleteOperation(leader.key)) } as const;
    proposeForCall(this.#context, call, command, (outcome) => {
      if (outcome.kind !== "txn") return;
      call.reply(encodeSharedResignResponse({ header: this.#context.withHeader(outcome.response).header }));
    });
  }
}

/** The leader key of a request, or undefined after the call was refused (ELECT-13, ELECT-17, ELECT-19). */
function requireLeader(leader: LeaderKey | undefined, call: ServerCall): LeaderKey | undefined {
  if (leader === undefined) {
    call.end(statusOf(etcdTexts.electionLeaderMissing));
    return undefined;
  }
  if (leader.key === emptyByteString) {
    call.end(asUnknown(statusOf(etcdErrors.emptyKey)));
    return undefined;
  }
  return leader;
}
