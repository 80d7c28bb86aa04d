/** The RPC behind each kind of call in a history. */
import {
  electionService,
  kvService,
  leaseService,
  lockService,
  type MethodDescriptor,
  type MethodKind,
} from "@holdfast/protocol";
import type { CallKind, CallTypes } from "../history/calls.js";

/** Kinds of calls with one request and one response on the wire: all but the refreshing of leases. */
export type UnaryKind = Exclude<CallKind, "leaseKeepAlive">;

type MethodOf<Kind extends CallKind, Shape extends MethodKind> = MethodDescriptor<
  CallTypes[Kind]["request"],
  CallTypes[Kind]["response"],
  Shape
>;

export const unaryMethods: { readonly [Kind in UnaryKind]: MethodOf<Kind, "unary"> } = {
  put: kvService.methods.put,
  range: kvService.methods.range,
  deleteRange: kvService.methods.deleteRange,
  txn: kvService.methods.txn,
  compact: kvService.methods.compact,
  leaseGrant: leaseService.methods.leaseGrant,
  leaseRevoke: leaseService.methods.leaseRevoke,
  leaseTimeToLive: leaseService.methods.leaseTimeToLive,
  leaseLeases: leaseService.methods.leaseLeases,
  lock: lockService.methods.lock,
  unlock: lockService.methods.unlock,
  campaign: electionService.methods.campaign,
  proclaim: electionService.methods.proclaim,
  resign: electionService.methods.resign,
  leader: electionService.methods.leader,
};

export const keepAliveMethod: MethodOf<"leaseKeepAlive", "bidi"> = leaseService.methods.leaseKeepAlive;
