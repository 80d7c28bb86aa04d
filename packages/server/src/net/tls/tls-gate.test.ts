/** Servers with TLS from the outside: who is let in, with what, and what happens to those who are not. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { authService, etcdErrors } from "@holdfast/protocol";
import { type Issued, issue, makeAuthority } from "../../testing/certificates.js";
import { pemOf, revocationList } from "../../testing/revocation-list.js";
import { rejectsAs } from "../../testing/status-error.js";
import { temporaryFolder } from "../../testing/temporary-folder.js";
import { TestClient } from "../../testing/test-client.js";
import { portOf } from "../../testing/test-server.js";
import { dialTls, identity, startTls, type TlsTrial, turnedAway, write } from "../../testing/tls.js";

const hung = { timeout: 20_000 };

async function isLetIn(trial: TlsTrial, certificate?: Issued): Promise<void> {
  const client = await trial.client(certificate);
  await client.put("a", "b");
  assert.equal(Buffer.from((await client.get("a"))?.value ?? []).toString(), "b");
  client.grpc.destroy();
}

/** With TLS 1.3 a client learns that it is not wanted only after its handshake. */
async function isTurnedAway(trial: TlsTrial, certificate?: Issued): Promise<void> {
  await turnedAway(await trial.dial(certificate === undefined ? {} : identity(certificate)));
}

/** A server that wants client certificates, and the authority that signs them. */
async function withClientCertificates(
  t: TestContext,
  tls: {
    crl?: (authority: Issued) => string | Buffer;
    allowedCommonNames?: string[];
    allowedHostnames?: string[];
  } = {},
): Promise<{ trial: TlsTrial; authority: Issued; crlFile: string | undefined }> {
  const authority = await makeAuthority("Client Authority");
  const folder = temporaryFolder();
  const { crl, ...names } = tls;
  const crlFile = crl === undefined ? undefined : write(folder, "crl", crl(authority));
  const trial = await startTls(t, {
    trustedCaFile: write(folder, "clients.crt", authority.cert),
    clientCertAuth: true,
    ...(crlFile === undefined ? {} : { crlFile }),
    ...names,
  });
  return { trial, authority, crlFile };
}

test("gRPC over TLS, with h2 for those who offer it and without ALPN alike", hung, async (t) => {
  const trial = await startTls(t);
  assert.match(trial.server.endpoint, /^https:\/\/127\.0\.0\.1:\d+$/);
  await isLetIn(trial);
  const cases: Array<[string[] | undefined, string | false]> = [
    [["h2"], "h2"],
    [["http/1.1", "h2"], "h2"],
    [["http/1.1"], "http/1.1"],
    [undefined, false],
  ];
  for (const [ALPNProtocols, chosen] of cases) {
    const socket = await trial.dial(ALPNProtocols === undefined ? {} : { ALPNProtocols });
    assert.equal(socket.alpnProtocol, chosen);
    const client = TestClient.on(socket);
    await client.put("a");
    client.grpc.destroy();
  }
});

test("HTTP/1.1 over TLS is answered as HTTP/1.1", hung, async (t) => {
  const trial = await startTls(t);
  for (const ALPNProtocols of [["http/1.1"], undefined]) {
    const socket = await trial.dial(ALPNProtocols === undefined ? {} : { ALPNProtocols });
    socket.write("GET /no/such/page HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    const [answer] = (await once(socket, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1\.1 404 /);
  }
});

test("a client that trusts another authority does not get as far as a call", hung, async (t) => {
  const trial = await startTls(t);
  const { cert } = await makeAuthority("Other");
  await assert.rejects(trial.dial({ ca: cert }), { code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
  await isLetIn(trial);
});

test("clear text to a TLS address is closed, and the server goes on", hung, async (t) => {
  const trial = await startTls(t);
  const socket = connect(portOf(trial.server.endpoint), "127.0.0.1");
  socket.on("error", () => {});
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  socket.resume();
  await once(socket, "close");
  await isLetIn(trial);
});

test("TLS 1.1 is refused, TLS 1.2 and 1.3 are spoken", hung, async (t) => {
  const trial = await startTls(t);
  const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" } as const;
  await assert.rejects(trial.dial(old), { code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" });
  for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
    const socket = await trial.dial({ minVersion: version, maxVersion: version });
    assert.equal(socket.getProtocol(), version);
  }
});

test("versions and cipher suites can be narrowed", hung, async (t) => {
  const modern = await startTls(t, { minVersion: "TLS1.3" });
  await assert.rejects(modern.dial({ maxVersion: "TLSv1.2" }), { code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" });
  await isLetIn(modern);
  const older = await startTls(t, {
    maxVersion: "TLS1.2",
    cipherSuites: ["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"],
  });
  const socket = await older.dial();
  assert.equal(socket.getProtocol(), "TLSv1.2");
  assert.equal(socket.getCipher().standardName, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
  await assert.rejects(older.dial({ ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" }), { code: /HANDSHAKE_FAILURE/ });
});

test("naming suites of TLS 1.2 leaves TLS 1.3 on", hung, async (t) => {
  const trial = await startTls(t, { cipherSuites: ["ECDHE-ECDSA-AES128-GCM-SHA256"] });
  assert.equal((await trial.dial()).getProtocol(), "TLSv1.3");
  assert.equal((await trial.dial({ maxVersion: "TLSv1.2" })).getCipher().name, "ECDHE-ECDSA-AES128-GCM-SHA256");
});

test(
  "with a trusted authority a client needs a certificate of it, even where it identifies nobody",
  hung,
  async (t) => {
    const clients = await makeAuthority("Client Authority");
    const trial = await startTls(t, { trustedCaFile: write(temporaryFolder(), "ca", clients.cert) });
    await isTurnedAway(trial);
    await isTurnedAway(trial, await issue(await makeAuthority("Client Authority"), "alice"));
    await isLetIn(trial, await issue(clients, "alice"));
  },
);

test("a certificate for servers only does not let a client in", hung, async (t) => {
  const { trial } = await withClientCertificates(t);
  await isTurnedAway(trial, trial.authority);
});

test("only allowed common names are let in", hung, async (t) => {
  const { trial, authority } = await withClientCertificates(t, { allowedCommonNames: ["alice", "carol"] });
  await isLetIn(trial, await issue(authority, "alice"));
  await isLetIn(trial, await issue(authority, "carol"));
  for (const name of ["bob", "Alice", "alice2"]) await isTurnedAway(trial, await issue(authority, name));
});

test("only certificates for allowed hosts are let in, whatever their common name", hung, async (t) => {
  const { trial, authority } = await withClientCertificates(t, { allowedHostnames: ["one.app.example", "10.0.0.1"] });
  await isLetIn(trial, await issue(authority, "x", ["one.app.example"]));
  await isLetIn(trial, await issue(authority, "x", ["*.app.example"]));
  await isLetIn(trial, await issue(authority, "x", ["10.0.0.1"]));
  await isTurnedAway(trial, await issue(authority, "one.app.example"));
  await isTurnedAway(trial, await issue(authority, "x", ["other.example", "10.0.0.2"]));
});

test("both names must be allowed where both are asked for", hung, async (t) => {
  const names = { allowedCommonNames: ["alice"], allowedHostnames: ["app.example"] };
  const { trial, authority } = await withClientCertificates(t, names);
  await isLetIn(trial, await issue(authority, "alice", ["app.example"]));
  await isTurnedAway(trial, await issue(authority, "alice"));
  await isTurnedAway(trial, await issue(authority, "bob", ["app.example"]));
});

for (const form of ["PEM", "DER"]) {
  test(
    `a revoked certificate is turned away, others of the same authority are not (list in ${form})`,
    hung,
    async (t) => {
      const authority = await makeAuthority("Client Authority");
      const [alice, bob] = await Promise.all([issue(authority, "alice"), issue(authority, "bob")]);
      const folder = temporaryFolder();
      const list = revocationList(authority, [bob]);
      const trial = await startTls(t, {
        trustedCaFile: write(folder, "ca", authority.cert),
        crlFile: write(folder, "crl", form === "PEM" ? pemOf(list) : list),
      });
      await isLetIn(trial, alice);
      await isTurnedAway(trial, bob);
    },
  );
}

test("lists of several authorities may stand in one file", hung, async (t) => {
  const [one, two] = [await makeAuthority("One"), await makeAuthority("Two")];
  const [good, bad] = [await issue(two, "good"), await issue(two, "bad")];
  const folder = temporaryFolder();
  const trial = await startTls(t, {
    trustedCaFile: write(folder, "ca", `${one.cert}\n${two.cert}`),
    crlFile: write(folder, "crl", pemOf(revocationList(one, [])) + pemOf(revocationList(two, [bad]))),
  });
  await isLetIn(trial, await issue(one, "first"));
  await isLetIn(trial, good);
  await isTurnedAway(trial, bad);
});

test("a list that has run out, or is another authority's, lets nobody in", hung, async (t) => {
  const stranger = await makeAuthority("Stranger");
  for (const crl of [(ca: Issued) => revocationList(ca, [], -1), () => revocationList(stranger, [])]) {
    const { trial, authority } = await withClientCertificates(t, { crl });
    await isTurnedAway(trial, await issue(authority, "alice"));
  }
});

test("revocation takes effect with a reload, also for a client that could resume its session", hung, async (t) => {
  const { trial, authority, crlFile } = await withClientCertificates(t, { crl: (ca) => revocationList(ca, []) });
  const bob = await issue(authority, "bob");
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const socket = await trial.dial({ ...identity(bob), maxVersion });
    const sessions: Buffer[] = [];
    socket.on("session", (session: Buffer) => sessions.push(session));
    const client = TestClient.on(socket);
    await client.put("a");
    client.grpc.destroy();
    const again = await trial.dial({ ...identity(bob), maxVersion, session: sessions.at(-1) });
    assert.equal(again.isSessionReused(), false);
    again.destroy();
  }
  writeFileSync(crlFile as string, revocationList(authority, [bob]));
  trial.server.reloadCertificates();
  await isTurnedAway(trial, bob);
  await isLetIn(trial, await issue(authority, "alice"));
});

test("AUTH-13: with clientCertAuth the common name is the user, without it nobody is", hung, async (t) => {
  const authority = await makeAuthority("Client Authority");
  const trustedCaFile = write(temporaryFolder(), "ca", authority.cert);
  for (const clientCertAuth of [true, false]) {
    const trial = await startTls(t, { trustedCaFile, clientCertAuth });
    const { userAdd, roleAdd, userGrantRole, authEnable } = authService.methods;
    const root = await trial.client(await issue(authority, "root"));
    await root.call(userAdd, { name: "root", options: { noPassword: true } });
    await root.call(roleAdd, { name: "root" });
    await root.call(userGrantRole, { user: "root", role: "root" });
    await root.call(authEnable);
    const stranger = await trial.client(await issue(authority, "stranger"));
    await assert.rejects(stranger.put("a"));
    if (clientCertAuth) await root.put("a");
    else await rejectsAs(root.put("a"), etcdErrors.userEmpty);
  }
});

test("unixs: TLS over a Unix socket", hung, async (t) => {
  const path = `${temporaryFolder()}/secure.sock`;
  const trial = await startTls(t, { server: { listen: `unixs:${path}` } });
  assert.deepEqual(trial.server.addresses, [`unixs:${path}`]);
  const socket = await dialTls(t, { path, host: undefined, ca: trial.authority.cert, ALPNProtocols: ["h2"] });
  const client = TestClient.on(socket);
  await client.put("a", "over a file");
  assert.equal((await client.get("a"))?.version, 1);
  client.grpc.destroy();
});
