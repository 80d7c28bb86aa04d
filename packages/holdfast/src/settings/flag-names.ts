/** What the command calls an option that `startServer` has under another name, for messages that name it. */
const flagOf: Readonly<Record<string, string>> = {
  "auth.token": "--auth-token",
  "auth.tokenTtlSeconds": "--auth-token-ttl",
  "auth.passwordCost": "--bcrypt-cost",
  signMethod: "sign-method",
  publicKeyFile: "pub-key",
  privateKeyFile: "priv-key",
  ttlSeconds: "ttl",
  certFile: "--cert-file",
  keyFile: "--key-file",
  autoTls: "--auto-tls",
  selfSignedValidityYears: "--self-signed-cert-validity",
  trustedCaFile: "--trusted-ca-file",
  clientCertAuth: "--client-cert-auth",
  crlFile: "--client-crl-file",
  allowedCommonNames: "--client-cert-allowed-cn",
  allowedHostnames: "--client-cert-allowed-hostname",
  minVersion: "--tls-min-version",
  maxVersion: "--tls-max-version",
  cipherSuites: "--cipher-suites",
};

/** `message` with the flags in place of the options; nothing else of it is changed. */
export function inFlags(message: string): string {
  return message.replace(
    /(?<![\w./-])(?:auth\.)?[a-z]+(?:[A-Z][a-z]+)*(?![\w/]|\.\w)/g,
    (word) => flagOf[word] ?? word,
  );
}
