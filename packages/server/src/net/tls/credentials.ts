/** Reads certificates, keys, authorities and revocation lists, and finds what is wrong with them before OpenSSL does. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import { CertificateError } from "./errors.js";

/** A certificate, with those of intermediate authorities behind it, and its key; PEM. */
export interface KeyPair {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Whom a server believes about its clients; PEM. */
export interface Trust {
  readonly ca: Buffer | undefined;
  /** One revocation list per element: Node reads no more than the first of each. */
  readonly crl: readonly string[] | undefined;
}

/** Throws `CertificateError` if a file cannot be read, is no PEM of its kind, or the key is not the certificate's. */
export function readKeyPair(certFile: string, keyFile: string): KeyPair {
  const pair = { cert: read(certFile, "certificate"), key: read(keyFile, "key") };
  const certificate = parseCertificate(pair.cert, certFile, "certificate");
  if (!certificate.checkPrivateKey(parseKey(pair.key, keyFile))) {
    throw new CertificateError(keyFile, `the key does not belong to the certificate ${certFile}`);
  }
  try {
    createSecureContext(pair);
  } catch (cause) {
    throw new CertificateError(certFile, "the certificate cannot be used", cause);
  }
  return pair;
}

/** Throws `CertificateError`. */
export function readTrust(caFile: string | undefined, crlFile: string | undefined): Trust {
  return {
    ca: caFile === undefined ? undefined : readAuthorities(caFile),
    crl: crlFile === undefined ? undefined : readRevocationLists(crlFile),
  };
}

/** Without a certificate in it, Node would trust the authorities of the public web. */
function readAuthorities(file: string): Buffer {
  const ca = read(file, "authorities");
  parseCertificate(ca, file, "certificate of an authority");
  return ca;
}

const pemBlock = /-----BEGIN X509 CRL-----[\s\S]+?-----END X509 CRL-----/g;

function readRevocationLists(file: string): readonly string[] {
  const bytes = read(file, "revocation list");
  const lists = bytes.toString("latin1").match(pemBlock) ?? [pemOfDer(bytes)];
  try {
    createSecureContext({ crl: [...lists] });
  } catch (cause) {
    throw new CertificateError(file, "not a revocation list", cause);
  }
  return lists;
}

/** etcd takes lists in DER. */
function pemOfDer(bytes: Buffer): string {
  return `-----BEGIN X509 CRL-----\n${bytes.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END X509 CRL-----\n`;
}

function read(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new CertificateError(file, `cannot read the ${what}`, cause);
  }
}

function parseCertificate(pem: Buffer, file: string, what: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new CertificateError(file, `not a ${what}`, cause);
  }
}

function parseKey(pem: Buffer, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    throw new CertificateError(file, "not a private key without a passphrase", cause);
  }
}
