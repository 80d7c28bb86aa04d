/** Certificates of our own: made, kept, used again. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { RunningServer, ServerOptions } from "../../server-options.js";
import { startServer } from "../../start-server.js";
import { temporaryFolder } from "../../testing/temporary-folder.js";
import { TestClient } from "../../testing/test-client.js";
import { portOf } from "../../testing/test-server.js";
import { dialTls } from "../../testing/tls.js";
import { isValidFor, selfSignedPair } from "./self-signed.js";

const hung = { timeout: 20_000 };

function start(options: ServerOptions): Promise<RunningServer> {
  return startServer({ listen: "https://127.0.0.1:0", tls: { autoTls: true }, ...options });
}

test(
  "a server with a certificate of its own is trusted by those who are given it, across restarts",
  hung,
  async (t) => {
    const dataDir = temporaryFolder();
    let first: Buffer | undefined;
    for (let round = 0; round < 2; round++) {
      const server = await start({ dataDir });
      const ca = readFileSync(join(dataDir, "fixtures/client/cert.pem"));
      first ??= ca;
      assert.ok(ca.equals(first));
      const socket = await dialTls(t, { port: portOf(server.endpoint), ca, servername: "" });
      assert.equal(socket.authorized, true);
      const client = TestClient.on(socket);
      await client.put("a");
      assert.equal((await client.get("a"))?.version, round + 1);
      client.grpc.destroy();
      await server.close();
    }
    assert.equal(statSync(join(dataDir, "fixtures/client/key.pem")).mode & 0o777, 0o600);
  },
);

test("without a data folder the certificate is kept nowhere", hung, async (t) => {
  const server = await start({});
  t.after(() => server.close());
  const socket = await dialTls(t, { port: portOf(server.endpoint), rejectUnauthorized: false });
  const certificate = new X509Certificate(socket.getPeerCertificate().raw);
  assert.equal(certificate.ca, false);
  assert.equal(certificate.checkIP("127.0.0.1"), "127.0.0.1");
});

test("the certificate is valid for what is listened on and advertised", hung, async (t) => {
  const server = await start({
    listen: ["https://0.0.0.0:0", "https://[::1]:0", `unixs:${temporaryFolder()}/holdfast.sock`],
    advertise: ["https://etcd.example:2379"],
  });
  t.after(() => server.close());
  const socket = await dialTls(t, { port: portOf(server.endpoint), rejectUnauthorized: false });
  const certificate = new X509Certificate(socket.getPeerCertificate().raw);
  for (const host of ["127.0.0.1", "::1", "localhost", "etcd.example", "holdfast.sock"])
    assert.ok(isValidFor(certificate, host), host);
  assert.ok(!isValidFor(certificate, "other.example"));
});

test("files that are given win over a certificate of our own", hung, async () => {
  const tls = { autoTls: true, certFile: "/no/such/file", keyFile: "/no/such/file" };
  await assert.rejects(start({ tls }), { name: "CertificateError", file: "/no/such/file" });
});

test("a kept certificate is made anew once it does not serve any more", async () => {
  const folder = join(temporaryFolder(), "a", "b");
  const options = { folder, hosts: ["localhost", "10.0.0.1"], furtherHosts: ["10.0.0.2"], validityYears: 2 };
  const first = await selfSignedPair(options);
  const years = (Date.parse(new X509Certificate(first.cert).validTo) - Date.now()) / (365.25 * 86_400_000);
  assert.ok(years > 1.99 && years <= 2);
  assert.deepEqual(await selfSignedPair({ ...options, hosts: ["10.0.0.2"], furtherHosts: ["10.0.0.3"] }), first);
  const second = await selfSignedPair({ ...options, hosts: ["10.0.0.3"] });
  assert.notDeepEqual(second, first);
  writeFileSync(join(folder, "key.pem"), first.key);
  chmodSync(join(folder, "key.pem"), 0o644);
  const third = await selfSignedPair(options);
  assert.notDeepEqual(third.cert, second.cert);
  assert.equal(statSync(join(folder, "key.pem")).mode & 0o777, 0o600);
  const fleeting = { ...options, hosts: ["other"], validityYears: 1e-12 };
  const expired = await selfSignedPair(fleeting);
  assert.notDeepEqual(await selfSignedPair(fleeting), expired);
});
