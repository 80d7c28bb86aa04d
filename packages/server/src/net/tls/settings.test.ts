import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { TlsOptions, TlsVersion } from "../../server-options.js";
import { startServer } from "../../start-server.js";
import { issueLocal, makeAuthority } from "../../testing/certificates.js";
import { temporaryFolder } from "../../testing/temporary-folder.js";
import { write } from "../../testing/tls.js";
import { readCipherSuites } from "./cipher-suites.js";
import { CertificateError, TlsOptionError } from "./errors.js";
import { readTlsOptions } from "./settings.js";

const pair = { certFile: "c", keyFile: "k" };

test("options that contradict each other are refused, with the option named", () => {
  const cases: Array<[TlsOptions, RegExp]> = [
    [{}, /certFile and keyFile, or autoTls/],
    [{ certFile: "c" }, /only of use together/],
    [{ keyFile: "k", autoTls: true }, /only of use together/],
    [{ ...pair, clientCertAuth: true }, /clientCertAuth needs trustedCaFile/],
    [{ autoTls: true, clientCertAuth: true }, /clientCertAuth needs trustedCaFile/],
    [{ ...pair, crlFile: "l" }, /crlFile needs trustedCaFile/],
    [{ ...pair, allowedCommonNames: ["a"] }, /allowedCommonNames needs trustedCaFile/],
    [{ ...pair, allowedHostnames: ["a"] }, /allowedHostnames needs trustedCaFile/],
    [{ ...pair, minVersion: "TLS1.3", maxVersion: "TLS1.2" }, /minVersion is newer/],
    [{ ...pair, minVersion: "TLS1.1" as TlsVersion }, /unknown TLS version "TLS1.1"/],
    [{ ...pair, minVersion: "TLS1.3", cipherSuites: ["AES128-SHA"] }, /suites of TLS 1.2 only/],
    [{ ...pair, maxVersion: "TLS1.2", cipherSuites: ["TLS_AES_128_GCM_SHA256"] }, /suites of TLS 1.3 only/],
    [{ ...pair, cipherSuites: ["TLS_FOO"] }, /cipher suite "TLS_FOO"/],
    [{ autoTls: true, selfSignedValidityYears: 0 }, /selfSignedValidityYears/],
    [{ autoTls: true, selfSignedValidityYears: Number.NaN }, /selfSignedValidityYears/],
  ];
  for (const [options, message] of cases) {
    assert.throws(
      () => readTlsOptions(options),
      (error) => error instanceof TlsOptionError && message.test(error.message),
      JSON.stringify(options),
    );
  }
});

test("lists that are empty ask for nothing", () => {
  const settings = readTlsOptions({ ...pair, allowedCommonNames: [], allowedHostnames: [], cipherSuites: [] });
  assert.equal(settings.ciphers, undefined);
  assert.deepEqual([settings.minVersion, settings.maxVersion], ["TLSv1.2", "TLSv1.3"]);
});

test("the standard's names of cipher suites are translated to OpenSSL's", () => {
  const cases: Array<[string, string]> = [
    ["TLS_RSA_WITH_AES_128_CBC_SHA", "AES128-SHA"],
    ["TLS_RSA_WITH_AES_256_GCM_SHA384", "AES256-GCM-SHA384"],
    ["TLS_RSA_WITH_AES_128_CBC_SHA256", "AES128-SHA256"],
    ["TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "ECDHE-ECDSA-AES256-SHA"],
    ["TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", "ECDHE-RSA-AES128-SHA256"],
    ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"],
    ["TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-CHACHA20-POLY1305"],
    ["TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"],
    ["ecdhe-rsa-aes256-gcm-sha384", "ECDHE-RSA-AES256-GCM-SHA384"],
  ];
  for (const [name, expected] of cases) {
    assert.equal(readCipherSuites([name]).openSslList.split(":")[0], expected, name);
  }
});

test("suites of TLS 1.3 are chosen by being named", () => {
  assert.equal(readCipherSuites(["TLS_AES_128_GCM_SHA256"]).openSslList, "TLS_AES_128_GCM_SHA256");
  for (const name of ["", "TLS_RSA_WITH_RC4_128_SHA", "ALL", "DEFAULT@SECLEVEL=0", "AES128-SHA:NULL"]) {
    assert.throws(() => readCipherSuites([name]), TlsOptionError, name);
  }
});

test("an address that speaks TLS needs TLS options", async () => {
  for (const listen of ["https://127.0.0.1:0", "unixs:/tmp/x"]) {
    await assert.rejects(startServer({ listen }), TlsOptionError);
  }
  await assert.rejects(startServer({ listen: "127.0.0.1:0", listenMetrics: "https://127.0.0.1:0" }), TlsOptionError);
});

test("files that are missing, of another kind or of another pair are refused by name, and nothing is left open", async () => {
  const authority = await makeAuthority();
  const [server, other] = await Promise.all([issueLocal(authority), issueLocal(authority)]);
  const folder = temporaryFolder();
  const file = (name: string, content: string): string => write(folder, name, content);
  const good = { certFile: file("good.crt", server.cert), keyFile: file("good.key", server.key) };
  const missing = join(folder, "missing");
  const empty = file("empty", "");
  const cases: Array<[TlsOptions, string]> = [
    [{ ...good, certFile: missing }, missing],
    [{ ...good, keyFile: missing }, missing],
    [{ ...good, certFile: empty }, empty],
    [{ ...good, keyFile: good.certFile }, good.certFile],
    [{ ...good, certFile: good.keyFile }, good.keyFile],
    [{ ...good, keyFile: file("other.key", other.key) }, join(folder, "other.key")],
    [{ ...good, trustedCaFile: missing }, missing],
    [{ ...good, trustedCaFile: empty }, empty],
    [{ ...good, trustedCaFile: good.certFile, crlFile: empty }, empty],
    [{ ...good, trustedCaFile: good.certFile, crlFile: good.certFile }, good.certFile],
  ];
  const dataDir = join(folder, "data");
  for (const [tls, named] of cases) {
    const refusedByName = (error: unknown): boolean => error instanceof CertificateError && error.file === named;
    await assert.rejects(startServer({ listen: "https://127.0.0.1:0", dataDir, tls }), refusedByName, named);
  }
  const started = await startServer({ listen: "https://127.0.0.1:0", dataDir, tls: good });
  await started.close();
});

test("a missing file is told from one that cannot be used by the system's code", async () => {
  const tls = { certFile: "/no/such/file", keyFile: "/no/such/file" };
  await assert.rejects(startServer({ listen: "https://127.0.0.1:0", tls }), {
    name: "CertificateError",
    code: "ENOENT",
  });
});
