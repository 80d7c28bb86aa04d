/**
 * Calls as the clients saw them: what was asked, when, and what came of it. The raw material of the checks; whether any of
 * it is right is decided there.
 */
import type {
  CampaignRequest,
  CampaignResponse,
  CompactionRequest,
  CompactionResponse,
  DeleteRangeRequest,
  DeleteRangeResponse,
  LeaderRequest,
  LeaderResponse,
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseKeepAliveRequest,
  LeaseKeepAliveResponse,
  LeaseLeasesRequest,
  LeaseLeasesResponse,
  LeaseRevokeRequest,
  LeaseRevokeResponse,
  LeaseTimeToLiveRequest,
  LeaseTimeToLiveResponse,
  LockRequest,
  LockResponse,
  ProclaimRequest,
  ProclaimResponse,
  PutRequest,
  PutResponse,
  RangeRequest,
  RangeResponse,
  ResignRequest,
  ResignResponse,
  TxnRequest,
  TxnResponse,
  UnlockRequest,
  UnlockResponse,
} from "@holdfast/protocol";
import type { Moment } from "./moment.js";

/** What can be asked and what is answered, by the name of the call. `leaseKeepAlive` is one refresh, not a stream. */
export interface CallTypes {
  readonly put: { readonly request: PutRequest; readonly response: PutResponse };
  readonly range: { readonly request: RangeRequest; readonly response: RangeResponse };
  readonly deleteRange: { readonly request: DeleteRangeRequest; readonly response: DeleteRangeResponse };
  readonly txn: { readonly request: TxnRequest; readonly response: TxnResponse };
  readonly compact: { readonly request: CompactionRequest; readonly response: CompactionResponse };
  readonly leaseGrant: { readonly request: LeaseGrantRequest; readonly response: LeaseGrantResponse };
  readonly leaseRevoke: { readonly request: LeaseRevokeRequest; readonly response: LeaseRevokeResponse };
  readonly leaseKeepAlive: { readonly request: LeaseKeepAliveRequest; readonly response: LeaseKeepAliveResponse };
  readonly leaseTimeToLive: { readonly request: LeaseTimeToLiveRequest; readonly response: LeaseTimeToLiveResponse };
  readonly leaseLeases: { readonly request: LeaseLeasesRequest; readonly response: LeaseLeasesResponse };
  readonly lock: { readonly request: LockRequest; readonly response: LockResponse };
  readonly unlock: { readonly request: UnlockRequest; readonly response: UnlockResponse };
  readonly campaign: { readonly request: CampaignRequest; readonly response: CampaignResponse };
  readonly proclaim: { readonly request: ProclaimRequest; readonly response: ProclaimResponse };
  readonly resign: { readonly request: ResignRequest; readonly response: ResignResponse };
  readonly leader: { readonly request: LeaderRequest; readonly response: LeaderResponse };
}

export type CallKind = keyof CallTypes;

/**
 * How a call ended (fault model, section 4): `done`, answered with OK; `refused`, certainly without effect, now and later;
 * `unknown`, it may have an effect or not, now or later.
 */
export type Fate<Response> =
  | { readonly fate: "done"; readonly response: Response }
  | { readonly fate: "refused" | "unknown"; readonly code: number; readonly message: string };

/** A call of one kind. */
export interface CallOf<Kind extends CallKind> {
  readonly kind: Kind;
  /** Unique in the history; calls are numbered as they are made. */
  readonly id: number;
  /** Who called. A client has one call under way at a time, unless its name says otherwise (`c3/keep-alive`). */
  readonly client: string;
  /** The connection it was made on, unique in the history: header revisions never fall on one (I2). */
  readonly connection: number;
  readonly request: CallTypes[Kind]["request"];
  readonly invoked: Moment;
  /** Both undefined as long as the call is open; at the end of a history that is as good as `unknown`. */
  ended: Moment | undefined;
  result: Fate<CallTypes[Kind]["response"]> | undefined;
}

/** Any call: its `kind` tells what its request and its response are. */
export type Call = { readonly [Kind in CallKind]: CallOf<Kind> }[CallKind];
