// Certificates for scripts that need TLS: one authority and one server for the whole run, one client per name.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "selfsigned";
import type { TlsFiles } from "../launches.js";

/** What a client presents. */
export interface ClientCertificate {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

type Signed = Awaited<ReturnType<typeof generate>>;

const keys = { keyType: "ec", algorithm: "sha256" } as const;

let authority: Promise<Signed> | undefined;
let files: Promise<TlsFiles> | undefined;
const clients = new Map<string, Promise<ClientCertificate>>();

/** The server's files, which ask clients for a certificate of the same authority; removed when this process ends. */
export function serverFiles(): Promise<TlsFiles> {
  files ??= writeServerFiles();
  return files;
}

/** The certificate of the client with this common name, which etcd takes for its user name. */
export function clientCertificate(commonName: string): Promise<ClientCertificate> {
  const known = clients.get(commonName) ?? signClient(commonName);
  clients.set(commonName, known);
  return known;
}

function certificateAuthority(): Promise<Signed> {
  authority ??= generate([{ name: "commonName", value: "Differential tests" }], {
    ...keys,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  return authority;
}

async function signClient(commonName: string): Promise<ClientCertificate> {
  const { cert: ca } = await certificateAuthority();
  const { cert, private: key } = await sign(commonName, []);
  return { ca, cert, key };
}

async function writeServerFiles(): Promise<TlsFiles> {
  const names = [
    { type: 2, value: "localhost" },
    { type: 7, ip: "127.0.0.1" },
  ] as const;
  const { cert, private: key } = await sign("localhost", [{ name: "subjectAltName", altNames: [...names] }]);
  const { cert: ca } = await certificateAuthority();
  const folder = mkdtempSync(join(tmpdir(), "holdfast-certificates-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, pem: string): string => {
    const path = join(folder, name);
    writeFileSync(path, pem, { mode: 0o600 });
    return path;
  };
  return {
    certFile: write("server.pem", cert),
    keyFile: write("server-key.pem", key),
    trustedCaFile: write("authority.pem", ca),
  };
}

type Extensions = NonNullable<NonNullable<Parameters<typeof generate>[1]>["extensions"]>;

async function sign(commonName: string, more: Extensions): Promise<Signed> {
  const { cert, private: key } = await certificateAuthority();
  return await generate([{ name: "commonName", value: commonName }], {
    ...keys,
    ca: { cert, key },
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      // etcd's JSON gateway calls etcd itself with the server's certificate.
      { name: "extKeyUsage", serverAuth: true, clientAuth: true },
      ...more,
    ],
  });
}
