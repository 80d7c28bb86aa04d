import assert from "node:assert/strict";
import { test } from "node:test";
import { etcdctlFlags } from "./try-line.js";

test("what is shown to try can be typed as it is: an address to connect to, and the certificate where it lies", () => {
  const autoTls = { autoTls: true };
  const files = { certFile: "c", keyFile: "k" };
  const cases: [Parameters<typeof etcdctlFlags>, string][] = [
    [["127.0.0.1:2379", {}, "/d"], "--endpoints=127.0.0.1:2379"],
    [["0.0.0.0:2379", {}, "/d"], "--endpoints=127.0.0.1:2379"],
    [["unix:/run/a.sock", { tls: files }, "/d"], "--endpoints=unix:/run/a.sock"],
    [
      ["https://0.0.0.0:2379", { tls: autoTls }, "/d"],
      "--endpoints=https://127.0.0.1:2379 --cacert /d/fixtures/client/cert.pem",
    ],
    [
      ["https://[::]:1", { tls: autoTls }, "/my d"],
      "--endpoints=https://127.0.0.1:1 --cacert '/my d/fixtures/client/cert.pem'",
    ],
    [["https://[::1]:1", { tls: autoTls }, undefined], "--endpoints=https://[::1]:1 --insecure-skip-tls-verify"],
    [
      ["https://0.0.0.0:1", { tls: { ...files, clientCertAuth: true }, advertise: ["https://db.example:1"] }, "/d"],
      "--endpoints=https://db.example:1 --cacert <authority.pem> --cert <client.pem> --key <client-key.pem>",
    ],
  ];
  for (const [given, expected] of cases) assert.equal(etcdctlFlags(...given), expected);
});
