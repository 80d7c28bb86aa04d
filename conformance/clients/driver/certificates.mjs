// Certificates for the server with TLS: an authority, a server certificate and a client certificate signed by it.
//
// All keys are PEM in PKCS#8, which every client here reads.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { generate } from "selfsigned";

const common = { keyType: "ec", algorithm: "sha256" };

/** Writes the six files into the folder, and returns their paths by name. */
export async function writeCertificates(folder) {
  const authority = await generate(nameOf("Conformance authority"), { ...common, extensions: authorityExtensions });
  const ca = { key: authority.private, cert: authority.cert };
  const server = await generate(nameOf("localhost"), { ...common, ca, extensions: serverExtensions });
  const client = await generate(nameOf("conformance-client"), { ...common, ca, extensions: clientExtensions });
  const contents = {
    caFile: authority.cert,
    serverCertFile: server.cert,
    serverKeyFile: server.private,
    clientCertFile: client.cert,
    clientKeyFile: client.private,
  };
  const paths = {};
  for (const [name, pem] of Object.entries(contents)) {
    paths[name] = join(folder, `${name}.pem`);
    writeFileSync(paths[name], pem, { mode: 0o600 });
  }
  return paths;
}

const nameOf = (commonName) => [{ name: "commonName", value: commonName }];

const authorityExtensions = [
  { name: "basicConstraints", cA: true, critical: true },
  { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
];

// etcd's JSON gateway calls etcd itself with the server's certificate, so that must be good for a client as well.
const serverExtensions = [
  { name: "basicConstraints", cA: false, critical: true },
  { name: "keyUsage", digitalSignature: true, critical: true },
  { name: "extKeyUsage", serverAuth: true, clientAuth: true },
  {
    name: "subjectAltName",
    altNames: [
      { type: 2, value: "localhost" },
      { type: 7, ip: "127.0.0.1" },
    ],
  },
];

const clientExtensions = [
  { name: "basicConstraints", cA: false, critical: true },
  { name: "keyUsage", digitalSignature: true, critical: true },
  { name: "extKeyUsage", clientAuth: true },
];
