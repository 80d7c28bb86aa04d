/** From the TLS options to settled ones: what is checked before any file is read. */
import type { SecureVersion } from "node:tls";
import type { TlsOptions } from "../../server-options.js";
import { readCipherSuites } from "./cipher-suites.js";
import { TlsOptionError } from "./errors.js";

export interface TlsSettings {
  /** Undefined: a certificate of our own making. */
  readonly pair: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly selfSignedValidityYears: number;
  readonly trustedCaFile: string | undefined;
  readonly crlFile: string | undefined;
  readonly allowedCommonNames: readonly string[];
  readonly allowedHostnames: readonly string[];
  readonly minVersion: SecureVersion;
  readonly maxVersion: SecureVersion;
  /** Undefined: Node's choice. */
  readonly ciphers: string | undefined;
}

const versions: Readonly<Record<string, SecureVersion>> = { "TLS1.2": "TLSv1.2", "TLS1.3": "TLSv1.3" };
const validityYearsMax = 1_000;

/** Throws `TlsOptionError`. */
export function readTlsOptions(options: TlsOptions): TlsSettings {
  const years = options.selfSignedValidityYears ?? 1;
  if (!(years > 0 && years <= validityYearsMax)) {
    throw new TlsOptionError(`selfSignedValidityYears must be above 0 and at most ${validityYearsMax}`);
  }
  refuseUselessNames(options);
  return {
    pair: readPair(options),
    selfSignedValidityYears: years,
    trustedCaFile: options.trustedCaFile,
    crlFile: options.crlFile,
    allowedCommonNames: options.allowedCommonNames ?? [],
    allowedHostnames: options.allowedHostnames ?? [],
    ...readVersions(options),
  };
}

function readPair({ certFile, keyFile, autoTls }: TlsOptions): TlsSettings["pair"] {
  if (certFile !== undefined && keyFile !== undefined) return { certFile, keyFile };
  if (certFile !== undefined || keyFile !== undefined) {
    throw new TlsOptionError("certFile and keyFile are only of use together");
  }
  if (autoTls === true) return undefined;
  throw new TlsOptionError("TLS needs certFile and keyFile, or autoTls");
}

/** What would be set and never looked at, or would have Node trust authorities that nobody named. */
function refuseUselessNames(options: TlsOptions): void {
  if (options.trustedCaFile !== undefined) return;
  const useless = ([name, isSet]: readonly [string, boolean]): void => {
    if (isSet) throw new TlsOptionError(`${name} needs trustedCaFile, to know whose client certificates to trust`);
  };
  useless(["clientCertAuth", options.clientCertAuth === true]);
  useless(["crlFile", options.crlFile !== undefined]);
  useless(["allowedCommonNames", (options.allowedCommonNames ?? []).length > 0]);
  useless(["allowedHostnames", (options.allowedHostnames ?? []).length > 0]);
}

function readVersions(options: TlsOptions): Pick<TlsSettings, "minVersion" | "maxVersion" | "ciphers"> {
  const minVersion = version(options.minVersion ?? "TLS1.2");
  const maxVersion = version(options.maxVersion ?? "TLS1.3");
  if (minVersion > maxVersion) throw new TlsOptionError("minVersion is newer than maxVersion");
  const names = options.cipherSuites ?? [];
  if (names.length === 0) return { minVersion, maxVersion, ciphers: undefined };
  const suites = readCipherSuites(names);
  if (minVersion === "TLSv1.3" && !suites.hasTls13) {
    throw new TlsOptionError("cipherSuites names suites of TLS 1.2 only, which is not spoken");
  }
  if (maxVersion === "TLSv1.2" && !suites.hasTls12) {
    throw new TlsOptionError("cipherSuites names suites of TLS 1.3 only, which is not spoken");
  }
  return { minVersion, maxVersion, ciphers: suites.openSslList };
}

function version(text: string): SecureVersion {
  const found = versions[text];
  if (found === undefined) throw new TlsOptionError(`unknown TLS version "${text}": want TLS1.2 or TLS1.3`);
  return found;
}
