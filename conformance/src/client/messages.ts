// The messages the suites send and read, as @grpc/proto-loader hands them over: 64-bit integers are decimal strings,
// enums are names, bytes are Buffers, and every unset scalar has its default. Only fields that some test uses are here.

/** A 64-bit integer: decimal text when read; numbers and texts are both accepted when sent. */
export type Int64 = string;
export type Int64Input = string | number;

export interface ResponseHeader {
  readonly cluster_id: Int64;
  readonly member_id: Int64;
  readonly revision: Int64;
  readonly raft_term: Int64;
}

/** Every answer of the server that carries a header. */
export interface Headed {
  readonly header: ResponseHeader | null;
}

export interface KeyValue {
  readonly key: Buffer;
  readonly create_revision: Int64;
  readonly mod_revision: Int64;
  readonly version: Int64;
  readonly value: Buffer;
  readonly lease: Int64;
}

export interface RangeRequest {
  readonly key: Buffer;
  readonly range_end?: Buffer;
  readonly limit?: Int64Input;
  readonly revision?: Int64Input;
  readonly sort_order?: "NONE" | "ASCEND" | "DESCEND";
  readonly sort_target?: "KEY" | "VERSION" | "CREATE" | "MOD" | "VALUE";
  readonly serializable?: boolean;
  readonly keys_only?: boolean;
  readonly count_only?: boolean;
  readonly min_mod_revision?: Int64Input;
  readonly max_mod_revision?: Int64Input;
  readonly min_create_revision?: Int64Input;
  readonly max_create_revision?: Int64Input;
}

export interface RangeResponse extends Headed {
  readonly kvs: readonly KeyValue[];
  readonly more: boolean;
  readonly count: Int64;
}

export interface RangeStreamResponse {
  readonly range_response: RangeResponse | null;
}

export interface PutRequest {
  readonly key: Buffer;
  readonly value?: Buffer;
  readonly lease?: Int64Input;
  readonly prev_kv?: boolean;
  readonly ignore_value?: boolean;
  readonly ignore_lease?: boolean;
}

export interface PutResponse extends Headed {
  readonly prev_kv: KeyValue | null;
}

export interface DeleteRangeRequest {
  readonly key: Buffer;
  readonly range_end?: Buffer;
  readonly prev_kv?: boolean;
}

export interface DeleteRangeResponse extends Headed {
  readonly deleted: Int64;
  readonly prev_kvs: readonly KeyValue[];
}

export interface RequestOp {
  readonly request_range?: RangeRequest;
  readonly request_put?: PutRequest;
  readonly request_delete_range?: DeleteRangeRequest;
  readonly request_txn?: TxnRequest;
}

export interface ResponseOp {
  readonly response_range?: RangeResponse;
  readonly response_put?: PutResponse;
  readonly response_delete_range?: DeleteRangeResponse;
  readonly response_txn?: TxnResponse;
}

export interface Compare {
  readonly result?: "EQUAL" | "GREATER" | "LESS" | "NOT_EQUAL";
  readonly target?: "VERSION" | "CREATE" | "MOD" | "VALUE" | "LEASE";
  readonly key: Buffer;
  readonly version?: Int64Input;
  readonly create_revision?: Int64Input;
  readonly mod_revision?: Int64Input;
  readonly value?: Buffer;
  readonly lease?: Int64Input;
  readonly range_end?: Buffer;
}

export interface TxnRequest {
  readonly compare?: readonly Compare[];
  readonly success?: readonly RequestOp[];
  readonly failure?: readonly RequestOp[];
}

export interface TxnResponse extends Headed {
  readonly succeeded: boolean;
  readonly responses: readonly ResponseOp[];
}

export interface CompactionRequest {
  readonly revision: Int64Input;
  readonly physical?: boolean;
}

export interface WatchCreateRequest {
  readonly key?: Buffer;
  readonly range_end?: Buffer;
  readonly start_revision?: Int64Input;
  readonly progress_notify?: boolean;
  readonly filters?: readonly ("NOPUT" | "NODELETE")[];
  readonly prev_kv?: boolean;
  readonly watch_id?: Int64Input;
  readonly fragment?: boolean;
}

export interface WatchRequest {
  readonly create_request?: WatchCreateRequest;
  readonly cancel_request?: { readonly watch_id: Int64Input };
  readonly progress_request?: Readonly<Record<string, never>>;
}

export interface WatchEvent {
  readonly type: "PUT" | "DELETE";
  readonly kv: KeyValue;
  readonly prev_kv: KeyValue | null;
}

export interface WatchResponse extends Headed {
  readonly watch_id: Int64;
  readonly created: boolean;
  readonly canceled: boolean;
  readonly compact_revision: Int64;
  readonly cancel_reason: string;
  readonly fragment: boolean;
  readonly events: readonly WatchEvent[];
}

export interface LeaseGrantRequest {
  readonly TTL: Int64Input;
  readonly ID?: Int64Input;
}

export interface LeaseGrantResponse extends Headed {
  readonly ID: Int64;
  readonly TTL: Int64;
  readonly error: string;
}

export interface LeaseRequest {
  readonly ID: Int64Input;
}

export interface LeaseKeepAliveResponse extends Headed {
  readonly ID: Int64;
  readonly TTL: Int64;
}

export interface LeaseTimeToLiveRequest extends LeaseRequest {
  readonly keys?: boolean;
}

export interface LeaseTimeToLiveResponse extends Headed {
  readonly ID: Int64;
  readonly TTL: Int64;
  readonly grantedTTL: Int64;
  readonly keys: readonly Buffer[];
}

export interface LeaseLeasesResponse extends Headed {
  readonly leases: readonly { readonly ID: Int64 }[];
}

export interface MemberListResponse extends Headed {
  readonly members: readonly { readonly ID: Int64; readonly name: string; readonly clientURLs: readonly string[] }[];
}

export interface StatusResponse extends Headed {
  readonly version: string;
  readonly dbSize: Int64;
  readonly leader: Int64;
  readonly raftTerm: Int64;
  readonly isLearner: boolean;
}

export interface LockRequest {
  readonly name: Buffer;
  readonly lease?: Int64Input;
}

export interface LockResponse extends Headed {
  readonly key: Buffer;
}

export interface UnlockRequest {
  readonly key: Buffer;
}

export interface LeaderKey {
  readonly name: Buffer;
  readonly key: Buffer;
  readonly rev: Int64;
  readonly lease: Int64;
}

export interface CampaignRequest {
  readonly name: Buffer;
  readonly lease?: Int64Input;
  readonly value?: Buffer;
}

export interface CampaignResponse extends Headed {
  readonly leader: LeaderKey;
}

export interface LeaderRequest {
  readonly name: Buffer;
}

export interface LeaderResponse extends Headed {
  readonly kv: KeyValue;
}

export interface ProclaimRequest {
  readonly leader?: LeaderKey;
  readonly value?: Buffer;
}

export interface ResignRequest {
  readonly leader?: LeaderKey;
}

export interface HealthCheckRequest {
  readonly service?: string;
}

export interface HealthCheckResponse {
  readonly status: "UNKNOWN" | "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";
}

export interface HealthListResponse {
  readonly statuses: Readonly<Record<string, HealthCheckResponse>>;
}

/** A message without fields that matter. */
export type Empty = Readonly<Record<string, never>>;
