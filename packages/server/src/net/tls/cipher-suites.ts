/** Names of cipher suites: the standard's (as etcd's flag takes them) and OpenSSL's (as Node takes them). */
import { getCiphers } from "node:tls";
import { TlsOptionError } from "./errors.js";

const tls13Suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];

export interface CipherSuites {
  /** For Node's `ciphers`. */
  readonly openSslList: string;
  readonly hasTls12: boolean;
  readonly hasTls13: boolean;
}

/**
 * Reads names of either kind. Those for TLS 1.3 can be chosen as well; where none is named, all of them stay, since Node
 * would switch TLS 1.3 off otherwise. Throws `TlsOptionError` for a name that is unknown, or that this OpenSSL lacks.
 */
export function readCipherSuites(names: readonly string[]): CipherSuites {
  const known = new Set(getCiphers());
  const chosen = names.map((name) => openSslName(name, known));
  const hasTls13 = chosen.some(isTls13);
  const list = hasTls13 ? chosen : [...chosen, ...tls13Suites];
  return { openSslList: list.join(":"), hasTls12: chosen.some((name) => !isTls13(name)), hasTls13 };
}

function isTls13(name: string): boolean {
  return tls13Suites.includes(name);
}

function openSslName(text: string, known: ReadonlySet<string>): string {
  const upper = text.trim().toUpperCase();
  const name = upper.startsWith("TLS_") && !isTls13(upper) ? translate(upper) : upper;
  if (!known.has(name.toLowerCase())) {
    throw new TlsOptionError(`unknown or unsupported cipher suite "${text}"`);
  }
  return name;
}

/** TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256 is ECDHE-RSA-AES128-SHA256 in OpenSSL, and plain RSA is not mentioned there. */
function translate(standardName: string): string {
  const [exchange = "", cipher = ""] = standardName.slice("TLS_".length).split("_WITH_");
  const prefix = exchange === "RSA" ? "" : `${exchange.replaceAll("_", "-")}-`;
  const suffix = cipher
    .replace(/^AES_(\d+)_/, "AES$1-")
    .replace("CBC_", "")
    .replace(/^CHACHA20_POLY1305(_SHA256)?$/, "CHACHA20-POLY1305")
    .replaceAll("_", "-");
  return prefix + suffix;
}
