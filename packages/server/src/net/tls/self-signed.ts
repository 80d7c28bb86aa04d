/** A certificate of our own making, for encryption without a set-up; where there is a folder, kept as etcd keeps its own. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { join } from "node:path";
import type { KeyPair } from "./credentials.js";

export interface SelfSignedOptions {
  /** Where it is kept and found again: cert.pem and key.pem. Without it each start makes a new one. */
  readonly folder?: string | undefined;
  /** Host names and IP addresses it must be valid for. */
  readonly hosts: readonly string[];
  /** Those it is made out for as well, though a kept one without them will do. */
  readonly furtherHosts: readonly string[];
  readonly validityYears: number;
}

/** The kept certificate if it is still valid for all hosts, else a new one. Throws the system's error if it cannot be kept. */
export async function selfSignedPair(options: SelfSignedOptions): Promise<KeyPair> {
  const kept = options.folder === undefined ? undefined : readKept(options.folder, options.hosts);
  if (kept !== undefined) return kept;
  const pair = await makePair(options);
  if (options.folder !== undefined) keep(options.folder, pair);
  return pair;
}

/** Undefined if there is none that can be used; then there is nothing to lose. */
function readKept(folder: string, hosts: readonly string[]): KeyPair | undefined {
  try {
    const pair = { cert: readFileSync(certFile(folder)), key: readFileSync(keyFile(folder)) };
    const certificate = new X509Certificate(pair.cert);
    if (!certificate.checkPrivateKey(createPrivateKey(pair.key))) return undefined;
    const now = Date.now();
    if (now < Date.parse(certificate.validFrom) || now >= Date.parse(certificate.validTo)) return undefined;
    return hosts.every((host) => isValidFor(certificate, host)) ? pair : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the certificate names the host or IP address as one of its alternatives. */
export function isValidFor(certificate: X509Certificate, host: string): boolean {
  if (isIP(host) !== 0) return certificate.checkIP(host) !== undefined;
  return certificate.checkHost(host, { subject: "never" }) !== undefined;
}

async function makePair({ hosts, furtherHosts, validityYears }: SelfSignedOptions): Promise<KeyPair> {
  const alternatives = [...new Set([...hosts, ...furtherHosts])];
  const notBeforeDate = new Date();
  const notAfterDate = new Date(notBeforeDate.getTime() + validityYears * 365.25 * 24 * 60 * 60 * 1_000);
  // Loaded only here: it would cost every other start a tenth of a second.
  const { generate } = await import("selfsigned");
  const made = await generate([{ name: "organizationName", value: "holdfast" }], {
    keyType: "ec",
    curve: "P-256",
    algorithm: "sha256",
    notBeforeDate,
    notAfterDate,
    extensions: [
      // No authority: whoever gets hold of the key cannot speak for other hosts with it.
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames: alternatives.map(alternativeName) },
    ],
  });
  return { cert: Buffer.from(made.cert), key: Buffer.from(made.private) };
}

function alternativeName(host: string): { type: 2; value: string } | { type: 7; ip: string } {
  return isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host };
}

/** A crash between the two leaves a key that does not fit, which is then made anew. */
function keep(folder: string, { cert, key }: KeyPair): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  replace(keyFile(folder), key, 0o600);
  replace(certFile(folder), cert, 0o644);
}

function replace(file: string, content: Buffer, mode: number): void {
  const fresh = `${file}.new`;
  writeFileSync(fresh, content, { mode });
  // The mode above counts only for a file that was not there.
  chmodSync(fresh, mode);
  renameSync(fresh, file);
}

function certFile(folder: string): string {
  return join(folder, "cert.pem");
}

function keyFile(folder: string): string {
  return join(folder, "key.pem");
}
