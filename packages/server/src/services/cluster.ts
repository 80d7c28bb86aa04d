/**
 * The Cluster service: clients use it to find the members, and there is one. Changing the members is refused, after the
 * checks a single etcd makes, in their order.
 */
import {
  clusterService,
  type EtcdError,
  encodeSharedMemberListResponse,
  etcdErrors,
  type MemberAddRequest,
} from "@holdfast/protocol";
import type { Method, ServerCall } from "@holdfast/transport";
import type { ServiceContext } from "./context.js";
import { unary } from "./method.js";
import { statusOf } from "./status.js";

const methods = clusterService.methods;

export function clusterMethods(context: ServiceContext): Method[] {
  const { identity } = context;
  const isMember = (id: bigint): boolean => BigInt.asUintN(64, id) === identity.memberId;
  return [
    unary(context, methods.memberList, (_request, call) => memberList(call, context)),
    unary(context, methods.memberAdd, (request, call) => call.end(statusOf(refusalToAdd(request)))),
    // The only member cannot be spared (CLUS-2).
    unary(context, methods.memberRemove, ({ id }, call) => {
      call.end(statusOf(isMember(id) ? etcdErrors.memberNotEnoughStarted : etcdErrors.memberNotFound));
    }),
    // It has no peers that would need its addresses (CLUS-6).
    unary(context, methods.memberUpdate, ({ id }, call) => {
      call.end(statusOf(isMember(id) ? etcdErrors.notCapable : etcdErrors.memberNotFound));
    }),
    unary(context, methods.memberPromote, ({ id }, call) => {
      call.end(statusOf(isMember(id) ? etcdErrors.memberNotLearner : etcdErrors.memberNotFound));
    }),
  ];
}

/** CLUS-1; the revision stays 0, since the answer has nothing to do with the key space (GEN-3). */
function memberList(call: ServerCall, context: ServiceContext): void {
  const { memberId, name, clientUrls } = context.identity;
  const member = { id: memberId, name, peerUrls: [], clientUrls, isLearner: false };
  context.replica.whenCurrent(() => {
    call.reply(encodeSharedMemberListResponse({ header: context.header(0), members: [member] }));
  });
}

/** CLUS-3, CLUS-4. */
function refusalToAdd({ peerUrls }: MemberAddRequest): EtcdError {
  const wellFormed = peerUrls.length > 0 && peerUrls.every(isPeerUrl);
  return wellFormed ? etcdErrors.notCapable : etcdErrors.memberBadUrls;
}

/** Scheme, host and port, and nothing behind them (etcd-v3-wire.md 6.5). */
function isPeerUrl(text: string): boolean {
  return /^(?:https?|unixs?):\/\/(?:\[[0-9a-fA-F:.%]+\]|[^:/?#[\]@\s]*):\d{1,5}$/.test(text.trim());
}
