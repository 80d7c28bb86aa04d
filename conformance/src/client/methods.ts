// The methods the suites call: their messages for the type checker, their paths and codecs from the .proto files of
// the workspace (packages/protocol/proto), so that the suites speak exactly the contract that is published.

import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { MethodDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type * as m from "./messages.js";

/** Unary methods: request and response. */
export interface UnaryMethods {
  "etcdserverpb.KV/Range": [m.RangeRequest, m.RangeResponse];
  "etcdserverpb.KV/Put": [m.PutRequest, m.PutResponse];
  "etcdserverpb.KV/DeleteRange": [m.DeleteRangeRequest, m.DeleteRangeResponse];
  "etcdserverpb.KV/Txn": [m.TxnRequest, m.TxnResponse];
  "etcdserverpb.KV/Compact": [m.CompactionRequest, m.Headed];
  "etcdserverpb.Lease/LeaseGrant": [m.LeaseGrantRequest, m.LeaseGrantResponse];
  "etcdserverpb.Lease/LeaseRevoke": [m.LeaseRequest, m.Headed];
  "etcdserverpb.Lease/LeaseTimeToLive": [m.LeaseTimeToLiveRequest, m.LeaseTimeToLiveResponse];
  "etcdserverpb.Lease/LeaseLeases": [m.Empty, m.LeaseLeasesResponse];
  "etcdserverpb.Cluster/MemberList": [{ readonly linearizable?: boolean }, m.MemberListResponse];
  "etcdserverpb.Maintenance/Status": [m.Empty, m.StatusResponse];
  "v3lockpb.Lock/Lock": [m.LockRequest, m.LockResponse];
  "v3lockpb.Lock/Unlock": [m.UnlockRequest, m.Headed];
  "v3electionpb.Election/Campaign": [m.CampaignRequest, m.CampaignResponse];
  "v3electionpb.Election/Proclaim": [m.ProclaimRequest, m.Headed];
  "v3electionpb.Election/Leader": [m.LeaderRequest, m.LeaderResponse];
  "v3electionpb.Election/Resign": [m.ResignRequest, m.Headed];
  "grpc.health.v1.Health/Check": [m.HealthCheckRequest, m.HealthCheckResponse];
  "grpc.health.v1.Health/List": [m.Empty, m.HealthListResponse];
}

/** Methods that answer with a stream, of one request or of many. */
export interface StreamMethods {
  "etcdserverpb.KV/RangeStream": [m.RangeRequest, m.RangeStreamResponse];
  "etcdserverpb.Watch/Watch": [m.WatchRequest, m.WatchResponse];
  "etcdserverpb.Lease/LeaseKeepAlive": [m.LeaseRequest, m.LeaseKeepAliveResponse];
  "v3electionpb.Election/Observe": [m.LeaderRequest, m.LeaderResponse];
  "grpc.health.v1.Health/Watch": [m.HealthCheckRequest, m.HealthCheckResponse];
}

export type UnaryMethod = keyof UnaryMethods;
export type StreamMethod = keyof StreamMethods;

const protoFolder = fileURLToPath(new URL("../../../packages/protocol/proto/", import.meta.url));

const definitions = loadSync(
  readdirSync(protoFolder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".proto"))
    .map((file) => relative(protoFolder, join(protoFolder, file))),
  { includeDirs: [protoFolder], keepCase: true, longs: String, enums: String, defaults: true, oneofs: true },
);

/** Path and codecs of a method; throws when the .proto files do not have it. */
export function methodDefinition<Request, Response>(
  method: UnaryMethod | StreamMethod,
): MethodDefinition<Request, Response> {
  const [service = "", name = ""] = method.split("/");
  const found = (definitions[service] as Readonly<Record<string, unknown>> | undefined)?.[name];
  if (found === undefined) {
    throw new Error(`the .proto files have no ${method}`);
  }
  return found as MethodDefinition<Request, Response>;
}
