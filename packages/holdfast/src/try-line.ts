/**
 * How etcdctl reaches a server that has just started, for the lines that show a newcomer what to type. What only the user
 * knows stands in angle brackets.
 */
import { join } from "node:path";
import type { ServerOptions } from "@holdfast/server";

/** The flags for etcdctl. `endpoint` is where the server listens; `dataDir` is undefined for one that keeps nothing. */
export function etcdctlFlags(
  endpoint: string,
  { advertise = [], tls }: Pick<ServerOptions, "advertise" | "tls">,
  dataDir: string | undefined,
): string {
  const address = advertise[0] ?? reachable(endpoint);
  const flags = [`--endpoints=${quoted(address)}`];
  if (tls !== undefined && /^(https|unixs):/.test(address)) {
    flags.push(authorityFlag(tls.certFile !== undefined, dataDir));
    if (tls.clientCertAuth === true) flags.push("--cert <client.pem> --key <client-key.pem>");
  }
  return flags.join(" ");
}

/** A certificate of the server's own making is its own authority. One that is kept nowhere cannot be handed to etcdctl. */
function authorityFlag(hasFile: boolean, dataDir: string | undefined): string {
  if (hasFile) return "--cacert <authority.pem>";
  if (dataDir === undefined) return "--insecure-skip-tls-verify";
  return `--cacert ${quoted(join(dataDir, "fixtures", "client", "cert.pem"))}`;
}

/** An address that stands for all of the machine's is none to connect to. */
function reachable(endpoint: string): string {
  return endpoint.replace(/^(https:\/\/)?(?:0\.0\.0\.0|\[::\]):(?=\d+$)/, (_all, scheme = "") => `${scheme}127.0.0.1:`);
}

/** As a shell takes it as one word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./[\]-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
