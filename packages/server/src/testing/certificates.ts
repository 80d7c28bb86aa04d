/** Certificates for tests, made on the fly: an authority, and what it has signed. */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { generate } from "selfsigned";

export interface Issued {
  readonly commonName: string;
  /** Both PEM. */
  readonly cert: string;
  readonly key: string;
  /** Hexadecimal. */
  readonly serialNumber: string;
}

const elliptic = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;

export async function makeAuthority(commonName = "Test Authority"): Promise<Issued> {
  const made = await generate([{ name: "commonName", value: commonName }], {
    ...elliptic,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return issued(commonName, made);
}

/** A certificate for `hosts` (names or addresses) that works at either end of a connection. */
export async function issue(authority: Issued, commonName: string, hosts: readonly string[] = []): Promise<Issued> {
  const altNames = hosts.map((host) =>
    isIP(host) === 0 ? ({ type: 2, value: host } as const) : ({ type: 7, ip: host } as const),
  );
  const made = await generate([{ name: "commonName", value: commonName }], {
    ...elliptic,
    ca: authority,
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "keyUsage", digitalSignature: true },
      { name: "extKeyUsage", serverAuth: true, clientAuth: true },
      ...(hosts.length === 0 ? [] : [{ name: "subjectAltName", altNames } as const]),
    ],
  });
  return issued(commonName, made);
}

/** For a server on this machine. */
export function issueLocal(authority: Issued, commonName = "server"): Promise<Issued> {
  return issue(authority, commonName, ["localhost", "127.0.0.1", "::1"]);
}

function issued(commonName: string, made: { readonly cert: string; readonly private: string }): Issued {
  const { serialNumber } = new X509Certificate(made.cert);
  return { commonName, cert: made.cert, key: made.private, serialNumber };
}
