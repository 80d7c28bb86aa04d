/** A real server on a free port of this machine, and clients for it, gone when the test is over. */
import type { TestContext } from "node:test";
import type { RunningServer, ServerOptions } from "../server-options.js";
import { startServer } from "../start-server.js";
import { TestClient } from "./test-client.js";

export class TestServer {
  readonly running: RunningServer;
  readonly #clients: TestClient[] = [];

  constructor(running: RunningServer) {
    this.running = running;
  }

  get port(): number {
    return portOf(this.running.addresses[0] as string);
  }

  async connect(): Promise<TestClient> {
    const client = await TestClient.connect(this.port);
    this.#clients.push(client);
    return client;
  }

  /** Ends clients and server; may be called before the test is over. */
  async stop(): Promise<void> {
    for (const client of this.#clients) client.grpc.destroy();
    await this.running.close();
  }
}

/** The port in "host:port". */
export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

export interface Started {
  readonly server: TestServer;
  readonly client: TestClient;
}

/** Starts a server, in memory unless `options` name a folder, and connects to it. */
export async function start(context: TestContext, options: ServerOptions = {}): Promise<Started> {
  const server = new TestServer(await startServer({ listen: "127.0.0.1:0", ...options }));
  context.after(() => server.stop());
  return { server, client: await server.connect() };
}
