/** What stands before a handler, by the row that `access/rights.ts` has for its method. */
import type { MethodDescriptor, MethodKind } from "@holdfast/protocol";
import type { Action } from "@holdfast/state-machine";
import type { ServerCall } from "@holdfast/transport";
import { type Access, refuseToken } from "../access/access.js";
import { type Need, rightOf } from "../access/rights.js";

/** Ends the call if it may not be made. True if it did. */
export type Guard<Request> = (request: Request, call: ServerCall) => boolean;

const authenticated: Action = { kind: "authenticated" };
const admin: Action = { kind: "admin" };

/** The guard of `method`, or undefined where there is nothing to check beforehand. Throws if the method has no row. */
export function guardOf<Request, Response>(
  method: MethodDescriptor<Request, Response, MethodKind>,
  access: Access,
): Guard<Request> | undefined {
  const right = rightOf(method);
  if (right === "open" || right === "execution") return undefined;
  if (typeof right === "string") return (_request, call) => access.enabled && refuses(right, call, access);
  return (request, call) => access.enabled && refuses(right(request), call, access);
}

/** Throws if a bidirectional `method` has another row than one that leaves the checks to its handler. */
export function refuseStreamGuard<Request, Response>(method: MethodDescriptor<Request, Response, "bidi">): void {
  const right = rightOf(method);
  if (right !== "open" && right !== "execution") throw new Error(`${method.path} must check its own messages`);
}

function refuses(need: Need, call: ServerCall, access: Access): boolean {
  switch (need) {
    case "open":
    case "execution":
      return false;
    case "anyone":
      return refuseToken(call, access.identify(call));
    case "authenticated":
      return access.refuses(authenticated, call);
    case "admin":
      return access.refuses(admin, call);
  }
}
