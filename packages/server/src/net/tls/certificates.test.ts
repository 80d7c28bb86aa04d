/** Certificate files that change under a running server. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { silentLogger } from "../../logger.js";
import { type Issued, issueLocal, makeAuthority } from "../../testing/certificates.js";
import { temporaryFolder } from "../../testing/temporary-folder.js";
import { byteString } from "../../testing/test-client.js";
import { startTls, type TlsTrial, write, writePair } from "../../testing/tls.js";
import { create, openWatch } from "../../testing/watching.js";
import { type NetCounters, newNetCounters } from "../counters.js";
import { Certificates } from "./certificates.js";
import { CertificateError } from "./errors.js";
import { readTlsOptions } from "./settings.js";

/** What is shown to clients that connect now. */
async function shownSerial(trial: TlsTrial): Promise<string> {
  const socket = await trial.dial();
  const { serialNumber } = new X509Certificate(socket.getPeerCertificate().raw);
  socket.destroy();
  return serialNumber;
}

test("new certificate files are taken into use, and no connection is dropped for it", {
  timeout: 20_000,
}, async (t) => {
  const trial = await startTls(t);
  const before = await shownSerial(trial);
  const client = await trial.client();
  const watch = openWatch(client);
  await create(watch, "a");
  const next = await issueLocal(trial.authority, "next");
  writePair(trial.folder, next);
  trial.server.reloadCertificates();
  assert.notEqual(before, next.serialNumber);
  assert.equal(await shownSerial(trial), next.serialNumber);
  await client.put("a", "still connected");
  const { events } = await watch.next();
  assert.equal(events[0]?.kv?.key, byteString("a"));
});

test("files that cannot be used leave the certificate as it is, and whoever asked is told why", async (t) => {
  const trial = await startTls(t);
  const before = await shownSerial(trial);
  writeFileSync(join(trial.folder, "server.key"), (await issueLocal(trial.authority)).key);
  assert.throws(() => trial.server.reloadCertificates(), /the key does not belong to the certificate .*server\.key/);
  writeFileSync(join(trial.folder, "server.crt"), "nonsense");
  assert.throws(() => trial.server.reloadCertificates(), CertificateError);
  assert.equal(await shownSerial(trial), before);
});

test("a server without TLS has nothing to read again", async (t) => {
  const trial = await startTls(t, { server: { listen: "127.0.0.1:0" } });
  rmSync(join(trial.folder, "server.crt"));
  trial.server.reloadCertificates();
});

interface Watched {
  readonly certificates: Certificates;
  readonly counters: NetCounters;
  /** Serial numbers of the certificates taken into use, in order. */
  readonly used: string[];
  readonly errors: string[];
}

function watched(certFile: string, keyFile: string, trustedCaFile: string): Watched {
  const used: string[] = [];
  const errors: string[] = [];
  const counters = newNetCounters();
  const logger = silentLogger();
  logger.error = (fields: { err: Error }) => errors.push(fields.err.message);
  const settings = readTlsOptions({ certFile, keyFile, trustedCaFile });
  const certificates = new Certificates(settings, undefined, logger, counters);
  certificates.onReload(({ cert }) => used.push(new X509Certificate(cert).serialNumber));
  return { certificates, counters, used, errors };
}

/** A folder as Kubernetes mounts a secret: the files are links into a folder that is itself reached by a link. */
class MountedSecret {
  readonly folder = temporaryFolder();
  #versions = 0;

  constructor() {
    for (const name of ["server.crt", "server.key"]) symlinkSync(`..data/${name}`, join(this.folder, name));
  }

  swap(pair: Issued): void {
    const version = `..version${++this.#versions}`;
    mkdirSync(join(this.folder, version));
    writePair(join(this.folder, version), pair);
    symlinkSync(version, join(this.folder, "..fresh"));
    renameSync(join(this.folder, "..fresh"), join(this.folder, "..data"));
  }
}

async function startWatching(_t: TestContext): Promise<Watched & { authority: Issued; secret: MountedSecret }> {
  const authority = await makeAuthority();
  const secret = new MountedSecret();
  secret.swap(await issueLocal(authority));
  const file = (name: string): string => join(secret.folder, name);
  const ca = write(temporaryFolder(), "ca", authority.cert);
  return { authority, secret, ...watched(file("server.crt"), file("server.key"), ca) };
}

test("a change is noticed by itself, through the links of a mounted secret", async (t) => {
  const { certificates, counters, used, errors, authority, secret } = await startWatching(t);
  await certificates.look();
  assert.deepEqual(used, []);
  const next = await issueLocal(authority);
  secret.swap(next);
  await certificates.look();
  await certificates.look();
  assert.deepEqual([used, errors], [[next.serialNumber], []]);
  assert.deepEqual([counters.certificateReloads, counters.certificateReloadFailures], [1, 0]);
});

test("a broken change is said once, and the next one is tried again", async (t) => {
  const { certificates, counters, used, errors, authority, secret } = await startWatching(t);
  const next = await issueLocal(authority);
  secret.swap({ ...next, key: (await issueLocal(authority)).key });
  for (let round = 0; round < 3; round++) await certificates.look();
  assert.equal(errors.length, 1);
  assert.match(errors[0] as string, /does not belong/);
  rmSync(join(secret.folder, "..data"));
  for (let round = 0; round < 3; round++) await certificates.look();
  assert.match(errors[1] as string, /cannot read the certificate/);
  assert.equal(counters.certificateReloadFailures, 2);
  secret.swap(next);
  await certificates.look();
  assert.deepEqual([used, errors.length], [[next.serialNumber], 2]);
});

test("the file of trusted authorities is looked after like the others", async (t) => {
  const { authority, secret } = await startWatching(t);
  const ca = write(temporaryFolder(), "ca", authority.cert);
  const file = (name: string): string => join(secret.folder, name);
  const { certificates, used } = watched(file("server.crt"), file("server.key"), ca);
  utimesSync(ca, 1, 1);
  await certificates.look();
  assert.equal(used.length, 1);
});
