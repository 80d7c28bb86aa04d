import assert from "node:assert/strict";
import { test } from "node:test";
import { inFlags } from "./flag-names.js";

test("a message of the server names flags where it named options, and is left as it is elsewhere", () => {
  const cases = [
    ["certFile and keyFile are only of use together", "--cert-file and --key-file are only of use together"],
    ["crlFile needs trustedCaFile, to know", "--client-crl-file needs --trusted-ca-file, to know"],
    ["auth.token: RS256 needs a publicKeyFile", "--auth-token: RS256 needs a pub-key"],
    ["TLS needs certFile and keyFile, or autoTls", "TLS needs --cert-file and --key-file, or --auto-tls"],
    ["auth.passwordCost 28 needs more", "--bcrypt-cost 28 needs more"],
    ["minVersion is newer than maxVersion", "--tls-min-version is newer than --tls-max-version"],
    ["/etc/keyFile.pem holds no key", "/etc/keyFile.pem holds no key"],
    ["/etc/certFile: not a certificate", "/etc/certFile: not a certificate"],
    ["certFile.pem cannot be read", "certFile.pem cannot be read"],
  ];
  for (const [message, expected] of cases) assert.equal(inFlags(message as string), expected);
});
