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
  type KeyValue,
  type LeaderKey,
  type ProclaimRequest,
  type ResignRequest,
  type ResponseHeader,
  type TxnResponse,
} from "@holdfast/protocol";
import type { Method, ServerCall } from "@holdfast/transport";
import { proposeForCall } from "./call-command.js";
import type { ServiceContext } from "./context.js";
import { LeaderFeeds } from "./leader-feed.js";
import { serverStream, unary } from "./method.js";
import { observe } from "./observe.js";
import { abandon, deleteOperation, guarded, prefixOf, refusesReading, sameBytes, withNewLease } from "./ownership.js";
import { OwnershipCall } from "./ownership-call.js";
import { asUnknown, statusOf } from "./status.js";

const methods = electionService.methods;

export function electionMethods(context: ServiceContext): Method[] {
  const election = new ElectionService(context);
  const feeds = new LeaderFeeds(context);
  return [
    unary(context, methods.campaign, (request, call) => election.campaign(request, call)),
    unary(context, methods.proclaim, (request, call) => election.proclaim(request, call)),
    unary(context, methods.resign, (request, call) => election.resign(request, call)),
    unary(context, methods.leader, (request, call) => {
      if (refusesReading(context, call, request.name)) return;
      context.replica.locks.askOldest(prefixOf(request.name), (kv) => {
        if (kv === undefined) call.end(statusOf(etcdTexts.electionNoLeader));
        else call.reply(encodeSharedLeaderResponse({ header: context.headerNow(), kv }));
      });
    }),
    serverStream(context, methods.observe, (request, call) => observe(request.name, call, context, feeds)),
  ];
}

class ElectionService {
  readonly #context: ServiceContext;

  constructor(context: ServiceContext) {
    this.#context = context;
  }

  campaign(request: CampaignRequest, call: ServerCall): void {
    const context = this.#context;
    if (refusesReading(context, call, request.name)) return;
    if (request.lease !== 0n) new CampaignCall(context, call, request, request.lease).start();
    else withNewLease(context, call, (made) => new CampaignCall(context, call, request, made).start());
  }

  proclaim(request: ProclaimRequest, call: ServerCall): void {
    const leader = requireLeader(request.leader, call);
    if (leader === undefined) return;
    if (leader.lease !== 0n) this.#proclaim(request, leader, leader.lease, call);
    else withNewLease(this.#context, call, (made) => this.#proclaim(request, leader, made, call));
  }

  #proclaim({ value }: ProclaimRequest, { key, rev }: LeaderKey, lease: bigint, call: ServerCall): void {
    const put = createRequestOp({ requestPut: createPutRequest({ key, lease, value }) });
    const command = { kind: "txn", request: guarded(key, rev, put) } as const;
    proposeForCall(this.#context, call, command, (outcome) => {
      if (outcome.kind !== "txn") return;
      const { header } = this.#context.withHeader(outcome.response);
      if (outcome.response.succeeded) call.reply(encodeSharedProclaimResponse({ header }));
      else call.end(statusOf(etcdTexts.electionNotLeader));
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

class CampaignCall extends OwnershipCall {
  readonly #request: CampaignRequest;
  /** That of the joining transaction, even after a wait (ELECT-6). */
  #header: ResponseHeader | undefined;

  constructor(context: ServiceContext, call: ServerCall, request: CampaignRequest, lease: bigint) {
    super(context, call, request.name, lease);
    this.#request = request;
  }

  start(): void {
    this.join(this.#request.value);
  }

  protected override joined(response: TxnResponse, found: KeyValue | undefined): void {
    this.#header = this.context.withHeader(response).header;
    if (found === undefined || sameBytes(found.value, this.#request.value)) this.wait();
    else this.#replaceValue();
  }

  /** The same lease campaigns with another value: it is replaced in place at once (ELECT-8). */
  #replaceValue(): void {
    const { context, call, key, lease, createRevision } = this;
    const put = createRequestOp({ requestPut: createPutRequest({ key, lease, value: this.#request.value }) });
    const command = { kind: "txn", request: guarded(key, createRevision, put) } as const;
    proposeForCall(
      context,
      call,
      command,
      (outcome) => {
        if (outcome.kind === "txn" && outcome.response.succeeded) this.wait();
        else call.end(statusOf(etcdTexts.electionNotLeader));
      },
      (status) => {
        // ELECT-9: a candidate that could not say what it stands for does not stay.
        abandon(context, this, () => call.end(status));
      },
    );
  }

  protected override held(): void {
    const { key, lease, createRevision } = this;
    const header = this.#header;
    const leader = { name: this.#request.name, key, rev: createRevision, lease };
    this.call.reply(encodeSharedCampaignResponse({ header, leader }));
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
