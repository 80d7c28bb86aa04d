/** A Holdfast in memory within the process, for tests of loads. */
import { startServer } from "holdfast";
import { Connections } from "./load/connections.js";

const connectionCount = 3;

/** Runs `use` on some connections to a server of its own. */
export async function onHoldfast(use: (connections: Connections) => Promise<void>): Promise<void> {
  const server = await startServer({ listen: "127.0.0.1:0" });
  const port = Number(server.endpoint.split(":").at(-1));
  const connections = await Connections.open({ port, tls: undefined }, connectionCount);
  try {
    await use(connections);
  } finally {
    connections.close();
    await server.close();
  }
}
