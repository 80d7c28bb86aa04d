/** The `client-api-version` metadata: informational, but it must be text (GEN-8). */
import { isUtf8 } from "node:buffer";
import { etcdErrors } from "@holdfast/protocol";
import type { ServerCall } from "@holdfast/transport";
import { statusOf } from "./status.js";

/** Ends the call if it names an API version that is not valid UTF-8. True if it did. */
export function refuseApiVersion(call: ServerCall): boolean {
  const version = call.metadata.get("client-api-version");
  if (version === undefined || isUtf8(Buffer.from(version, "latin1"))) return false;
  call.end(statusOf(etcdErrors.invalidClientApiVersion));
  return true;
}
