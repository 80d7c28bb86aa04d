/** Proposes changes of users, roles and permissions, and answers with a header (GEN-3). */
import { etcdErrors, type ResponseHeader } from "@holdfast/protocol";
import { type AuthCommand, encodeCommand } from "@holdfast/state-machine";
import type { ServerCall } from "@holdfast/transport";
import { type Identified, refuseToken } from "../access/access.js";
import { isRequestTooLarge } from "../limits.js";
import type { ServiceContext } from "./context.js";
import { CallProposer, refuse } from "./method.js";
import { statusOf } from "./status.js";

/** Encodes an answer that has nothing but a header. */
export type EncodeHeader = (response: { header: ResponseHeader }) => Uint8Array;

/** Proposes `command` for `caller`, unless there is no room for what it adds (see `Quota`), and ends the call with what became of it. */
export function proposeAuthChange(
  context: ServiceContext,
  call: ServerCall,
  command: AuthCommand,
  caller: Identified,
  encode: EncodeHeader,
): void {
  if (refuseToken(call, caller)) return;
  if (isRequestTooLarge(encodeCommand(command).length - 1, context.limits)) {
    context.limitHits.count("requestBytes");
    call.end(statusOf(etcdErrors.requestTooLarge));
    return;
  }
  if (refuse(call, context.access.earlyRefusal(command, caller)) || context.quota.refuses(call, command)) return;
  const proposer = new CallProposer<AuthCommand["kind"]>(call, () => encode({ header: context.headerNow() }));
  context.replica.propose(command, proposer, caller);
}
