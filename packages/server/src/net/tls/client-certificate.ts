/** Whether the certificate that a client has shown lets it in, and what name it gives. */
import type { TLSSocket } from "node:tls";
import { isValidFor } from "./self-signed.js";
import type { TlsSettings } from "./settings.js";

/** Either why the client is turned away, or the name in its certificate. */
export type Verdict =
  | { readonly accepted: true; readonly commonName: string | undefined }
  | { readonly accepted: false; readonly reason: string };

const accepted: Verdict = { accepted: true, commonName: undefined };

/** To be asked after the handshake. With `trustedCaFile` every client must have a certificate, as in etcd. */
export function judgeClient(socket: TLSSocket, settings: TlsSettings): Verdict {
  if (settings.trustedCaFile === undefined) return accepted;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return refused("no client certificate");
  if (!socket.authorized) return refused(`client certificate not trusted: ${socket.authorizationError}`);
  const commonName = lastOf(certificate.toLegacyObject().subject?.CN);
  const { allowedCommonNames, allowedHostnames } = settings;
  if (allowedCommonNames.length > 0 && !allowedCommonNames.includes(commonName ?? "")) {
    return refused("client certificate with a common name that is not allowed");
  }
  if (allowedHostnames.length > 0 && !allowedHostnames.some((host) => isValidFor(certificate, host))) {
    return refused("client certificate for a host that is not allowed");
  }
  return { accepted: true, commonName };
}

function refused(reason: string): Verdict {
  return { accepted: false, reason };
}

/** Of several names the last counts, as for etcd. */
function lastOf(names: string | readonly string[] | undefined): string | undefined {
  const last = typeof names === "object" ? names.at(-1) : names;
  return last === "" ? undefined : last;
}
