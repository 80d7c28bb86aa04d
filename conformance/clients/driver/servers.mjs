// The servers that the clients run against, and the environment that tells a client program where they are.
//
//   HOLDFAST_ENDPOINT        host:port of a plain server
//   HOLDFAST_PROXY_ENDPOINT  host:port of a TCP proxy before that server
//   HOLDFAST_CONTROL_URL     POST /cut on it cuts every connection through the proxy (proxy.mjs)
//   HOLDFAST_AUTH_ENDPOINT   host:port of a second plain server, on which a client may switch authentication on
//   HOLDFAST_TLS_ENDPOINT    host:port of a third server, which requires a client certificate
//   HOLDFAST_TLS_CA, HOLDFAST_TLS_CERT, HOLDFAST_TLS_KEY   PEM files for calling that one

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startServer } from "../../dist/server-under-test.js";
import { writeCertificates } from "./certificates.mjs";
import { startProxy } from "./proxy.mjs";

/** Certificate folders to remove when this process ends, however it ends short of SIGKILL. */
const folders = new Set();
const removeFolder = (folder) => {
  folders.delete(folder);
  rmSync(folder, { recursive: true, force: true });
};
process.once("exit", () => folders.forEach(removeFolder));

/**
 * Starts all servers on fresh data. `env` is what client programs need; `problems` says in words which server does not
 * start (a client then finds nobody at its endpoint, and its checks fail). `close` ends all and removes their data.
 */
export async function startServers() {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-clients-"));
  folders.add(folder);
  const certificates = await writeCertificates(folder);
  const tls = {
    certFile: certificates.serverCertFile,
    keyFile: certificates.serverKeyFile,
    trustedCaFile: certificates.caFile,
  };
  const problems = [];
  const [plain, auth, secure] = await Promise.all([
    startOne("plain server", {}, problems),
    startOne("server for authentication", {}, problems),
    startOne("server with TLS", { tls }, problems),
  ]);
  const proxy = await startProxy(plain.endpoint);
  return {
    problems,
    env: {
      HOLDFAST_ENDPOINT: plain.endpoint,
      HOLDFAST_PROXY_ENDPOINT: proxy.endpoint,
      HOLDFAST_CONTROL_URL: proxy.controlUrl,
      HOLDFAST_AUTH_ENDPOINT: auth.endpoint,
      HOLDFAST_TLS_ENDPOINT: secure.endpoint,
      HOLDFAST_TLS_CA: certificates.caFile,
      HOLDFAST_TLS_CERT: certificates.clientCertFile,
      HOLDFAST_TLS_KEY: certificates.clientKeyFile,
    },
    async close() {
      await proxy.close();
      await Promise.all([plain, auth, secure].map((server) => server.dispose()));
      removeFolder(folder);
    },
  };
}

/** Port 1 of the loopback: nobody listens there. */
const nobody = { endpoint: "127.0.0.1:1", dispose: async () => {} };

async function startOne(words, options, problems) {
  try {
    return await startServer(options);
  } catch (error) {
    problems.push(`FAILED start of the ${words}: ${error.message}`);
    return nobody;
  }
}
