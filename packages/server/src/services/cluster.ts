/** The part of the Cluster service that clients use to find the members: there is one. */
import { clusterService, encodeSharedMemberListResponse } from "@holdfast/protocol";
import type { Method } from "@holdfast/transport";
import type { ServiceContext } from "./context.js";
import { unary } from "./method.js";

export function clusterMethods(context: ServiceContext): Method[] {
  return [
    unary(clusterService.methods.memberList, (_request, call) => {
      const { memberId, name, clientUrls } = context.identity;
      // The revision stays 0: the answer has nothing to do with the key space (GEN-3).
      const header = context.header(0);
      const member = { id: memberId, name, peerUrls: [], clientUrls, isLearner: false };
      call.reply(encodeSharedMemberListResponse({ header, members: [member] }));
    }),
  ];
}
