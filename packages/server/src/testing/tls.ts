/** Servers that speak TLS and clients for them, with certificates made for the test. */
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import type { RunningServer, ServerOptions, TlsOptions } from "../server-options.js";
import { startServer } from "../start-server.js";
import { type Issued, issueLocal, makeAuthority } from "./certificates.js";
import { temporaryFolder } from "./temporary-folder.js";
import { TestClient } from "./test-client.js";
import { portOf } from "./test-server.js";

export interface TlsTrial {
  readonly server: RunningServer;
  readonly folder: string;
  /** Signed the server's certificate, and is what clients trust. */
  readonly authority: Issued;
  /** A connection whose handshake is done. Rejects if it fails at our end. */
  dial(options?: ConnectionOptions): Promise<TLSSocket>;
  /** A client that presents `certificate`. */
  client(certificate?: Issued): Promise<TestClient>;
}

export interface TlsTrialOptions extends Partial<TlsOptions> {
  readonly server?: ServerOptions;
}

/** Starts a server at https://127.0.0.1 with a certificate of a fresh authority. */
export async function startTls(
  t: TestContext,
  { server: serverOptions, ...tls }: TlsTrialOptions = {},
  authority?: Issued,
): Promise<TlsTrial> {
  const signer = authority ?? (await makeAuthority());
  const folder = temporaryFolder();
  const { certFile, keyFile } = writePair(folder, await issueLocal(signer));
  const server = await startServer({
    listen: "https://127.0.0.1:0",
    ...serverOptions,
    tls: { certFile, keyFile, ...tls },
  });
  t.after(() => server.close());
  const dial = (options: ConnectionOptions = {}): Promise<TLSSocket> =>
    dialTls(t, { port: portOf(server.endpoint), ca: signer.cert, ...options });
  return {
    server,
    folder,
    authority: signer,
    dial,
    client: async (certificate) => {
      const socket = await dial({ ALPNProtocols: ["h2"], ...(certificate === undefined ? {} : identity(certificate)) });
      const client = TestClient.on(socket);
      t.after(() => client.grpc.destroy());
      return client;
    },
  };
}

/** What a client presents itself with. */
export function identity({ cert, key }: Issued): ConnectionOptions {
  return { cert, key };
}

export async function dialTls(t: TestContext, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: "127.0.0.1", servername: "localhost", ...options });
  t.after(() => socket.destroy());
  await once(socket, "secureConnect");
  socket.on("error", () => {});
  return socket;
}

/** Resolves once the peer has ended the connection, having sent nothing. */
export async function turnedAway(socket: TLSSocket): Promise<void> {
  socket.on("data", () => socket.destroy(new Error("was answered")));
  const error = await new Promise<Error | undefined>((resolve) => {
    socket.on("error", resolve);
    socket.once("close", () => resolve(undefined));
    if (socket.closed) resolve(undefined);
  });
  if (error?.message === "was answered") throw error;
}

export function writePair(folder: string, { cert, key }: Issued): { certFile: string; keyFile: string } {
  const files = { certFile: join(folder, "server.crt"), keyFile: join(folder, "server.key") };
  writeFileSync(files.certFile, cert);
  writeFileSync(files.keyFile, key);
  return files;
}

/** The path of a new file in `folder`. */
export function write(folder: string, name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}
