/**
 * The certificate of the servers under test, and the one cipher that every connection of a benchmark uses: the two
 * servers prefer different ones, and the cost of a cipher is not what is compared.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What load generators offer as the only cipher, with TLS 1.3. */
export const tlsCipher = "TLS_AES_128_GCM_SHA256";

/** A certificate for 127.0.0.1 that is its own authority, and its key. Both are PEM files. */
export interface TlsFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
  /** The certificate itself, for clients to trust. */
  readonly certificate: string;
}

/**
 * Makes a certificate in `folder`, with the openssl program.
 * @throws Error when there is no such program, or it fails.
 */
export function createTlsFiles(folder: string): TlsFiles {
  mkdirSync(folder, { recursive: true });
  const certificateFile = join(folder, "certificate.pem");
  const keyFile = join(folder, "key.pem");
  const { status, stderr, error } = spawnSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "7"],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
      ...["-out", certificateFile, "-keyout", keyFile],
    ],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`openssl made no certificate: ${error?.message ?? stderr}`);
  return { certificateFile, keyFile, certificate: readFileSync(certificateFile, "utf8") };
}
